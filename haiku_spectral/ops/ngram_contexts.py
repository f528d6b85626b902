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
_FEW = 8  # Up to so many places a loop would cost more than its iterations.


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
  of_words = [(total, seen >= 1) for total in _words(line, seen, contexts.words)]
  totals, there = (
      jnp.stack([jnp.broadcast_to(x, seen.shape) for x in each], axis=1)
      for each in zip(*of_orders, *of_words, strict=True))
  return _mixed(totals), there


def _words(line: jax.Array, seen: jax.Array, words: tuple[int, ...]) -> list[jax.Array]:
  """Totals of the contexts of words, from the newest id backwards."""
  if not words:
    return []
  letters, first = _letters(line), line.shape[1] - seen.shape[1]

  def step(place: jax.Array, carry: tuple) -> tuple:
    totals, number, inside = carry
    letter = lax.dynamic_slice_in_dim(letters, first - place, seen.shape[1], axis=1)
    of_word = (letter > 0) & (seen > place)
    number += of_word & ~inside
    symbol = letter + number * 512
    totals = tuple(
        jnp.where(of_word & (number <= most), total * jnp.uint32(_FACTOR) + symbol, total)
        for total, most in zip(totals, words, strict=True))
    return totals, number, of_word

  # Between words the place counts: what follows a space is not what follows a comma.
  newest, letter = line[:, first:], letters[:, first:]
  start = jnp.where(letter > 0, 0, newest + 1).astype(jnp.uint32)
  carry = (start,) * len(words), jnp.zeros(seen.shape, jnp.uint32), jnp.ones(seen.shape, bool)
  unroll = WORD_REACH if seen.shape[1] <= _FEW else _FEW
  return list(lax.fori_loop(0, WORD_REACH, step, carry, unroll=unroll)[0])


def _letters(ids: jax.Array) -> jax.Array:
  """One more than the id, capitals of ASCII as small letters, and 0 for what is of no word.

  Of words are letters, digits, underscores, and all bytes of characters beyond ASCII.
  """
  lower = ids | 32
  is_letter = (lower >= ord('a')) & (lower <= ord('z')) & (ids < 128)
  is_word = (is_letter | ((ids >= ord('0')) & (ids <= ord('9'))) | (ids == ord('_'))
             | ((ids >= 128) & (ids < 256)))
  return jnp.where(is_word, jnp.where(is_letter, lower, ids) + 1, 0).astype(jnp.uint32)


def _mixed(x: jax.Array) -> jax.Array:
  """The finaliser of MurmurHash3 (Appleby): all bits of the result depend on all bits of x."""
  x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
  x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
  return x ^ (x >> 16)
