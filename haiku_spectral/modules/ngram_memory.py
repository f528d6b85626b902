"""Exact memory: what followed the last bytes before, with learnt trust.

The tables are integers without parameters (`ops/ngram_memory`). The model meets what they know
twice: the first layer gets, per order, a vector of the newest follower and of how reliable the
order is; and the followers raise or lower their own logits by gates that see the last hidden state
(the pointer of Merity et al. 2016; the mixing of PAQ, Mahoney 2005).

Shapes: B batch, T time (bytes), D width, V the 260 ids, O contexts, K followers, R trust levels.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.config import NgramConfig, schema
from haiku_spectral.modules import layers
from haiku_spectral.modules.mixer import BlockPart, Cached, Mixer
from haiku_spectral.ops import (
  block_lines,
  lookup,
  ngram_cache,
  ngram_contexts,
  ngram_crossing,
  ngram_memory,
  slices,
)
from haiku_spectral.ops.ngram_memory import NgramReads, NgramState

# Agreement of the followers (none, one, two equal, two different, ...) times lengths of streaks.
AGREEMENTS, STREAKS = 8, ngram_memory.MAX_STREAK + 1
TRUST_LEVELS = AGREEMENTS * STREAKS
SHORT_ORDER = 4  # Contexts of so few bytes come again and again: no table forgets them.


class NgramMemory(hk.Module):
  """Reads and stores a chunk of ids. Without parameters."""

  def __init__(self, config: NgramConfig, *, out_scale: float, operator: Callable | None = None,
               name: str = 'ngram_memory'):
    super().__init__(name=name)
    del out_scale
    self._config = config
    self._operator = operator or ngram_memory.read

  def __call__(
      self, ids: jax.Array, state: Any, starts: jax.Array | None = None  # [B, T]
  ) -> tuple[NgramReads, Any]:
    how = _how(self._config)
    if starts is not None:
      how['starts'] = starts
    return self._operator(ids, state, **how)


class NgramInput(hk.Module):
  """The newest follower of each order, and how far to trust it, as a part of the first input."""

  def __init__(self, config: NgramConfig, *, name: str = 'ngram_input'):
    super().__init__(name=name)
    self._config = config

  def __call__(self, reads: NgramReads, width: int, dtype: Any) -> jax.Array:  # [B, T, D]
    orders, vector = reads.counts.shape[2], self._config.width
    normal = hk.initializers.RandomNormal()
    bytes_table = hk.get_parameter('bytes', (256, vector), init=normal)
    trust_table = hk.get_parameter('trust', (orders, TRUST_LEVELS, vector), init=normal)
    gate_table = hk.get_parameter('gate', (orders, TRUST_LEVELS), init=jnp.ones)
    level = trust(reads)
    gate = jnp.where(reads.counts > 0, _per_order(gate_table, level), 0)
    vectors = lookup.lookup(
        bytes_table.astype(jnp.float32), reads.followers[..., 0]) * gate[..., None]
    vectors += _per_order(trust_table, level)
    flat = vectors.astype(dtype).reshape(*vectors.shape[:2], orders * vector)
    return layers.Projection(width, name='out')(flat)


class NgramLogits(hk.Module):
  """What the followers add to their own logits."""

  def __call__(self, reads: NgramReads, x: jax.Array) -> jax.Array:  # [B, T, D] -> [B, T, V]
    orders, followers = reads.followers.shape[2:]
    table = hk.get_parameter('gate', (orders, TRUST_LEVELS, followers), init=jnp.zeros)
    hidden = layers.Projection(orders * followers, scale=0.0, name='hidden')(x)
    gate = _per_order(table, trust(reads))
    gate += hidden.astype(jnp.float32).reshape(gate.shape)
    known = jnp.arange(followers) < reads.counts[..., None]
    gate = jnp.where(known, gate, 0).reshape(*x.shape[:2], -1)
    return lookup.spread(reads.followers.reshape(gate.shape), gate, vocab.SIZE)


def joined(recalled: Sequence[NgramReads]) -> NgramReads:
  """The reads of several memories as those of one with all their contexts."""
  most = max(reads.followers.shape[3] for reads in recalled)

  def padded(followers: jax.Array) -> jax.Array:
    return jnp.pad(followers, [(0, 0)] * 3 + [(0, most - followers.shape[3])])

  recalled = [reads._replace(followers=padded(reads.followers)) for reads in recalled]
  return jax.tree.map(lambda *x: jnp.concatenate(x, axis=2), *recalled)


def hide_long(
    reads: NgramReads, config: NgramConfig, rows: jax.Array) -> NgramReads:  # [B] bool
  """Reads of these and other memories, as if some rows had long contexts for the first time."""
  chosen = contexts(config)
  is_long = np.zeros(reads.counts.shape[2], bool)
  is_long[:chosen.size] = [n > SHORT_ORDER for n in chosen.orders] + [True] * len(chosen.words)
  gone = rows[:, None, None] & is_long
  counts, streak = (jnp.where(gone, 0, x) for x in (reads.counts, reads.streak))
  return reads._replace(counts=counts, streak=streak)


def trust(reads: NgramReads) -> jax.Array:  # [B, T, O] int32, below R
  """How reliable an order is, as a number: agreement of its followers, and its streak."""
  newest, *others = jnp.moveaxis(reads.followers, -1, 0)
  level = reads.counts > 0
  agreement = level.astype(jnp.int32)
  for place, other in enumerate(others, 2):  # 1, then 2 .. 3, then 4 .. 7.
    known = reads.counts >= place
    agreement = jnp.where(known, 2 * agreement + (other == newest), agreement)
  return agreement * STREAKS + reads.streak


def _per_order(table: jax.Array, level: jax.Array) -> jax.Array:
  """[O, R, ...] at [B, T, O] -> [B, T, O, ...] float32: the gradient adds thousands into one."""
  return table.astype(jnp.float32)[jnp.arange(table.shape[0]), level]


def initial_state(config: NgramConfig, batch_size: int, width: int, dtype: Any) -> NgramState:
  """The state of an empty context."""
  del width, dtype
  return ngram_memory.initial_state(batch_size, contexts(config), config.slots)


def flops(config: NgramConfig, width: int, segment: int) -> float:
  """Products of the modules that use what was read, per byte forward."""
  del segment
  return 2 * width * contexts(config).size * (config.width + config.followers)


def crossing_bytes(
    config: NgramConfig, width: int, cut: slices.Cut, itemsize: int) -> slices.Sent:
  """The last ids, the tables, how long a stream is and how long the streaks are."""
  del width, itemsize
  chosen = contexts(config)
  counts = slices.COUNT_BYTES * (1 + chosen.size)
  return slices.Sent(
      0.0, cut.tail(chosen.reach, 4) + cut.scan(4 * chosen.size * config.slots + 1 + counts))


def contexts(config: NgramConfig) -> ngram_contexts.Contexts:
  """What is looked up."""
  return ngram_contexts.Contexts(
      schema.parse_orders(config.orders), schema.parse_words(config.words))


def _step(ids: jax.Array, cached: Cached, **how: Any) -> tuple[NgramReads, ngram_cache.Entries]:
  return ngram_cache.read(ids, cached.block, **how)


def _how(config: NgramConfig) -> dict[str, Any]:
  return {'contexts': contexts(config), 'followers': config.followers}


def _parts(config: NgramConfig, dtype: Any) -> BlockPart:
  del dtype
  to_cache, from_cache = (
      functools.partial(function, **_how(config))
      for function in (ngram_cache.to_cache, ngram_cache.from_cache))
  return BlockPart(to_cache, from_cache, block_lines.append)


MIXER = Mixer(
    letter='', name='NgramMemory', config=lambda model: model.ngram, module=NgramMemory,
    initial_state=initial_state, flops=flops, reach=lambda config: None, parts=_parts,
    step=functools.partial(NgramMemory, operator=_step), reads_ids=True, takes_starts=True,
    crossing=functools.partial(NgramMemory, operator=ngram_crossing.read),
    crossing_bytes=crossing_bytes)
