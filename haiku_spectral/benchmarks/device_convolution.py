"""A long convolution at a model's shapes: by FFT, as Toeplitz products, and directly.

Shapes: B rows, T time (bytes), D channels, G groups, S horizon (taps).
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
from jax import lax

from haiku_spectral.benchmarks import device_rates
from haiku_spectral.ops import fft_conv, toeplitz_conv

Convolve = Callable[[jax.Array, jax.Array], jax.Array]  # [B, T + S - 1, D], [S, G] -> [B, T, D]


class Shape(NamedTuple):
  """What is convolved."""

  rows: int
  length: int
  channels: int
  horizon: int
  dtype: str


class Method(NamedTuple):
  """One way to do it."""

  name: str
  groups: int
  convolve: Convolve


def _by_fft(inputs: jax.Array, taps: jax.Array) -> jax.Array:
  """As the model calls it: the past is in the state."""
  past = taps.shape[0] - 1
  state = fft_conv.ConvState(inputs[:, :past])
  return fft_conv.causal_conv(inputs[:, past:], taps, state, long='fft')[0]


def _directly(inputs: jax.Array, taps: jax.Array) -> jax.Array:
  """The platform's own convolution with a filter per channel."""
  return lax.conv_general_dilated(
      inputs, taps[::-1, None].astype(inputs.dtype), (1,), 'VALID',
      dimension_numbers=('NWC', 'WIO', 'NWC'), feature_group_count=inputs.shape[2])


def _products(block: int) -> Convolve:
  return lambda inputs, taps: toeplitz_conv.valid_conv(inputs, taps, block).astype(inputs.dtype)


def methods(shape: Shape, blocks: tuple[int, ...], grouped: tuple[int, ...]) -> Iterator[Method]:
  """All ways: products of several blocks, with a filter per channel and with shared ones."""
  yield Method('FFT', shape.channels, _by_fft)
  for block in blocks:
    yield Method(f'Toeplitz, blocks of {block}', shape.channels, _products(block))
  for together in grouped:
    for block in {blocks[0], shape.horizon}:
      yield Method(f'Toeplitz, blocks of {block}, {together} channels share a filter',
                   shape.channels // together, _products(block))
  yield Method('direct', shape.channels, _directly)


def seconds(method: Method, shape: Shape) -> tuple[float, float]:
  """Seconds of the convolution, and of it with both derivatives."""
  inputs = jax.random.normal(
      jax.random.key(0), (shape.rows, shape.length + shape.horizon - 1, shape.channels),
      shape.dtype)
  taps = jax.random.normal(jax.random.key(1), (shape.horizon, method.groups)) / shape.horizon**0.5
  weight = jax.random.normal(
      jax.random.key(2), (shape.rows, shape.length, shape.channels), shape.dtype)

  def both(inputs: jax.Array, taps: jax.Array) -> Any:
    y, derivative = jax.vjp(method.convolve, inputs, taps)
    return y, derivative(weight)

  forward, gradient = jax.jit(method.convolve), jax.jit(both)
  return (device_rates.seconds_per_call(lambda: forward(inputs, taps)),
          device_rates.seconds_per_call(lambda: gradient(inputs, taps)))


def error(method: Method, shape: Shape) -> float:
  """The greatest error of the outputs against float64 on the host, over their deviation."""
  few = shape._replace(rows=1, length=min(shape.length, 256), channels=shape.channels)
  keys = jax.random.split(jax.random.key(3))
  inputs = jax.random.normal(
      keys[0], (1, few.length + few.horizon - 1, few.channels), few.dtype)
  taps = jax.random.normal(keys[1], (few.horizon, method.groups)) / few.horizon**0.5
  got = jax.device_get(jax.jit(method.convolve)(inputs, taps)).astype('float64')
  x, h = (jax.device_get(each).astype('float64') for each in (inputs, taps))
  want = sum(h[lag].repeat(few.channels // method.groups)
             * x[:, few.horizon - 1 - lag :][:, : few.length] for lag in range(few.horizon))
  return float(abs(got - want).max() / want.std())

