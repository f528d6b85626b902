"""Decoding byte by byte at a cost that does not grow: from a context to a cache and back.

A context becomes a cache, is extended or generated from, and becomes a context again, at any byte;
the numbers are those of the chunk call. Whatever extends a cache uses up its memory: go on with the
one that it returns.

Shapes: B rows, T time (bytes), V the 260 ids of the vocabulary, R recent ids, C bytes of a block.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from haiku_spectral import backend
from haiku_spectral.config import ModelConfig
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.modules import decode_cache, precision, spectral_gpt

BLOCK = decode_cache.BLOCK
FEW = 8  # Ids in one call.
jit = functools.partial(backend.jit, backend.decoding_options)


class Block(NamedTuple):
  """All that a byte touches, for B rows that are at the same place of their blocks."""

  state: decode_cache.Block
  logits: jax.Array  # [B, 1 + C, V] float32: the prediction after 0 .. C bytes of the block.
  ids: jax.Array  # [B, R + C] int32: those before the block, then its own.
  position: jax.Array  # [B] int32: ids before the block.


class Cache(NamedTuple):
  """B contexts while decoding. The numbers are the host's."""

  block: Block
  history: decode_cache.History
  clock: int  # At the block's start; a multiple of C, the same for all rows.
  filled: int  # Bytes of the block that are known; C until it is flushed by `reserve`.


class Decoder:
  """A model and its parameters, prepared for decoding."""

  def __init__(self, config: ModelConfig, params: Any) -> None:
    self.config = config
    self.model = spectral_gpt.make_model(config)
    self.params = params
    self.decode_params = decode_cache.prepare(config, params)  # For `step`.
    self._period = decode_cache.period(config)

  @property
  def dtype(self) -> jnp.dtype:
    """Of the layers and of the state."""
    return precision.layer_dtype(self.params)

  def to_cache(self, context: context_lib.Context, clock: int = 0) -> Cache:
    """Rows that join others must start at the others' clock + filled."""
    block, history = _to_cache(
        self.config, self.decode_params, context, clock % self._period)
    return Cache(block, history, clock - clock % BLOCK, clock % BLOCK)

  def from_cache(self, cache: Cache) -> context_lib.Context:
    """The contexts; the cache stays valid."""
    return _from_cache(
        self.config, self.dtype, self.decode_params,
        *cache._replace(clock=cache.clock % self._period))

  def reserve(self, cache: Cache) -> Cache:
    """With room for at least one byte: a full block is flushed into the history."""
    if cache.filled < BLOCK:
      return cache
    clock = cache.clock + BLOCK
    history, contribution = _flush_history(
        self.config, decode_cache.tile_size(self.config, clock), self.decode_params,
        cache.block.state, cache.history, clock % self._period)
    return Cache(_flush_block(self.config, cache.block, contribution), history, clock, 0)

  def extend(self, cache: Cache, ids: np.ndarray) -> Cache:  # [B, T]
    """Appends T ids to each row, a few in each call. For many `prefill` is faster."""
    while ids.shape[1]:
      cache = self.reserve(cache)
      free = min(ids.shape[1], BLOCK - cache.filled)
      now, ids = np.split(ids, [FEW if free >= FEW else 1], axis=1)
      block = _extend(self.config, self.decode_params, cache.block, now, cache.filled)
      cache = cache._replace(block=block, filled=cache.filled + now.shape[1])
    return cache

  def roll_back(self, cache: Cache, filled: int) -> Cache:
    """Forgets all but the first `filled` bytes of the block, appended since `to_cache`."""
    if filled == cache.filled:
      return cache
    return cache._replace(block=_roll_back(self.config, cache.block, filled), filled=filled)

  def insert(self, cache: Cache, row: Cache, place: int) -> Cache:
    """Replaces a row. `row` starts at the clock of the others."""
    block, history = _insert((cache.block, cache.history), (row.block, row.history), place)
    return cache._replace(block=block, history=history)


def next_logits(cache: Cache) -> jax.Array:  # [B, V]
  """The logits of the next byte."""
  return cache.block.logits[:, cache.filled]


def step(
    config: ModelConfig, params: decode_cache.DecodeParams, block: Block, ids: jax.Array,  # [B, T]
    filled: jax.Array,  # [] int32
) -> Block:
  """Appends ids after the `filled` bytes of the block, which must have room for them."""
  logits, state = decode_cache.step(config, params, block.state, ids)
  return block._replace(
      state=state,
      logits=lax.dynamic_update_slice_in_dim(block.logits, logits, filled + 1, axis=1),
      ids=lax.dynamic_update_slice_in_dim(block.ids, ids, filled + context_lib.RECENT, axis=1))


def recent(block: Block, filled: jax.Array) -> jax.Array:  # [B, R]
  """The last R ids."""
  return lax.dynamic_slice_in_dim(block.ids, filled, context_lib.RECENT, axis=1)


@jit(static_argnums=0, donate_argnums=2)
def _extend(config, params, block, ids, filled):
  return step(config, params, block, ids, filled)


@functools.partial(jax.jit, static_argnums=0)
def _to_cache(config, params, context, clock):
  cache = decode_cache.to_cache(config, params, context.state, clock)
  filled = clock % BLOCK

  def place(x: jax.Array) -> jax.Array:  # [B, N, ...] -> [B, N + C, ...], moved to `filled`
    padding = [(0, 0), (0, BLOCK)] + [(0, 0)] * (x.ndim - 2)
    return jnp.roll(jnp.pad(x, padding), filled, axis=1)

  block = Block(
      cache.block, place(context.logits[:, jnp.newaxis]), place(context.recent),
      context.position - filled)
  return block, cache.history


@functools.partial(jax.jit, static_argnums=(0, 1))
def _from_cache(config, dtype, params, block, history, clock, filled):
  state = decode_cache.from_cache(
      config, params, decode_cache.DecodeCache(block.state, history), clock, dtype)
  logits = lax.dynamic_index_in_dim(block.logits, filled, axis=1, keepdims=False)
  return context_lib.Context(state, logits, block.position + filled, recent(block, filled))


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=4)
def _flush_history(config, tile, params, block, history, clock):
  cache = decode_cache.DecodeCache(block, history)
  return decode_cache.flush_history(config, params, cache, clock, tile=tile)


@functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
def _flush_block(config, block, contribution):
  state = decode_cache.flush_block(config, block.state, contribution)
  ids = jnp.roll(block.ids, -BLOCK, axis=1)
  logits = jnp.roll(block.logits, -BLOCK, axis=1)
  return Block(state, logits, ids, block.position + BLOCK)


@functools.partial(jax.jit, static_argnums=0)
def _roll_back(config, block, filled):
  return block._replace(state=decode_cache.roll_back(config, block.state, filled))


@functools.partial(jax.jit, donate_argnums=0)
def _insert(cache, row, place):
  def insert(path: tuple, rows: jax.Array, row: jax.Array) -> jax.Array:
    in_state = path[0].idx == 1 or path[1] == jax.tree_util.GetAttrKey('state')
    axis = spectral_gpt.BATCH_AXIS if in_state else 0
    if rows.ndim <= axis:  # `filled`, which is the same for all.
      return rows
    return lax.dynamic_update_slice_in_dim(rows, row, place, axis=axis)

  return jax.tree_util.tree_map_with_path(insert, cache, row)
