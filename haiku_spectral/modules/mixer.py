"""All that the rest of the code may know of a mixer, in one record.

Shapes: B batch, T time (bytes), D width, L super-blocks, C bytes of a decode block.

A mixer has one module, whose call is the chunk call `(x, state) -> (y, state)`. Decoding calls the
same module with other operators: it reads a *cache*, which is cheap to extend by a byte, and
returns the *entries* by which the cache grows. A cache has two halves: the *block*, which a step
reads and appends to, and the *history*, which is touched once in C bytes, when a block is full.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import haiku as hk
import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops import conv_cache, slices

BLOCK = conv_cache.BLOCK
Make = Callable[..., Callable]  # (config, *, out_scale) -> a module.


class CachePart(Protocol):
  """How one part of a mixer's state is cached while bytes come one by one.

  A block is a NamedTuple with a field `filled` ([] int32), the bytes of it that were read. `clock`
  ([] int32) counts bytes from anywhere and is the same for all rows. A part without history has (),
  and so has one without a table.
  """

  period: int  # The clock counts modulo this power of two, at least C; tiles are no longer.

  def to_cache(self, state: Any, table: Any, clock: jax.Array) -> tuple[Any, Any]:
    """The block and the history, clock % C bytes into the block, from a state of the chunk call."""

  def append(self, block: Any, entries: Any) -> Any:
    """The block with the entries of T more bytes, for which it must have room."""

  def flush_history(
      self, block: Any, history: Any, table: Any, clock: jax.Array, tile: int
  ) -> tuple[Any, Any]:
    """Moves a full block into the history.

    Returns the history and its contribution to the next block, which starts at `clock`. `tile` is
    conv_cache.tile_size(clock, period), which the host knows: one program for each.
    """

  def flush_block(self, block: Any, contribution: Any) -> Any:
    """The next block after a full one."""

  def roll_back(self, block: Any, filled: jax.Array) -> Any:
    """The block when only its first `filled` bytes had been read; it forgets the others."""

  def from_cache(self, block: Any, history: Any, table: Any, clock: jax.Array) -> Any:
    """The state of the chunk call; `clock` is that of the block's start."""


class Cached(NamedTuple):
  """What a module reads in the place of a part of its state when it decodes."""

  block: Any
  table: Any  # What a module reads instead of the networks that make its filters.


class Mixer(NamedTuple):
  """A mixer. To add one, see docs/adding_a_mixer.md."""

  letter: str  # In the pattern of the config.
  name: str
  config: Callable[[Any], Any]  # ModelConfig -> the mixer's part of it.
  module: Make  # Its call: (x [B, T, D], state) -> (y [B, T, D], state).
  initial_state: Callable[..., Any]  # (config, batch_size, width, dtype) -> state, leaves [B, ...].
  flops: Callable[..., float]  # (config, width, segment) -> operations per byte, forward.
  # config -> bytes before a chunk that its output depends on, None: all. On a mesh the state of the
  # slice to the left suffices for a mixer whose reach is at most a slice.
  reach: Callable[[Any], int | None]
  parts: Callable[..., Any]  # (config, dtype) -> a tree like the state whose leaves are CacheParts.
  step: Make  # Its call: (x, the state with Cached parts) -> (y, the state's entries).
  tables: Make | None = None  # Its call: (x, state) -> (y, the state's tables); None: has none.
  # Whether it reads ids [B, T], once for the whole model: a memory in the place of x, the online
  # head beside x and the logits. See `mixers.readers`.
  reads_ids: bool = False
  # Whether its call takes `starts` ([B, T] bool) as well: a new stream begins with this byte, which
  # does not depend on what was before. One that does not keeps its reach across the start.
  takes_starts: bool = False
  # Its call: as that of `module`, inside a `shard_map` in which each device of the axis `sequence`
  # has a slice of time, x or ids, and the state before the first slice; it returns the state after
  # its own slice (`ops/slices` has what crosses). None: `ring`, slice after slice.
  crossing: Make | None = None
  # (config, width, cut, itemsize) -> the bytes that its call sends, with activations of `itemsize`
  # bytes; None with `ring`.
  crossing_bytes: Callable[..., slices.Sent] | None = None


class BlockPart(NamedTuple):
  """A CachePart without history: functions of `ops`."""

  to_block: Callable[..., Any]  # (state, filled) -> block
  from_block: Callable[..., Any]  # block -> state
  append: Callable[..., Any]
  roll_back: Callable[..., Any] = lambda block, filled: block._replace(filled=filled)
  period: int = BLOCK

  def to_cache(self, state, table, clock):
    del table
    return self.to_block(state, clock % BLOCK), ()

  def flush_history(self, block, history, table, clock, tile):
    del block, table, clock, tile
    return history, ()

  def flush_block(self, block, contribution):
    del contribution
    return self.to_block(self.from_block(block), jnp.zeros((), jnp.int32))

  def from_cache(self, block, history, table, clock):
    del history, table, clock
    return self.from_block(block)


