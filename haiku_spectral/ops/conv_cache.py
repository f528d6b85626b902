"""Causal convolution byte by byte, exact, at O(log^2 S) per byte instead of O(S).

Time is cut into blocks of C bytes. Inside a block an output is a sum over the block's own inputs,
plus the pending output: what all earlier blocks contribute to it, which is known when the block
begins. Tiles accumulate it: when n blocks are over, the last U = C 2^k inputs, 2^k the greatest
power that divides n, are added to the next U outputs by a transform of length 2 U. Every pair of an
input and a later output lies in exactly one tile, and a tile needs only known inputs (van der
Hoeven 2002, "Relax, but don't be too lazy"; Oncescu et al. 2024, "Flash Inference"). Tiles end at
the period P >= S - 1, beyond which taps are zero, so rings of P numbers suffice for an endless
stream.

Shapes: B batch, T time (bytes), D channels, S horizon (taps), C bytes of a block, P period,
U bytes of a tile.
"""

from collections.abc import Sequence
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from haiku_spectral.ops import fft_conv

BLOCK = 64


class LongBlock(NamedTuple):
  """A long convolution inside a block."""

  inputs: jax.Array  # [B, C, D] float32: of the block.
  pending: jax.Array  # [B, C, D] float32: contributions of inputs before the block to its outputs.
  filled: jax.Array  # [] int32: inputs of the block that are known.


class Ring(NamedTuple):
  """The history of a long convolution, the byte at clock n in place n mod P."""

  inputs: jax.Array  # [B, D, P] float32: the last P.
  pending: jax.Array  # [B, D, P] float32: what they contribute to later outputs.


class ShortBlock(NamedTuple):
  """A short convolution inside a block."""

  history: jax.Array  # [B, S - 1, D]: the last inputs.
  inputs: jax.Array  # [B, S - 1 + C, D]: before the block, then its own: for `roll_back_short`.
  filled: jax.Array  # [] int32


def period(horizon: int) -> int:
  """The least power of two that holds S - 1 inputs and a block."""
  return fft_conv.transform_size(max(horizon - 1, BLOCK))


def tile_size(clock: int, period: int) -> int:
  """Bytes of the tile that is due at `clock`, a multiple of the block."""
  return min(clock & -clock, period) if clock else period


