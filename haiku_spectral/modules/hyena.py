"""The Hyena operator: products of projections and long convolutions (Poli et al. 2023).

Shapes: B batch, T time (bytes), D width, S horizon of the long filters.
"""

from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral.config import HyenaConfig
from haiku_spectral.modules import filters, layers
from haiku_spectral.ops import fft_conv, online_conv


class HyenaState(NamedTuple):
  """What the operator remembers between chunks."""

  short: Any  # fft_conv.ConvState, or an online_conv.ShortBlock: [B, short_width-1, (order+1) D]
  # One for each of order - 1 filters.
  long: tuple[fft_conv.ConvState | filters.ModalState | online_conv.Block, ...]


class Hyena(hk.Module):
  """z = v; then, order - 1 times, z = h * (x_i z) + skip x_i z; the output is x_0 z, projected."""

  def __init__(self, config: HyenaConfig, *, out_scale: float, name: str = 'hyena'):
    super().__init__(name=name)
    self._config = config
    self._out_scale = out_scale

  def __call__(
      self, x: jax.Array, state: HyenaState  # [B, T, D]
  ) -> tuple[jax.Array, HyenaState]:  # [B, T, D]
    config, width = self._config, x.shape[-1]
    projected = layers.Projection((config.order + 1) * width, name='in')(x)
    mixed, short = layers.ShortConv(config.short_width, name='short')(projected, state.short)
    last_gate, *gates, z = jnp.split(mixed, config.order + 1, axis=-1)
    skip = hk.get_parameter('skip', (config.order - 1, width), init=hk.initializers.RandomNormal())
    long = []
    for i, gate in enumerate(gates):
      z = gate * z
      # The name is 'filter' for the first: precision and optimiser know filters by that prefix.
      name, filter_state = 'filter' if i == 0 else f'filter_{i}', state.long[i]
      if isinstance(filter_state, online_conv.Block):
        mix: Any = filters.TapsInBlock(name=name)
      else:
        mix = filters.FILTERS[config.filter.kind](config.filter, width, name=name)
      convolved, filter_state = mix(z, filter_state)
      z = convolved + skip[i].astype(z.dtype) * z
      long.append(filter_state)
    out = layers.Projection(width, scale=self._out_scale, name='out')(last_gate * z)
    return out, HyenaState(short, tuple(long))


def initial_state(config: HyenaConfig, batch_size: int, width: int, dtype: jax.typing.DTypeLike
                  ) -> HyenaState:
  """The state of a sequence of which nothing has been read."""
  one = filters.FILTERS[config.filter.kind].initial_state(config.filter, batch_size, width, dtype)
  short = fft_conv.initial_state(
      batch_size, config.short_width, (config.order + 1) * width, dtype)
  return HyenaState(short, (one,) * (config.order - 1))
