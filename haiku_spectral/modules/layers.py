"""The small parts that every block is made of: projection, norm, short convolution, gated MLP."""

from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral.ops import dense, fft_conv, online_conv


class Projection(hk.Module):
  """A matrix product, accumulated in float32 and returned in the type of its input.

  Weights start with variance `scale`^2 / inputs.
  """

  def __init__(self, width: int, *, scale: float = 1.0, name: str):
    super().__init__(name=name)
    self._width = width
    self._scale = scale

  def __call__(self, x: jax.Array) -> jax.Array:  # [..., D] -> [..., width]
    init = hk.initializers.RandomNormal(self._scale * x.shape[-1] ** -0.5)
    weights = hk.get_parameter('w', (x.shape[-1], self._width), init=init)
    return dense.dense(x, weights)


class Norm(hk.Module):
  """RMS normalisation of the last axis (Zhang & Sennrich 2019), in float32."""

  def __call__(self, x: jax.Array) -> jax.Array:  # [..., D] -> [..., D]
    scale = hk.get_parameter('scale', x.shape[-1:], init=jnp.ones)
    wide = x.astype(jnp.float32)
    mean_square = jnp.mean(wide**2, axis=-1, keepdims=True)
    return (wide * jax.lax.rsqrt(mean_square + 1e-6) * scale).astype(x.dtype)


class ShortConv(hk.Module):
  """A causal convolution over the last few bytes, a filter for each channel.

  Inside a block (`modules/online`) it returns what to append in the place of a state.
  """

  def __init__(self, taps: int, *, name: str):
    super().__init__(name=name)
    self._taps = taps

  def __call__(
      self, x: jax.Array, state: fft_conv.ConvState | online_conv.ShortBlock  # [B, T, D]
  ) -> tuple[jax.Array, Any]:  # [B, T, D]
    init = hk.initializers.RandomNormal(self._taps**-0.5)
    taps = hk.get_parameter('taps', (self._taps, x.shape[-1]), init=init)
    if isinstance(state, online_conv.ShortBlock):
      return online_conv.short_conv(x, taps, state)
    return fft_conv.causal_conv(x, taps, state)


class GatedMLP(hk.Module):
  """Gated two-layer network with SiLU (Shazeer 2020, SwiGLU)."""

  def __init__(self, hidden: int, *, out_scale: float, name: str):
    super().__init__(name=name)
    self._hidden = hidden
    self._out_scale = out_scale

  def __call__(self, x: jax.Array) -> jax.Array:  # [B, T, D] -> [B, T, D]
    gate, value = jnp.split(Projection(2 * self._hidden, name='in')(x), 2, axis=-1)
    return Projection(x.shape[-1], scale=self._out_scale, name='out')(jax.nn.silu(gate) * value)
