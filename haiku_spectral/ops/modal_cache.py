"""A convolution whose taps are sums of exponentials, by blocks: O(N) per byte and channel.

Inside a block it is `conv_cache.long_conv`. Between blocks the history is one number per mode.

Shapes: B batch, D channels, N modes, C bytes of a block.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from haiku_spectral.ops.conv_cache import BLOCK, LongBlock

_einsum = functools.partial(jnp.einsum, precision='highest')


class Modes(NamedTuple):
  """The taps h[t] = Re sum_n c_n p_n^t of every channel."""

  weights: jax.Array  # [D, N] complex64: c.
  powers: jax.Array  # [C + 1, D, N] complex64: p^0 .. p^C.


class ModalHistory(NamedTuple):
  """The modes' sums z_t = p z_{t-1} + x_t after `start` bytes of the block."""

  modes: jax.Array  # [B, 2, D, N] float32: real and imaginary parts.
  start: jax.Array  # [B] int32: above 0 only for a row that joined inside the block.


def to_cache(
    modes: jax.Array, table: Modes, filled: jax.Array
) -> tuple[ModalHistory, LongBlock]:
  """The decode cache `filled` bytes into a block, all of them in the modes already."""
  batch_size, _, channels, _ = modes.shape
  nothing = jnp.zeros((batch_size, BLOCK, channels))
  pending = jnp.roll(_due(modes, table), filled, axis=1)
  return ModalHistory(modes, jnp.full(batch_size, filled)), LongBlock(nothing, pending, filled)


def flush(
    history: ModalHistory, inputs: jax.Array, table: Modes
) -> tuple[ModalHistory, jax.Array]:  # [B, C, D]
  """Moves the inputs [B, C, D] of a full block into the history.

  Returns the pending outputs of the next block.
  """
  modes = from_cache(history, inputs, table, BLOCK)
  return ModalHistory(modes, jnp.zeros_like(history.start)), _due(modes, table)


def from_cache(
    history: ModalHistory, inputs: jax.Array, table: Modes, filled: int | jax.Array
) -> jax.Array:  # [B, 2, D, N]
  """The modes' sums after the first `filled` inputs of the block."""
  since = filled - 1 - jnp.arange(BLOCK)  # [C]: the age of each input.
  # Inputs before a row's start are zero; those that were rolled back must not count.
  aged = jnp.where((since >= 0)[:, None, None], table.powers[jnp.maximum(since, 0)], 0)
  gathered = _einsum('bkd,kdn->bdn', inputs.astype(jnp.complex64), aged)
  held = history.modes[:, 0] + 1j * history.modes[:, 1]
  held = table.powers[filled - history.start] * held + gathered
  return jnp.stack([held.real, held.imag], axis=1)


def _due(modes: jax.Array, table: Modes) -> jax.Array:  # [B, C, D]
  """Contributions of the history to the next C outputs."""
  held = (modes[:, 0] + 1j * modes[:, 1]) * table.weights
  return _einsum('bdn,kdn->bkd', held, table.powers[1:]).real
