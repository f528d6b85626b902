"""`fft_conv` on a slice of time: the left neighbours' last inputs are its history.

Shapes: B batch, T time (bytes) of a slice, D channels, S horizon (taps).
"""

import jax
import jax.numpy as jnp

from haiku_spectral.ops import fft_conv, slices
from haiku_spectral.ops.fft_conv import ConvState


def causal_conv(
    x: jax.Array,  # [B, T, D]
    taps: jax.Array,  # [S, D]
    state: ConvState,  # Before the first slice.
) -> tuple[jax.Array, ConvState]:  # [B, T, D]
  """`fft_conv.causal_conv` of a slice, and the state after it."""
  return fft_conv.causal_conv(x, taps, entering(x, state, taps.shape[0]))


def entering(x: jax.Array, state: ConvState, horizon: int) -> ConvState:  # [B, T, D]
  """The state before this device's slice, of S - 1 inputs."""
  missing = horizon - 1 - state.history.shape[1]  # Zero, if the state before the first held fewer.
  before = jnp.pad(state.history, [(0, 0), (missing, 0), (0, 0)])
  return ConvState(slices.left_tail(x, before))