def spectra(taps: jax.Array) -> tuple[jax.Array, ...]:  # [S, D] -> [D, U + 1] for each tile size
  """Transforms of the taps for tiles of C, 2 C, ... P bytes."""
  sizes = [BLOCK << k for k in range((period(taps.shape[0]) // BLOCK).bit_length())]
  return tuple(fft_conv.rfft(taps[:2 * size].T.astype(jnp.float32), 2 * size) for size in sizes)


def sliding(taps: jax.Array) -> jax.Array:  # [S, D] -> [2 C - 1, D]
  """The first C taps in reverse order, then zeros: the C rows from row C - 1 - i on are the factors
  of a block's inputs in its output i."""
  first = taps[:BLOCK].astype(jnp.float32)
  return jnp.pad(first, [(BLOCK - 1, BLOCK - first.shape[0]), (0, 0)])[::-1]


def long_conv(
    x: jax.Array,  # [B, T, D]
    sliding_taps: jax.Array,  # [2 C - 1, D]
    state: LongBlock,
) -> tuple[jax.Array, jax.Array]:  # [B, T, D], [B, T, D] float32
  """`fft_conv.causal_conv` for T bytes of a block; returns the entries for `append_long`, too."""
  chex.assert_rank([x, state.inputs], 3)
  chex.assert_equal_shape_suffix([x, state.inputs, sliding_taps], 1)
  block, length = state.inputs.shape[1], x.shape[1]
  new = x.astype(jnp.float32)
  pending = lax.dynamic_slice_in_dim(state.pending, state.filled, length, axis=1)
  known = jnp.where((jnp.arange(block) < state.filled)[:, None], state.inputs, 0)

  def from_block(t: int | jax.Array) -> jax.Array:  # [B, D]: the contribution to output t.
    taps = lax.dynamic_slice_in_dim(sliding_taps, block - 1 - state.filled - t, block)
    return jnp.sum(known * taps, axis=1)

  time = np.arange(length)
  if length == 1:  # Not by `vmap`, whose gather is slower than a slice.
    y = pending + from_block(0)[:, None]
  else:
    y = pending + jax.vmap(from_block, out_axes=1)(jnp.asarray(time))
  own = sliding_taps[block - 1 - time[:, None] + time]  # [T, T, D], zero above the diagonal.
  y += jnp.sum(own * new[:, None], axis=2)
  return y.astype(x.dtype), new


def short_conv(
    x: jax.Array,  # [B, T, D]
    taps: jax.Array,  # [S, D]
    state: ShortBlock,
) -> tuple[jax.Array, jax.Array]:  # [B, T, D], [B, T, D]
  """The same for a convolution that is summed directly."""
  y, _ = fft_conv.causal_conv(x, taps, fft_conv.ConvState(state.history))
  return y, x.astype(state.history.dtype)


def append_long(state: LongBlock, new: jax.Array) -> LongBlock:  # new: [B, T, D]
  """Appends T inputs; the block must have room for them."""
  inputs = lax.dynamic_update_slice_in_dim(state.inputs, new, state.filled, axis=1)
  return LongBlock(inputs, state.pending, state.filled + new.shape[1])


def append_short(state: ShortBlock, new: jax.Array) -> ShortBlock:  # new: [B, T, D]
  """The same for a short convolution."""
  reach = state.history.shape[1]
  history = jnp.concatenate([state.history, new], axis=1)[:, new.shape[1]:]
  inputs = lax.dynamic_update_slice_in_dim(state.inputs, new, state.filled + reach, axis=1)
  return ShortBlock(history, inputs, state.filled + new.shape[1])


def roll_back_short(state: ShortBlock, filled: jax.Array) -> ShortBlock:
  """Forgets all but the first `filled` bytes of the block."""
  reach = state.history.shape[1]
  history = lax.dynamic_slice_in_dim(state.inputs, filled, reach, axis=1)
  return ShortBlock(history, state.inputs, filled)


def short_to_cache(state: fft_conv.ConvState, filled: jax.Array) -> ShortBlock:
  """The decode cache of a short convolution, `filled` bytes into a block."""
  inputs = jnp.pad(state.history, [(0, 0), (0, BLOCK), (0, 0)])
  return ShortBlock(state.history, jnp.roll(inputs, filled, axis=1), filled)


def short_from_cache(state: ShortBlock) -> fft_conv.ConvState:
  """The state of the chunk call."""
  return fft_conv.ConvState(state.history)


def long_to_cache(
    state: fft_conv.ConvState, spectra: Sequence[jax.Array], clock: jax.Array
) -> tuple[Ring, LongBlock]:
  """The decode cache at any clock, as if the history had come byte by byte.

  `clock` is [] int32. The inputs of this period before it are known, so its tiles are computed
  here: one per bit of the number of blocks.
  """
  batch_size, length, channels = state.history.shape
  span = spectra[-1].shape[-1] - 1  # P
  clock = clock % span
  filled = clock % BLOCK
  start = clock - filled
  # The inputs at the clocks -P .. P - 1.
  line = jnp.zeros((batch_size, channels, 2 * span), jnp.float32)
  history = state.history.swapaxes(1, 2).astype(jnp.float32)
  line = lax.dynamic_update_slice_in_dim(line, history, span + clock - length, axis=2)

  pending = _tile(line[..., :span], spectra[-1])
  for spectrum in spectra[-2::-1]:
    size = spectrum.shape[-1] - 1
    before = start - start % (2 * size)
    inputs = lax.dynamic_slice_in_dim(line, span + before, size, axis=2)
    due = (start & size) > 0
    pending = _add(pending, jnp.where(due, _tile(inputs, spectrum), 0), before + size)

  old = jnp.arange(span) >= start
  ring = Ring(jnp.where(old, line[..., :span], line[..., span:]), pending)
  inputs = lax.dynamic_slice_in_dim(
      jnp.pad(line, [(0, 0), (0, 0), (0, BLOCK)]), span + start, BLOCK, axis=2)
  return ring, LongBlock(inputs.swapaxes(1, 2), _due(ring, start), filled)


def flush_long(
    ring: Ring, inputs: jax.Array, spectrum: jax.Array, clock: jax.Array
) -> tuple[Ring, jax.Array]:  # [B, C, D]
  """Moves the inputs [B, C, D] of a full block into the history.

  Returns the pending outputs of the block that starts at `clock` ([] int32); `spectrum` is that of
  the tile that is due then.
  """
  span, size = ring.inputs.shape[-1], spectrum.shape[-1] - 1
  inputs = lax.dynamic_update_slice_in_dim(
      ring.inputs, inputs.swapaxes(1, 2), (clock - BLOCK) % span, axis=2)
  tile = _tile(lax.dynamic_slice_in_dim(inputs, (clock - size) % span, size, axis=2), spectrum)
  pending = tile if size == span else _add(ring.pending, tile, clock % span)
  ring = Ring(inputs, pending)
  return ring, _due(ring, clock)


def next_long_block(pending: jax.Array) -> LongBlock:  # [B, C, D]
  """A block without inputs."""
  return LongBlock(jnp.zeros_like(pending), pending, jnp.zeros((), jnp.int32))


def long_from_cache(
    ring: Ring, block: LongBlock, clock: jax.Array, horizon: int, dtype: jax.typing.DTypeLike
) -> fft_conv.ConvState:
  """The state of the chunk call; `clock` is that of the block's start."""
  before = jnp.roll(ring.inputs, -clock % ring.inputs.shape[-1], axis=2).swapaxes(1, 2)
  known = jnp.concatenate([before, block.inputs], axis=1)
  start = before.shape[1] + block.filled - (horizon - 1)
  history = lax.dynamic_slice_in_dim(known, start, horizon - 1, axis=1)
  return fft_conv.ConvState(history.astype(dtype))


def _tile(inputs: jax.Array, spectrum: jax.Array) -> jax.Array:  # [B, D, U] -> [B, D, U]
  """Contributions of U inputs to the U outputs after them."""
  size = inputs.shape[-1]
  return fft_conv.irfft(fft_conv.rfft(inputs, 2 * size) * spectrum, 2 * size)[..., size:]


def _add(pending: jax.Array, tile: jax.Array, place: jax.Array) -> jax.Array:
  old = lax.dynamic_slice_in_dim(pending, place, tile.shape[-1], axis=2)
  return lax.dynamic_update_slice_in_dim(pending, old + tile, place, axis=2)


def _due(ring: Ring, clock: jax.Array) -> jax.Array:  # [B, C, D]
  """Pending outputs of the block that starts at `clock`."""
  place = clock % ring.pending.shape[-1]
  return lax.dynamic_slice_in_dim(ring.pending, place, BLOCK, axis=2).swapaxes(1, 2)
