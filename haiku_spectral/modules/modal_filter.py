"""Long filters that are sums of rotating, decaying exponentials: their state is small.

Shapes: B batch, T time (bytes), D channels, S horizon (taps), N modes, C bytes of a piece.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral.config import FilterConfig
from haiku_spectral.modules import time_constants
from haiku_spectral.modules.filter_cache import FilterTable, LongPart
from haiku_spectral.modules.mixer import BLOCK
from haiku_spectral.ops import conv_cache, fft_conv, modal_cache, slices

PIECE = 256  # Bytes of a chunk whose powers of all modes are held at a time.
_einsum = functools.partial(jnp.einsum, precision='highest')


class ModalState(NamedTuple):
  """Each mode's sum z_t = p z_{t-1} + x_t, as real and imaginary parts."""

  modes: jax.Array  # [B, 2, D, N] float32


class ModalFilter(hk.Module):
  """Taps that are a sum of rotating, decaying exponentials: h[t] = Re sum_n c_n p_n^t.

  No horizon: the state is N complex numbers per channel (Massaroli et al. 2023, section 3).
  The logarithms of the time constants are float32 and stay within the configured bounds.
  """

  def __init__(self, config: FilterConfig, channels: int, *, name: str = 'filter'):
    super().__init__(name=name)
    self._config = config
    self._channels = channels

  def _modes(self) -> tuple[jax.Array, jax.Array]:
    """log p and c, both [D, N] complex64; c gives every channel unit energy times its gain."""
    config, shape = self._config, (self._channels, self._config.modes)
    low, high = math.log(config.min_time_constant), math.log(config.max_time_constant)
    spread = hk.initializers.RandomUniform(-3.0, 3.0)
    place = jax.nn.sigmoid(hk.get_parameter('time_constant', shape, init=spread))
    frequency = hk.get_parameter('frequency', shape, init=_initial_frequencies)
    log_pole = -jnp.exp(-(low + (high - low) * place)) + 2j * np.pi * frequency
    real = hk.get_parameter('real', shape, init=hk.initializers.RandomNormal())
    imaginary = hk.get_parameter('imaginary', shape, init=hk.initializers.RandomNormal())
    gain = hk.get_parameter('gain', (self._channels,), init=jnp.ones)
    weight = real + 1j * imaginary
    scale = gain * jax.lax.rsqrt(_energy(log_pole, weight) + 1e-12)
    return log_pole, weight * scale[:, None]

  def taps(self) -> jax.Array:  # [S, D] float32
    """The filter of every channel up to the horizon, beyond which it goes on."""
    log_pole, weight = self._modes()
    lags = jnp.arange(self._config.horizon, dtype=jnp.float32)
    return _einsum('dn,tdn->td', weight, _powers(log_pole, lags)).real

  def energy_beyond(self, lag: int) -> jax.Array:  # [D]
    """Sum of the squared taps at `lag` and more, without end."""
    log_pole, weight = self._modes()
    return _energy(log_pole, weight * jnp.exp(lag * log_pole))

  def table(self) -> FilterTable:
    """What decoding reads in the place of the modes' parameters."""
    log_pole, weight = self._modes()
    powers = _powers(log_pole, jnp.arange(BLOCK + 1, dtype=jnp.float32))
    taps = _einsum('dn,tdn->td', weight, powers[:BLOCK]).real  # No mode ends at the horizon.
    return FilterTable(conv_cache.sliding(taps), modal_cache.Modes(weight, powers))

  def __call__(
      self, x: jax.Array, state: ModalState  # [B, T, D]
  ) -> tuple[jax.Array, ModalState]:  # [B, T, D]
    """Convolves a chunk: the chunk with itself by FFT, and the past through the modes."""
    chex.assert_rank([x, state.modes], [3, 4])
    batch_size, length, channels = x.shape
    log_pole, weight = self._modes()
    sums = _to_complex(state.modes)
    # The powers of a piece alone: those of all times would be [T, D, N].
    size = min(length, PIECE)
    count = -(-length // size)
    powers = _powers(log_pole, jnp.arange(size + 1, dtype=jnp.float32))  # [C + 1, D, N]
    at_start = _powers(log_pole, size * jnp.arange(count, dtype=jnp.float32))  # [T / C, D, N]

    def tap_piece(at_start: jax.Array) -> jax.Array:  # [D, N] -> [C, D]
      return _einsum('dn,tdn->td', weight * at_start, powers[:-1]).real

    def past_piece(at_start: jax.Array) -> jax.Array:  # [D, N] -> [C, B, D]
      return _einsum('bdn,tdn->tbd', sums * weight * at_start, powers[1:]).real

    taps = jax.lax.map(tap_piece, at_start).reshape(-1, channels)[:length]
    nothing = fft_conv.initial_state(batch_size, length, channels, jnp.float32)
    y, _ = fft_conv.causal_conv(x.astype(jnp.float32), taps, nothing)
    past = jax.lax.map(past_piece, at_start).reshape(-1, batch_size, channels)
    y += past[:length].swapaxes(0, 1)

    def gather(sums: jax.Array, x: jax.Array) -> tuple[jax.Array, None]:  # [B, D, N], [B, C, D]
      return powers[-1] * sums + _einsum('btd,tdn->bdn', x, powers[-2::-1]), None

    # Zeros in front of the chunk add nothing to its sums.
    pieces = jnp.pad(x, [(0, 0), (count * size - length, 0), (0, 0)]).astype(jnp.complex64)
    pieces = pieces.reshape(batch_size, count, size, channels).swapaxes(0, 1)
    gathered, _ = jax.lax.scan(gather, jnp.zeros_like(sums), pieces)
    modes = _powers(log_pole, jnp.full(1, length, jnp.float32))[0] * sums + gathered
    return y.astype(x.dtype), ModalState(jnp.stack([modes.real, modes.imag], axis=1))

  def entering(self, x: jax.Array, state: ModalState) -> ModalState:
    """The state before this device's slice of time x, from that before the first slice."""
    _, own = self(x, ModalState(jnp.zeros_like(state.modes)))
    log_pole, _ = self._modes()
    decay = _powers(log_pole, jnp.full(1, x.shape[1], jnp.float32))[0]  # [D, N]

    def after(left: tuple[jax.Array, ...], sums: jax.Array) -> jax.Array:  # [B, D, N]
      return left[0] * sums + left[1]

    sums = slices.entering(
        lambda left, right: (right[0] * left[0], after(right, left[1])), after,
        (decay, _to_complex(own.modes)), _to_complex(state.modes))
    return ModalState(jnp.stack([sums.real, sums.imag], axis=1))

  @staticmethod
  def initial_state(config: FilterConfig, batch_size: int, channels: int,
                    dtype: jax.typing.DTypeLike) -> ModalState:
    """The state of an empty context; always float32."""
    del dtype
    return ModalState(jnp.zeros((batch_size, 2, channels, config.modes), jnp.float32))

  @staticmethod
  def part(config: FilterConfig, dtype: jax.typing.DTypeLike) -> 'ModalPart':
    """How the state is cached when decoding."""
    del config, dtype
    return ModalPart()


@dataclasses.dataclass(frozen=True)
class ModalPart(LongPart):
  """The mixer.CachePart of a filter of exponentials, which has no tiles."""

  period: int = BLOCK

  def to_cache(self, state, table, clock):
    history, block = modal_cache.to_cache(state.modes, table.between, clock % BLOCK)
    return block, history

  def flush_history(self, block, history, table, clock, tile):
    del clock, tile
    return modal_cache.flush(history, block.inputs, table.between)

  def from_cache(self, block, history, table, clock):
    del clock
    return ModalState(
        modal_cache.from_cache(history, block.inputs, table.between, block.filled))


def _initial_frequencies(shape: Sequence[int], dtype: jax.typing.DTypeLike) -> jax.Array:
  """Turns per byte: half of the modes stand still, the others' periods are 2 to 2,000 bytes."""
  still, turning = shape[-1] - shape[-1] // 2, shape[-1] // 2
  turns = 1 / time_constants.log_uniform(2.0, 2_000.0, turning) if turning else np.zeros(0)
  return jnp.broadcast_to(jnp.asarray(np.concatenate([np.zeros(still), turns]), dtype), shape)


def _powers(log_pole: jax.Array, lags: jax.Array) -> jax.Array:  # [D, N], [T] -> [T, D, N]
  """p^lag, for lags below 4,096 without the error that a phase of many turns has in float32."""
  lags = lags[:, None, None]
  turns = log_pole.imag / (2 * np.pi)
  # Twelve bits of each multiply exactly, so that whole turns drop out without a trace.
  coarse = jax.lax.stop_gradient(jnp.round(turns * 4096) / 4096)
  phase = lags * coarse % 1 + lags * (turns - coarse)
  return jnp.exp(lags * log_pole.real + 2j * np.pi * phase)


def _to_complex(modes: jax.Array) -> jax.Array:  # [B, 2, D, N] -> [B, D, N]
  return modes[:, 0] + 1j * modes[:, 1]


def _energy(log_pole: jax.Array, weight: jax.Array) -> jax.Array:  # [D, N] -> [D]
  """Sum over all lags of the squared taps, in closed form (two geometric series).

  Rounding would let it fall below 0 where modes cancel.
  """
  def series(other_pole, other_weight):
    product = log_pole[:, :, None] + other_pole[:, None, :]
    return _einsum('dn,dm,dnm->d', weight, other_weight, -1 / jnp.expm1(product))

  same, mirrored = series(log_pole, weight), series(log_pole.conj(), weight.conj())
  return jnp.maximum(0.5 * (same + mirrored).real, 0)