class Snapshots(NamedTuple):
  """The whole state of a mixer after each byte of a block: a cache for any mixer of small state."""

  states: Any  # Leaves [B, 1 + C, ...]: after 0 .. C bytes of the block.
  filled: jax.Array  # [] int32


def _at(states: Any, place: jax.Array) -> Any:
  return jax.tree.map(
      lambda x: lax.dynamic_index_in_dim(x, place, axis=1, keepdims=False), states)


def _put(states: Any, new: Any, place: jax.Array) -> Any:
  return jax.tree.map(
      lambda old, new: lax.dynamic_update_slice_in_dim(old, new, place, axis=1), states, new)


def _snapshots(state: Any, filled: jax.Array) -> Snapshots:
  empty = jax.tree.map(lambda x: jnp.zeros((len(x), 1 + BLOCK, *x.shape[1:]), x.dtype), state)
  return Snapshots(_put(empty, jax.tree.map(lambda x: x[:, None], state), filled), filled)


def _append_snapshots(block: Snapshots, new: Any) -> Snapshots:  # new: leaves [B, T, ...]
  count = jax.tree.leaves(new)[0].shape[1]
  return Snapshots(_put(block.states, new, block.filled + 1), block.filled + count)


SNAPSHOTS = BlockPart(
    _snapshots, lambda block: _at(block.states, block.filled), _append_snapshots)


def by_snapshots(
    *, letter: str, name: str, config: Callable[[Any], Any], module: Make,
    initial_state: Callable[..., Any], flops: Callable[..., float],
    reach: Callable[[Any], int | None],
) -> Mixer:
  """A mixer that decodes by its chunk call, a byte at a time, and keeps each state of a block."""
  def step(config: Any, *, out_scale: float) -> Callable:
    one = module(config, out_scale=out_scale)

    def call(x: jax.Array, cached: Cached) -> tuple[jax.Array, Any]:
      state, outputs, states = _at(cached.block.states, cached.block.filled), [], []
      for t in range(x.shape[1]):
        y, state = one(x[:, t : t + 1], state)
        outputs.append(y)
        states.append(state)
      return jnp.concatenate(outputs, axis=1), jax.tree.map(
          lambda *x: jnp.stack(x, axis=1), *states)

    return call

  return Mixer(letter, name, config, module, initial_state, flops, reach,
               parts=lambda config, dtype: SNAPSHOTS, step=step)


def chunk_form(mixer: Mixer) -> Make:
  """The module of the chunk call: of a whole chunk, or of this device's slice of it."""
  if slices.axis_size(slices.AXIS) == 1:
    return mixer.module
  return mixer.crossing or ring(mixer)


def ring(mixer: Mixer) -> Make:
  """What crosses slices for a mixer that does not say: its states, from one slice to the next.

  Correct for any mixer; a slice waits for those to its left, as far as the mixer's reach. Every
  device computes all the while, so it costs as many calls as there are slices in reach.
  """
  def make(config: Any, *, out_scale: float) -> Callable:
    module = mixer.module(config, out_scale=out_scale)

    def call(x: jax.Array, state: Any, *starts: jax.Array) -> tuple[jax.Array, Any]:
      hops = _hops(mixer.reach(config), x.shape[1], slices.axis_size(slices.AXIS))

      def hop(before: Any, _: None) -> tuple[Any, None]:
        return slices.from_left(module(x, before, *starts)[1], state), None

      before, _ = hk.scan(hop, state, None, length=hops)
      return module(x, before, *starts)

    return call

  return make


def crossing_bytes(
    mixer: Mixer, config: Any, width: int, cut: slices.Cut, dtype: jax.typing.DTypeLike
) -> slices.Sent:
  """The bytes that a device sends in the call of a mixer of which it has a slice."""
  if mixer.crossing_bytes:
    return mixer.crossing_bytes(config, width, cut, jnp.dtype(dtype).itemsize)
  state = jax.eval_shape(lambda: mixer.initial_state(config, cut.rows, width, dtype))
  size = hk.data_structures.tree_bytes(state)
  return slices.Sent(float(size * _hops(mixer.reach(config), cut.length, cut.slices)))


def _hops(reach: int | None, length: int, count: int) -> int:
  """Over how many slices a state goes until it is that of a mixer's reach."""
  return count - 1 if reach is None else min(count - 1, -(-reach // length))


def is_part(node: Any) -> bool:
  """Whether a node of a tree of parts is a leaf of it."""
  return hasattr(node, 'flush_history')


def each(function: Callable[..., Any], parts: Any, *trees: Any) -> Any:
  """Applies a function to each part and the subtrees of `trees` at its place."""
  return jax.tree.map(function, parts, *trees, is_leaf=is_part)
