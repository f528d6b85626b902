"""Long filters made from a lag: an implicit network and a sum of exponentials, one interface.

Shapes: B batch, T time (bytes), D channels, S horizon (taps), F features of a lag.

Both decay by construction, on time constants that are bounded in bytes and never depend on the
length of the input: a model takes text of any length with the filters that it was trained with.
"""

from collections.abc import Mapping

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral.config import FilterConfig
from haiku_spectral.modules import time_constants
from haiku_spectral.modules.filter_cache import FilterTable, TiledPart
from haiku_spectral.modules.modal_filter import ModalFilter
from haiku_spectral.ops import conv_cache, conv_crossing, fft_conv


def lag_features(horizon: int, sinusoids: int) -> np.ndarray:  # [S, 2 * sinusoids + 1]
  """Features of the absolute lags 0 .. S - 1 in bytes: their logarithm, and waves of log-spaced
  periods from 2 bytes to 65,536. A lag has the same features whatever the horizon."""
  lags = np.arange(horizon)[:, None]
  angles = 2 * np.pi * lags / time_constants.log_uniform(2.0, 65_536.0, sinusoids)
  return np.concatenate([np.log2(1 + lags) / 16, np.cos(angles), np.sin(angles)], axis=1)


def fade(horizon: int) -> np.ndarray:  # [S]
  """1 on three quarters of the horizon, then half a cosine down to 0 just past its end."""
  progress = np.clip(4 * np.arange(horizon) / horizon - 3, 0, 1)
  return 0.5 * (1 + np.cos(np.pi * progress))


class FilterNetwork(hk.Module):
  """Taps from the lag by a small sine network under a decay window (Poli et al. 2023, section 3.3).

  The windows' time constants are spread log-uniformly over the channels. Every channel's taps have
  unit energy times a learnt gain, so white noise comes out with the variance it went in with,
  whatever the channel and the horizon. State: the last S - 1 inputs.
  """

  def __init__(self, config: FilterConfig, channels: int, *, name: str = 'filter'):
    super().__init__(name=name)
    self._config = config
    self._channels = channels

  def taps(self) -> jax.Array:  # [S, D] float32
    """The filter of every channel up to the horizon."""
    config = self._config
    x = jnp.asarray(lag_features(config.horizon, config.sinusoids), jnp.float32)
    x = jnp.sin(self._linear('hidden_0', x, config.hidden, scale=3.0))
    x = jnp.sin(self._linear('hidden_1', x, config.hidden, scale=1.5))
    x = self._linear('out', x, self._channels, scale=1.0)
    gain = hk.get_parameter('gain', (self._channels,), init=jnp.ones)
    spread = time_constants.log_uniform(
        config.min_time_constant, config.max_time_constant, self._channels)
    window = np.exp(-np.arange(config.horizon)[:, None] / spread)
    x = x * jnp.asarray(window * fade(config.horizon)[:, None], jnp.float32)
    return gain * x * jax.lax.rsqrt(jnp.sum(x**2, axis=0) + 1e-12)

  def energy_beyond(self, lag: int) -> jax.Array:  # [D]
    """Sum of the squared taps at `lag` and more."""
    return jnp.sum(self.taps()[lag:] ** 2, axis=0)

  def table(self) -> FilterTable:
    """What decoding reads in the place of the network."""
    taps = self.taps()
    return FilterTable(conv_cache.sliding(taps), conv_cache.spectra(taps))

  def _linear(self, name: str, x: jax.Array, width: int, *, scale: float) -> jax.Array:
    init = hk.initializers.RandomNormal(scale * x.shape[1] ** -0.5)
    weights = hk.get_parameter(f'{name}_w', (x.shape[1], width), init=init)
    bias = hk.get_parameter(f'{name}_b', (width,), init=hk.initializers.RandomUniform(-1, 1))
    return jnp.dot(x, weights, precision=jax.lax.Precision.HIGHEST) + bias

  def __call__(
      self, x: jax.Array, state: fft_conv.ConvState  # [B, T, D]
  ) -> tuple[jax.Array, fft_conv.ConvState]:  # [B, T, D]
    """Convolves a chunk."""
    return fft_conv.causal_conv(x, self.taps(), state)

  def entering(self, x: jax.Array, state: fft_conv.ConvState) -> fft_conv.ConvState:
    """The state before this device's slice of time x, from that before the first slice."""
    return conv_crossing.entering(x, state, self._config.horizon)

  @staticmethod
  def initial_state(config: FilterConfig, batch_size: int, channels: int,
                    dtype: jax.typing.DTypeLike) -> fft_conv.ConvState:
    """The state of an empty context."""
    return fft_conv.initial_state(batch_size, config.horizon, channels, dtype)

  @staticmethod
  def part(config: FilterConfig, dtype: jax.typing.DTypeLike) -> TiledPart:
    """How the state is cached when decoding."""
    return TiledPart(config.horizon, dtype, conv_cache.period(config.horizon))


def is_filter(module: str) -> bool:
  """Whether a Haiku module path is that of a long filter."""
  return module.split('/')[-1].startswith('filter')


FILTERS: dict[str, type[FilterNetwork] | type[ModalFilter]] = {
    'network': FilterNetwork,
    'modal': ModalFilter,
}


def tail_mass(
    config: FilterConfig, channels: int, params: hk.Params, length: int
) -> jax.Array:  # []
  """The share of the long filters' energy at lags of `length` bytes and more.

  Energy there cannot have been learnt from segments of `length` bytes.
  """
  def energies(filter_params: Mapping[str, jax.Array]) -> jax.Array:  # [2]
    def measure():
      module = FILTERS[config.kind](config, channels)
      return jnp.stack([jnp.sum(module.energy_beyond(lag)) for lag in (length, 0)])

    return hk.transform(measure).apply({'filter': filter_params}, None)

  parts = [
      jnp.sum(jax.vmap(energies)(filter_params), axis=0)
      for path, filter_params in params.items() if is_filter(path)
  ]
  beyond, total = sum(parts, jnp.zeros(2))
  return beyond / jnp.maximum(total, 1e-12)
