"""Count memory: a distribution over the next byte from what followed short contexts so far.

The tables are integers without parameters (`ops/count_memory`). The followers of all orders are
mixed from the longest context to the shortest as PPM does (Cleary and Witten 1984), with absolute
discounting as Kneser and Ney (1995) have it; discounts, escapes and the weight of what is recent
are learnt, and the escapes see the last hidden state. The logarithm of this distribution, times a
learnt weight, is added to the logits: a product of experts, as PAQ mixes (Mahoney 2005).

Shapes: B batch, T time (bytes), D width, V the 260 ids, O contexts, K followers.
"""

import functools
from collections.abc import Callable
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral import vocab
from haiku_spectral.config import CountsConfig, schema
from haiku_spectral.modules import layers
from haiku_spectral.modules.mixer import BlockPart, Cached, Mixer
from haiku_spectral.ops import block_lines, count_cache, count_memory, lookup, ngram_contexts
from haiku_spectral.ops.count_memory import CountReads, CountState

# Of a new model: discount of a byte that followed, mass of the shorter contexts, weight of the log.
DISCOUNT, MASS, WEIGHT = 0.75, 0.3, 0.15
GAIN = 10.0  # How much faster they are learnt than others, whose rates are low late in a training.
NUMBERS = (1, 2, 4, 8, 16, 32)  # Escapes differ by how many followers there are: up to 1, 2, ...
KINDS = (1, 2, 4, 8)  # And by how many different ones.


class CountMemory(hk.Module):
  """Reads and stores a chunk of ids. Without parameters."""

  def __init__(self, config: CountsConfig, *, out_scale: float, operator: Callable | None = None,
               name: str = 'count_memory'):
    super().__init__(name=name)
    del out_scale
    self._config = config
    self._operator = operator or count_memory.read

  def __call__(
      self, ids: jax.Array, state: Any, starts: jax.Array | None = None  # [B, T]
  ) -> tuple[CountReads, Any]:
    how = {} if starts is None else {'starts': starts}
    return self._operator(ids, state, contexts=contexts(self._config), **how)


class CountLogits(hk.Module):
  """The mixed distribution's weighted logarithm, to be added to the logits."""

  def __call__(self, reads: CountReads, x: jax.Array) -> jax.Array:  # [B, T, D] -> [B, T, V]
    orders, followers = reads.followers.shape[2:]
    recency, discount, table, weights = (
        GAIN * hk.get_parameter(name, shape, init=jnp.zeros).astype(jnp.float32)
        for name, shape in (
            ('recency', (orders, followers)), ('discount', (orders,)),
            ('escape', (orders, len(NUMBERS) + 1, len(KINDS) + 1)), ('weight', (orders + 1,))))
    hidden = layers.Projection(orders + 1, scale=0.0, name='hidden')(x).astype(jnp.float32)

    is_new = newest_of_kind(reads)
    discounts = jax.nn.sigmoid(_logit(DISCOUNT) + discount)
    share = jnp.exp(recency) * (1 - discounts[:, None] * is_new)
    share = jnp.where(jnp.arange(followers) < reads.counts[..., None], share, 0)
    share /= jnp.maximum(jnp.sum(share, axis=-1, keepdims=True), 1e-9)

    number, kinds = reads.counts, jnp.sum(is_new, axis=-1)
    expected = _logit((DISCOUNT * kinds + MASS) / (number + MASS + (number == 0)))
    learnt = table[jnp.arange(orders), _level(number, NUMBERS), _level(kinds, KINDS)]
    escape = jnp.where(
        number > 0, jax.nn.sigmoid(expected + learnt + hidden[..., :orders]), 1)
    # What reaches an order has escaped from all longer ones.
    reaches = jnp.cumprod(escape[..., ::-1], axis=-1)[..., ::-1]
    given = jnp.concatenate(
        [reaches[..., 1:], jnp.ones_like(reaches[..., :1])], axis=-1) * (1 - escape)
    mixed = lookup.spread(
        reads.followers.reshape(*x.shape[:2], -1),
        (given[..., None] * share).reshape(*x.shape[:2], -1), vocab.SIZE)
    mixed += reaches[..., :1] / vocab.SIZE
    longest = jnp.max(jnp.where(number > 0, jnp.arange(1, orders + 1), 0), axis=-1)
    weight = WEIGHT + weights[longest] + hidden[..., orders]
    return weight[..., None] * jnp.log(mixed)


def newest_of_kind(reads: CountReads) -> jax.Array:  # [B, T, O, K] bool
  """Which followers are the newest of their byte."""
  bytes_of = reads.followers.astype(jnp.uint8)
  again = jnp.zeros(bytes_of.shape, bool)
  for back in range(1, bytes_of.shape[-1]):
    same = bytes_of[..., back:] == bytes_of[..., :-back]
    again |= jnp.pad(same, [(0, 0)] * 3 + [(back, 0)])
  return ~again & (jnp.arange(bytes_of.shape[-1]) < reads.counts[..., None])


def _logit(p: Any) -> jax.Array:
  return jnp.log(p) - jnp.log1p(-p)


def _level(x: jax.Array, bounds: tuple[int, ...]) -> jax.Array:
  """How many of the bounds a number is above."""
  return jnp.sum(x[..., None] > jnp.array(bounds), axis=-1)


def contexts(config: CountsConfig) -> ngram_contexts.Contexts:
  """What is looked up."""
  return ngram_contexts.Contexts(
      schema.parse_orders(config.orders, 'config.model.counts.orders'))


def initial_state(config: CountsConfig, batch_size: int, width: int, dtype: Any) -> CountState:
  """The state of an empty context."""
  del width, dtype
  return count_memory.initial_state(
      batch_size, contexts(config), config.slots, config.followers)


def flops(config: CountsConfig, width: int, segment: int) -> float:
  """Products of the module that uses what was read, per byte forward."""
  del segment
  return 2 * width * (contexts(config).size + 1)


def _step(ids: jax.Array, cached: Cached, **how: Any) -> tuple[CountReads, count_cache.Entries]:
  return count_cache.read(ids, cached.block, **how)


def _parts(config: CountsConfig, dtype: Any) -> BlockPart:
  del dtype
  to_cache, from_cache = (
      functools.partial(function, contexts=contexts(config))
      for function in (count_cache.to_cache, count_cache.from_cache))
  return BlockPart(to_cache, from_cache, block_lines.append)


MIXER = Mixer(
    letter='', name='CountMemory', config=lambda model: model.counts, module=CountMemory,
    initial_state=initial_state, flops=flops, reach=lambda config: None, parts=_parts,
    step=functools.partial(CountMemory, operator=_step), reads_ids=True, takes_starts=True)
