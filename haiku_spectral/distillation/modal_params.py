"""The parameters with which a modal filter has given exponentials.

Shapes: D channels, N modes.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from haiku_spectral.config import FilterConfig


class Modes(NamedTuple):
  """Exponentials of every channel: h[t] = Re sum_n c_n p_n^t."""

  poles: np.ndarray  # [..., D, N] complex128, 0 < |p| < 1
  weights: np.ndarray  # [..., D, N] complex128


def _time_constants(modes: Modes) -> np.ndarray:  # [..., D, N] bytes
  return -1 / np.log(np.abs(modes.poles))


def filter_config(config: FilterConfig, fitted: Sequence[Modes]) -> FilterConfig:
  """That of modal filters, whose bounds leave a margin about all time constants."""
  time_constants = np.concatenate([_time_constants(modes).ravel() for modes in fitted])
  return dataclasses.replace(
      config, kind='modal', modes=fitted[0].poles.shape[-1],
      min_time_constant=float(0.9 * time_constants.min()),
      max_time_constant=float(1.1 * time_constants.max()))


def filter_params(config: FilterConfig, modes: Modes) -> dict[str, np.ndarray]:
  """The parameters with which `filters.ModalFilter` has these modes."""
  low, high = math.log(config.min_time_constant), math.log(config.max_time_constant)
  place = (np.log(_time_constants(modes)) - low) / (high - low)
  gain = np.sqrt(_energy(modes))
  weights = modes.weights / np.where(gain > 0, gain, 1)[..., None]
  params = {
      'time_constant': np.log(place / (1 - place)),
      'frequency': np.angle(modes.poles) / (2 * np.pi),
      'real': weights.real, 'imaginary': weights.imag, 'gain': gain,
  }
  return {name: value.astype(np.float32) for name, value in params.items()}


def _energy(modes: Modes) -> np.ndarray:  # [..., D]
  """Sum of the squared taps over all lags: two geometric series."""
  poles, weights = modes

  def series(other_poles: np.ndarray, other_weights: np.ndarray) -> np.ndarray:
    ratio = poles[..., :, None] * other_poles[..., None, :]
    return np.einsum('...n,...m,...nm->...', weights, other_weights, 1 / (1 - ratio)).real

  energy = 0.5 * (series(poles, weights) + series(poles.conj(), weights.conj()))
  return np.maximum(energy, 0)
