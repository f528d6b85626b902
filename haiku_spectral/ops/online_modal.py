"""A convolution whose taps are sums of exponentials, block by block: O(N) a byte and channel.

Inside a block it is `online_conv.long_conv`. Between blocks the past is one number for each mode.

Shapes: B batch, D channels, N modes, C bytes of a block.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from haiku_spectral.ops.online_conv import BLOCK, Block


class Modes(NamedTuple):
  """The taps h[t] = Re sum_n c_n p_n^t of every channel."""

  weights: jax.Array  # [D, N] complex64: c.
  powers: jax.Array  # [C + 1, D, N] complex64: p^0 .. p^C.


class Past(NamedTuple):
  """What the modes have gathered, z_t = p z_{t-1} + x_t, after `start` bytes of the block."""

  modes: jax.Array  # [B, 2, D, N] float32: real and imaginary parts.
  start: jax.Array  # [B] int32: above 0 only for a row that began inside the block.


def resume(modes: jax.Array, table: Modes, filled: jax.Array) -> tuple[Past, Block]:
  """Goes on inside a block of which `filled` bytes are over, all of them in the modes already."""
  batch_size, _, channels, _ = modes.shape
  nothing = jnp.zeros((batch_size, BLOCK, channels))
  pending = jnp.roll(_due(modes, table), filled, axis=1)
  return Past(modes, jnp.full(batch_size, filled)), Block(nothing, pending, filled)


def fold(
    past: Past, inputs: jax.Array, table: Modes
) -> tuple[Past, jax.Array]:  # [B, C, D]
  """Takes the inputs [B, C, D] of a full block into the past.

  Returns what the past adds to the next block.
  """
  modes = rest(past, inputs, table, BLOCK)
  return Past(modes, jnp.zeros_like(past.start)), _due(modes, table)


def rest(
    past: Past, inputs: jax.Array, table: Modes, filled: int | jax.Array
) -> jax.Array:  # [B, 2, D, N]
  """What the modes hold after what is filled."""
  since = filled - 1 - jnp.arange(BLOCK)  # [C]: the age of each input.
  # Inputs before a row's start are zero; those that were taken back must not count.
  aged = jnp.where((since >= 0)[:, None, None], table.powers[jnp.maximum(since, 0)], 0)
  gathered = jnp.einsum('bkd,kdn->bdn', inputs.astype(jnp.complex64), aged)
  held = past.modes[:, 0] + 1j * past.modes[:, 1]
  held = table.powers[filled - past.start] * held + gathered
  return jnp.stack([held.real, held.imag], axis=1)


def _due(modes: jax.Array, table: Modes) -> jax.Array:  # [B, C, D]
  """What the past adds to the next C outputs."""
  held = (modes[:, 0] + 1j * modes[:, 1]) * table.weights
  return jnp.einsum('bdn,kdn->bkd', held, table.powers[1:]).real
