"""Causal convolution that is exact over chunks: short ones summed, long ones by FFT or as products.

Shapes: B batch, T time (bytes), D channels, S horizon (taps).
"""

import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral import backend
from haiku_spectral.ops import toeplitz_conv

# Up to this many taps the written-out sum is cheaper than transforms of length T + S.
DIRECT_TAPS = 16
TOEPLITZ_TAPS = 1024  # Up to this many, products on matrix units can be cheaper than transforms.
# The greatest transform, in horizons: longer inputs are cut, which stays in caches and needs half
# the memory. On a CPU inputs of 16 horizons take half the time; 8 is no better than 4.
TRANSFORM_HORIZONS = 4


class ConvState(NamedTuple):
  """What a causal convolution remembers between chunks."""

  # [B, S - 1, D]: the last S - 1 inputs, zero where there was none. Or [B, P, D] with P < S - 1:
  # there were no more than P, so that a long filter over a short text costs what the text needs.
  history: jax.Array


def initial_state(batch_size: int, horizon: int, channels: int, dtype: jax.typing.DTypeLike
                  ) -> ConvState:
  """The state of an empty context."""
  return ConvState(jnp.zeros((batch_size, horizon - 1, channels), dtype))


def causal_conv(
    x: jax.Array,  # [B, T, D]
    taps: jax.Array,  # [S, D]
    state: ConvState,
    *,
    long: str | None = None,
) -> tuple[jax.Array, ConvState]:  # [B, T, D]
  """y[t] = sum over lags s of taps[s] x[t - s], where x goes on into the past in `state`.

  Exact for any T >= 1: cutting a sequence into chunks changes nothing but rounding. Returns the
  input type. Few taps (`DIRECT_TAPS`) and a single byte are summed in float32, O(T S) per channel;
  others as `long` says, by default as the platform prefers (`backend.long_convolution`): 'fft' in
  float32, O((T + S) log S); 'toeplitz' in products of the input type whose sums are float32,
  for up to `TOEPLITZ_TAPS` taps and the 'fft' for more, O(T S). Where the state holds P < S - 1
  inputs, P + T stands in the place of S.
  """
  chex.assert_rank([x, taps, state.history], [3, 2, 3])
  chex.assert_equal_shape_suffix([x, state.history], 1)
  chex.assert_equal(taps.shape[1], x.shape[2])
  chex.assert_axis_dimension_lteq(state.history, 1, taps.shape[0] - 1)
  length, keep = x.shape[1], taps.shape[0] - 1

  past_and_now = jnp.concatenate([state.history, x.astype(state.history.dtype)], axis=1)
  taps = taps[:past_and_now.shape[1]].astype(jnp.float32)  # The others meet nothing.
  horizon = taps.shape[0]
  missing = horizon + length - 1 - past_and_now.shape[1]  # Zeros before what there was.
  inputs = jnp.pad(past_and_now.astype(jnp.float32), [(0, 0), (missing, 0), (0, 0)])
  by_products = (long or backend.long_convolution()) == 'toeplitz' and horizon <= TOEPLITZ_TAPS
  if horizon <= DIRECT_TAPS:
    y = _valid_conv_by_sum(inputs, taps)
  elif length == 1:
    y = jnp.sum(inputs * taps[::-1], axis=1, keepdims=True)
  elif by_products:
    y = toeplitz_conv.valid_conv(inputs.astype(x.dtype), taps, backend.toeplitz_block())
  else:
    y = _valid_conv_by_fft(inputs, taps)
  return y.astype(x.dtype), ConvState(past_and_now[:, max(past_and_now.shape[1] - keep, 0):])


@jax.custom_vjp
def _valid_conv_by_sum(
    inputs: jax.Array,  # [B, T + S - 1, D] float32
    taps: jax.Array,  # [S, D] float32
) -> jax.Array:  # [B, T, D] float32
  horizon, length = taps.shape[0], inputs.shape[1] - taps.shape[0] + 1
  shifted = [taps[lag] * _from(inputs, horizon - 1 - lag, length) for lag in range(horizon)]
  return functools.reduce(jnp.add, shifted)


def _sum_forward(inputs, taps):
  return _valid_conv_by_sum(inputs, taps), (inputs, taps)


def _sum_backward(residuals, cotangent):
  # The derivative that JAX would make pads every shifted product before it adds them.
  inputs, taps = residuals
  horizon, length = taps.shape[0], cotangent.shape[1]
  to_inputs = _valid_conv_by_sum(
      jnp.pad(cotangent, [(0, 0), (horizon - 1, horizon - 1), (0, 0)]), taps[::-1])
  to_taps = jnp.stack([
      jnp.sum(cotangent * _from(inputs, horizon - 1 - lag, length), axis=(0, 1))
      for lag in range(horizon)
  ])
  return to_inputs, to_taps


_valid_conv_by_sum.defvjp(_sum_forward, _sum_backward)


def _from(x: jax.Array, start: int, length: int) -> jax.Array:
  return lax.slice_in_dim(x, start, start + length, axis=1)


def _valid_conv_by_fft(
    inputs: jax.Array,  # [B, T + S - 1, D] float32
    taps: jax.Array,  # [S, D] float32
) -> jax.Array:  # [B, T, D] float32
  """Overlap-save: a circular convolution spoils only the first S - 1 outputs, which are dropped."""
  total, horizon = inputs.shape[1], taps.shape[0]
  reach, length = transform_size(horizon), total - horizon + 1
  size, count = frames(length, horizon)
  # Time goes last: the transform wants it contiguous.
  x, taps = inputs.swapaxes(1, 2), taps.T
  if count == 1:
    product = rfft(x, size) * rfft(taps, size)
    return irfft(product, size)[..., horizon - 1 : total].swapaxes(1, 2)
  # Frames begin with the last `reach` inputs of the one before.
  step = size - reach
  x = jnp.pad(x, [(0, 0), (0, 0), (reach - horizon + 1, count * step - length)])
  body = x[..., reach:].reshape(*x.shape[:2], count, step)
  before = jnp.concatenate([x[..., None, :reach], body[..., :-1, -reach:]], axis=2)
  parts = jnp.concatenate([before, body], axis=3)  # [B, D, count, size]
  y = irfft(rfft(parts, size) * rfft(taps, size)[:, None], size)[..., reach:]
  return y.reshape(*x.shape[:2], -1)[..., :length].swapaxes(1, 2)


def frames(length: int, horizon: int) -> tuple[int, int]:
  """The size of the transforms of a chunk of `length` bytes, and how many there are."""
  size, reach = transform_size(length + horizon - 1), transform_size(horizon)
  most = TRANSFORM_HORIZONS * reach
  return (size, 1) if size <= most else (most, -(-length // (most - reach)))


def transform_size(length: int) -> int:
  """The smallest power of two that holds `length` samples."""
  return 1 << (length - 1).bit_length()


# The one place where a transform is chosen: replace these two to use another.
def rfft(x: jax.Array, size: int) -> jax.Array:
  """Transform of real samples along the last axis, zero-padded to `size`."""
  return jnp.fft.rfft(x, size)


def irfft(x: jax.Array, size: int) -> jax.Array:
  """Inverse of `rfft`: `size` real samples."""
  return jnp.fft.irfft(x, size)
