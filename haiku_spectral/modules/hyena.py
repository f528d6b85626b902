"""The Hyena operator: products of projections and long convolutions (Poli et al. 2023).

Shapes: B batch, T time (bytes), D width, S horizon of the long filters.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral.config import HyenaConfig
from haiku_spectral.modules import filter_cache, filters, layers
from haiku_spectral.modules.mixer import Mixer
from haiku_spectral.ops import conv_crossing, fft_conv, slices


class HyenaState(NamedTuple):
  """What the operator remembers between chunks."""

  short: Any  # fft_conv.ConvState: [B, short_width - 1, (order + 1) D]
  long: tuple[Any, ...]  # fft_conv.ConvState or ModalState for each of order - 1 filters.


class Operators(NamedTuple):
  """The two that carry a state."""

  short: Callable[..., tuple[jax.Array, Any]] = fft_conv.causal_conv  # (x, taps, state)
  long: Callable[..., tuple[jax.Array, Any]] = lambda mix, z, state: mix(z, state)


CHUNK = Operators()
CROSSING = Operators(
    conv_crossing.causal_conv, lambda mix, z, state: mix(z, mix.entering(z, state)))
STEP = Operators(layers.short_conv_step, lambda mix, z, cached: filter_cache.step(z, cached))
TABLES = Operators(lambda x, taps, state: (x, ()), lambda mix, z, state: (z, mix.table()))


class Hyena(hk.Module):
  """z = v; then, order - 1 times, z = h * (x_i z) + skip x_i z; the output is x_0 z, projected."""

  def __init__(self, config: HyenaConfig, *, out_scale: float, operators: Operators = CHUNK,
               name: str = 'hyena'):
    super().__init__(name=name)
    self._config = config
    self._out_scale = out_scale
    self._operators = operators

  def __call__(
      self, x: jax.Array, state: HyenaState  # [B, T, D]
  ) -> tuple[jax.Array, HyenaState]:  # [B, T, D]
    config, width = self._config, x.shape[-1]
    projected = layers.Projection((config.order + 1) * width, name='in')(x)
    conv = layers.ShortConv(config.short_width, operator=self._operators.short, name='short')
    mixed, short = conv(projected, state.short)
    last_gate, *gates, z = jnp.split(mixed, config.order + 1, axis=-1)
    skip = hk.get_parameter('skip', (config.order - 1, width), init=hk.initializers.RandomNormal())
    long = []
    for i, gate in enumerate(gates):
      z = gate * z
      # The name is 'filter' for the first: precision and optimiser know filters by that prefix.
      mix = filters.FILTERS[config.filter.kind](
          config.filter, width, name='filter' if i == 0 else f'filter_{i}')
      convolved, filter_state = self._operators.long(mix, z, state.long[i])
      z = convolved + skip[i].astype(z.dtype) * z
      long.append(filter_state)
    out = layers.Projection(width, scale=self._out_scale, name='out')(last_gate * z)
    return out, HyenaState(short, tuple(long))


def initial_state(config: HyenaConfig, batch_size: int, width: int, dtype: jax.typing.DTypeLike
                  ) -> HyenaState:
  """The state of an empty context."""
  one = filters.FILTERS[config.filter.kind].initial_state(config.filter, batch_size, width, dtype)
  short = fft_conv.initial_state(
      batch_size, config.short_width, (config.order + 1) * width, dtype)
  return HyenaState(short, (one,) * (config.order - 1))


def flops(config: HyenaConfig, width: int, segment: int) -> float:
  """Products, and transforms at 2.5 N log2 N, per byte forward."""
  modal = config.filter.kind == 'modal'
  size, count = fft_conv.frames(segment, segment if modal else config.filter.horizon)
  one = 2 * 2.5 * size * math.log2(size) * count / segment
  if modal:
    one += 2 * 8 * config.filter.modes  # Complex products: what modes add, and what they gather.
  return 2 * (config.order + 2) * width**2 + one * width * (config.order - 1)


def crossing_bytes(config: HyenaConfig, width: int, cut: slices.Cut, itemsize: int) -> slices.Sent:
  """The last inputs of the short convolution, and what the long ones remember."""
  short = cut.tail(config.short_width - 1, (config.order + 1) * width * itemsize)
  if config.filter.kind == 'modal':
    modes = 8 * width * config.filter.modes  # Complex: the sums of a row, and their decay.
    long = cut.scan(modes) + slices.messages(cut.slices) * modes
  else:
    long = cut.tail(config.filter.horizon - 1, width * itemsize)
  return slices.Sent(short + (config.order - 1) * long)


def reach(config: HyenaConfig) -> int | None:
  """The bytes before a chunk that its output depends on."""
  if config.filter.kind == 'modal':
    return None
  return (config.order - 1) * (config.filter.horizon - 1) + config.short_width - 1


def parts(config: HyenaConfig, dtype: jax.typing.DTypeLike) -> HyenaState:
  """How each part of the state is cached when decoding."""
  long = filters.FILTERS[config.filter.kind].part(config.filter, dtype)
  return HyenaState(layers.SHORT_PART, (long,) * (config.order - 1))


MIXER = Mixer(
    letter='H', name='Hyena', config=lambda model: model.hyena, module=Hyena,
    initial_state=initial_state, flops=flops, reach=reach, parts=parts,
    step=lambda *args, **kwargs: Hyena(*args, operators=STEP, **kwargs),
    tables=lambda *args, **kwargs: Hyena(*args, operators=TABLES, **kwargs),
    crossing=lambda *args, **kwargs: Hyena(*args, operators=CROSSING, **kwargs),
    crossing_bytes=crossing_bytes)
