"""How far a modal filter is from the taps that it stands for.

Shapes: S horizon (taps), D channels.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import haiku as hk
import jax
import numpy as np

from haiku_spectral.config import FilterConfig
from haiku_spectral.distillation.modal_params import Modes, filter_params
from haiku_spectral.modules import filters

EVALUATED = 4  # Horizons over which errors are summed tap by tap; beyond, they are bounded.
GROUP = 32  # Channels whose taps are computed together, for the sake of memory.


class Errors(NamedTuple):
  """How far a fitted filter is from the taps, over all lags, in every channel."""

  l2: np.ndarray  # [D] Norm of the difference over the norm of the taps.
  l1: np.ndarray  # [D] The same of sums of magnitudes.
  bound: np.ndarray  # [D] Sum of |h - h'|: |y - y'| is at most so much for inputs |u| <= 1.


@functools.cache
def _taps_program(config: FilterConfig, channels: int) -> Callable[..., jax.Array]:
  def run() -> jax.Array:
    return filters.FILTERS[config.kind](config, channels).taps()

  apply = hk.without_apply_rng(hk.transform(run)).apply
  return jax.jit(lambda params: apply({'filter': params}))


def taps_of(
    config: FilterConfig, params: Mapping[str, np.ndarray]
) -> np.ndarray:  # [S, D] float32
  """The taps of one long filter as the model computes them, from its own parameters."""
  return np.asarray(_taps_program(config, len(params['gain']))(dict(params)))


def measure(taps: np.ndarray, config: FilterConfig, modes: Modes) -> Errors:  # [S, D]
  """The errors, over all lags, of what the modal filter of these modes computes in float32.

  The taps are zero from lag S on, the modes never are: what they have beyond EVALUATED horizons is
  bounded by the sum of |c p^t|.
  """
  length, params = EVALUATED * len(taps), filter_params(config, modes)
  longer = dataclasses.replace(config, horizon=length)
  found = np.concatenate([
      taps_of(longer, {name: value[i:i + GROUP] for name, value in params.items()})
      for i in range(0, taps.shape[1], GROUP)], axis=1)
  taps = np.pad(taps.astype(np.float64), ((0, length - len(taps)), (0, 0)))
  difference = np.abs(taps - found)
  radius = np.abs(modes.poles)
  beyond = np.sum(np.abs(modes.weights) * radius**length / (1 - radius), axis=1)
  l1 = difference.sum(axis=0) + beyond
  l2 = np.hypot(np.linalg.norm(difference, axis=0), beyond)  # No norm is more than the sum.
  tiny = np.finfo(np.float64).tiny
  return Errors(
      l2=l2 / np.maximum(np.linalg.norm(taps, axis=0), tiny),
      l1=l1 / np.maximum(np.abs(taps).sum(axis=0), tiny), bound=l1)
