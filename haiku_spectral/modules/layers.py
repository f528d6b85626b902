"""The small parts that every block is made of: projection, norm, short convolution, gated MLP."""

from collections.abc import Callable
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral.modules.mixer import BlockPart, Cached
from haiku_spectral.ops import conv_cache, dense, fft_conv


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
    wide = x.astype(jnp.float32).reshape(-1, x.shape[-1])
    mean_square = jnp.mean(wide**2, axis=-1, keepdims=True)
    return (wide * jax.lax.rsqrt(mean_square + 1e-6) * scale).astype(x.dtype).reshape(x.shape)


class ShortConv(hk.Module):
  """A causal convolution over the last few bytes, a filter per channel."""

  def __init__(self, taps: int, *, operator: Callable = fft_conv.causal_conv, name: str):
    super().__init__(name=name)
    self._taps = taps
    self._operator = operator

  def __call__(self, x: jax.Array, state: Any) -> tuple[jax.Array, Any]:  # [B, T, D] -> [B, T, D]
    init = hk.initializers.RandomNormal(self._taps**-0.5)
    taps = hk.get_parameter('taps', (self._taps, x.shape[-1]), init=init)
    return self._operator(x, taps, state)


def short_conv_step(
    x: jax.Array, taps: jax.Array, cached: Cached  # [B, T, D], [S, D]
) -> tuple[jax.Array, jax.Array]:  # [B, T, D] twice
  """The operator of a ShortConv when decoding."""
  return conv_cache.short_conv(x, taps, cached.block)


SHORT_PART = BlockPart(
    conv_cache.short_to_cache, conv_cache.short_from_cache, conv_cache.append_short,
    conv_cache.roll_back_short)


class GatedMLP(hk.Module):
  """Gated two-layer network with SiLU (Shazeer 2020, SwiGLU)."""

  def __init__(self, hidden: int, *, out_scale: float, name: str):
    super().__init__(name=name)
    self._hidden = hidden
    self._out_scale = out_scale

  def __call__(self, x: jax.Array) -> jax.Array:  # [B, T, D] -> [B, T, D]
    gate, value = jnp.split(Projection(2 * self._hidden, name='in')(x), 2, axis=-1)
    return Projection(x.shape[-1], scale=self._out_scale, name='out')(jax.nn.silu(gate) * value)
