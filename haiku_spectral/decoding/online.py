"""Reading and writing byte by byte at a cost that never grows: what happens between two contexts.

A context at rest is resumed, read or written on, and put to rest again; the numbers are those of
the chunk call, at any byte. Whatever reads or writes on uses up the memory of the `Running` that it
is given: go on with what it returns.

Shapes: B rows, T time (bytes), V the 260 ids of the vocabulary, R recent ids, C bytes of a block.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from haiku_spectral.config import ModelConfig
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.modules import online, spectral_gpt
from haiku_spectral.ops import online_conv

BLOCK = online.BLOCK
FEW = 8  # Ids in one call.
# XLA's library for products on CPUs packs both sides anew at each call, which costs more than a
# product with a single row. Other backends do not read this.
COMPILER_OPTIONS = {'xla_cpu_experimental_ynn_fusion_type': ''}


class Block(NamedTuple):
  """All that a byte touches, for B rows that are at the same place of their blocks."""

  state: spectral_gpt.State
  logits: jax.Array  # [B, 1 + C, V] float32: the prediction after 0 .. C bytes of the block.
  ids: jax.Array  # [B, R + C] int32: those before the block, then its own.
  position: jax.Array  # [B] int32: ids read before the block.


class Running(NamedTuple):
  """B contexts between bytes. The numbers are the host's."""

  block: Block
  past: online.Past
  clock: int  # At the block's start; a multiple of C, the same for all rows.
  filled: int  # Bytes of the block that were read; C until something more is.


class Decoder:
  """A model and its parameters, made ready for reading and writing."""

  def __init__(self, config: ModelConfig, params: Any) -> None:
    self.config = config
    self.model = spectral_gpt.make_model(config)
    self.params = params
    # For `step`, in place of `params`.
    self.online_params, self._filters = online.prepare(config, params)
    modal = config.hyena.filter.kind == 'modal'  # Which has no tiles.
    self._period = BLOCK if modal else online_conv.period(config.hyena.filter.horizon)

  @property
  def dtype(self) -> jnp.dtype:
    """Of the layers and of the state."""
    return self.params['spectral_gpt/embedding']['table'].dtype

  def resume(self, context: context_lib.Context, clock: int = 0) -> Running:
    """From rest to running. Rows that join others must begin at their clock + filled."""
    block, past = _resume(self.config, self._filters, context, clock % self._period)
    return Running(block, past, clock - clock % BLOCK, clock % BLOCK)

  def rest(self, running: Running) -> context_lib.Context:
    """From running to rest; what runs may go on."""
    return _rest(self.config, self.dtype, self._filters, *running)

  def room(self, running: Running) -> Running:
    """With room for a byte at least: a full block is folded into the past."""
    if running.filled < BLOCK:
      return running
    clock = running.clock + BLOCK
    past, pending = _tiles(
        self.config, online_conv.tile_size(clock, self._period), self._filters,
        running.block.state, running.past, clock % self._period)
    return Running(_fold(self.config, running.block, pending), past, clock, 0)

  def read(self, running: Running, ids: np.ndarray) -> Running:  # [B, T]
    """Reads T ids in each row, a few in each call. For many `prefill` is faster."""
    while ids.shape[1]:
      running = self.room(running)
      room = min(ids.shape[1], BLOCK - running.filled)
      now, ids = np.split(ids, [FEW if room >= FEW else 1], axis=1)
      block = _read(self.config, self.online_params, running.block, now, running.filled)
      running = running._replace(block=block, filled=running.filled + now.shape[1])
    return running

  def seek(self, running: Running, filled: int) -> Running:
    """Takes back all but the first `filled` bytes of the block; they were read since `resume`."""
    if filled == running.filled:
      return running
    return running._replace(block=_seek(self.config, running.block, filled), filled=filled)

  def insert(self, running: Running, row: Running, place: int) -> Running:
    """Puts another row in the place of one. `row` was resumed at the clock of the others."""
    block, past = _insert(
        (running.block, running.past), (row.block, row.past), place)
    return running._replace(block=block, past=past)


def prediction(running: Running) -> jax.Array:  # [B, V]
  """The logits of the next byte."""
  return running.block.logits[:, running.filled]


def step(
    config: ModelConfig, params: Any, block: Block, ids: jax.Array, filled: jax.Array
) -> Block:
  """Reads ids [B, T] behind the `filled` ([] int32) of the block, which must have room for them."""
  logits, new = spectral_gpt.make_model(config).apply(params, ids, block.state)
  return block._replace(
      state=online.append(config, block.state, new, logits),
      logits=lax.dynamic_update_slice_in_dim(block.logits, logits, filled + 1, axis=1),
      ids=lax.dynamic_update_slice_in_dim(block.ids, ids, filled + context_lib.RECENT, axis=1))


def recent(block: Block, filled: jax.Array) -> jax.Array:  # [B, R]
  """The last R ids."""
  return lax.dynamic_slice_in_dim(block.ids, filled, context_lib.RECENT, axis=1)


@functools.partial(
    jax.jit, static_argnums=0, donate_argnums=2, compiler_options=COMPILER_OPTIONS)
def _read(config, params, block, ids, filled):
  return step(config, params, block, ids, filled)


@functools.partial(jax.jit, static_argnums=0)
def _resume(config, filters, context, clock):
  running = online.resume(config, filters, context.state, clock)
  filled = clock % BLOCK

  def line(x: jax.Array) -> jax.Array:  # [B, N, ...] -> [B, N + C, ...], moved to `filled`
    room = [(0, 0), (0, BLOCK)] + [(0, 0)] * (x.ndim - 2)
    return jnp.roll(jnp.pad(x, room), filled, axis=1)

  block = Block(
      running.block, line(context.logits[:, jnp.newaxis]), line(context.recent),
      context.position - filled)
  return block, running.past


@functools.partial(jax.jit, static_argnums=(0, 1))
def _rest(config, dtype, filters, block, past, clock, filled):
  state = online.rest(config, filters, online.Online(block.state, past), clock, dtype)
  logits = lax.dynamic_index_in_dim(block.logits, filled, axis=1, keepdims=False)
  return context_lib.Context(state, logits, block.position + filled, recent(block, filled))


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=4)
def _tiles(config, tile, filters, state, past, clock):
  return online.tiles(config, filters, online.Online(state, past), clock, tile=tile)


@functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
def _fold(config, block, pending):
  state = online.fold(config, block.state, pending)
  ids = jnp.roll(block.ids, -BLOCK, axis=1)
  logits = jnp.roll(block.logits, -BLOCK, axis=1)
  return Block(state, logits, ids, block.position + BLOCK)


@functools.partial(jax.jit, static_argnums=0)
def _seek(config, block, filled):
  return block._replace(state=online.seek(config, block.state, filled))


@functools.partial(jax.jit, donate_argnums=0)
def _insert(all_rows, row, place):
  def insert(path: tuple, rows: jax.Array, row: jax.Array) -> jax.Array:
    in_state = path[0].idx == 1 or path[1] == jax.tree_util.GetAttrKey('state')
    axis = spectral_gpt.BATCH_AXIS if in_state else 0
    if rows.ndim <= axis:  # `filled`, which is the same for all.
      return rows
    return lax.dynamic_update_slice_in_dim(rows, row, place, axis=axis)

  return jax.tree_util.tree_map_with_path(insert, all_rows, row)
