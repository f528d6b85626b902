"""What the exact memory looks up: hashes of the last bytes, and of the last words.

A context is a function of the last ids of a stream, at most `Contexts.reach` of them, so nothing
has to be carried but those ids. A context of order n is the last n ids. A context of w words is the
beginning of the current word and the w words before it, without case and without what stands
between them: it finds again what was said with another punctuation or at another place in a line
(the word models of PAQ; Mahoney 2005).

Shapes: B batch, O contexts, M reach, N places.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

WORD_REACH = 32  # Ids among which words are looked for.
_FACTOR = 0x9E3779B1


class Contexts(NamedTuple):
  """Which contexts there are."""

  orders: tuple[int, ...]  # Numbers of ids.
  words: tuple[int, ...] = ()  # Numbers of whole words before the current one.

  @property
  def size(self) -> int:
    """O."""
    return len(self.orders) + len(self.words)

  @property
  def reach(self) -> int:
    """M: no context depends on more ids."""
    return max((*self.orders, WORD_REACH if self.words else 1))


def hashes(
    line: jax.Array,  # [B, M + N - 1] int32: ids, the newest last.
    seen: jax.Array,  # [B, N] int32: ids of the stream up to each place, at least 0.
    contexts: Contexts,
) -> tuple[jax.Array, jax.Array]:  # [B, O, N] uint32 and bool
  """The hash of each context that ends at each of the last N places, and whether it is there.

  An order needs as many ids of its stream as it has; words make do with what there is.
  """
  count = seen.shape[1]

  def back(number: int) -> jax.Array:  # [B, N]: the id `number` places before the newest one.
    start = line.shape[1] - count - number
    return lax.slice_in_dim(line, start, start + count, axis=1)

  found, total = {}, jnp.uint32(0)
  for number in range(max(contexts.orders, default=0)):
    total = total * jnp.uint32(_FACTOR) + back(number).astype(jnp.uint32) + 1
    if number + 1 in contexts.orders:
      found[number + 1] = total
  of_orders = [(found[n], seen >= n) for n in contexts.orders]
  of_words = [(total, seen >= 1) for total in _words(back, seen, contexts.words)]
  totals, there = (
      jnp.stack([jnp.broadcast_to(x, seen.shape) for x in each], axis=1)
      for each in zip(*of_orders, *of_words, strict=True))
  return _mixed(totals), there


def _words(back, seen: jax.Array, words: tuple[int, ...]) -> list[jax.Array]:
  """Totals of the contexts of words, from the newest id backwards."""
  if not words:
    return []
  newest = back(0)
  # Between words the place counts: what follows a space is not what follows a comma.
  start = jnp.where(_is_word(newest), 0, newest + 1).astype(jnp.uint32)
  totals = [start] * len(words)
  number, inside = jnp.zeros_like(seen), jnp.ones(seen.shape, bool)
  for place in range(WORD_REACH):
    one = back(place)
    of_word = _is_word(one) & (seen > place)
    number += of_word & ~inside
    symbol = (_folded(one) + 1 + 512 * number).astype(jnp.uint32)
    totals = [
        jnp.where(of_word & (number <= most), total * jnp.uint32(_FACTOR) + symbol, total)
        for total, most in zip(totals, words, strict=True)]
    inside = of_word
  return totals


def _is_word(ids: jax.Array) -> jax.Array:
  """Letters, digits, underscores, and all bytes of characters beyond ASCII."""
  lower = ids | 32
  return (((lower >= ord('a')) & (lower <= ord('z')) & (ids < 128))
          | ((ids >= ord('0')) & (ids <= ord('9'))) | (ids == ord('_'))
          | ((ids >= 128) & (ids < 256)))


def _folded(ids: jax.Array) -> jax.Array:
  """Capital letters of ASCII as small ones."""
  return jnp.where((ids >= ord('A')) & (ids <= ord('Z')), ids + 32, ids)


def _mixed(x: jax.Array) -> jax.Array:
  """The finaliser of MurmurHash3 (Appleby): all bits of the result depend on all bits of x."""
  x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
  x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
  return x ^ (x >> 16)
