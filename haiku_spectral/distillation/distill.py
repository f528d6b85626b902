"""Long filters made of taps, replaced by sums of exponentials: N modes of state for S inputs.

Shapes: S horizon (taps), D channels, N modes, L super-blocks.
"""

import dataclasses
import functools
import math
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral.config import Config, FilterConfig, ModelConfig
from haiku_spectral.distillation import modal_fit
from haiku_spectral.modules import filters, hyena, spectral_gpt
from haiku_spectral.training import checkpoint_store, run_folder
from haiku_spectral.training import state as train_states

EVALUATED = 4  # Horizons over which errors are summed tap by tap; beyond, they are bounded.
GROUP = 32  # Channels whose taps are computed at a time, for the sake of memory.


class Modes(NamedTuple):
  """Exponentials of every channel: h[t] = Re sum_n c_n p_n^t."""

  poles: np.ndarray  # [..., D, N] complex128, 0 < |p| < 1
  weights: np.ndarray  # [..., D, N] complex128


class Errors(NamedTuple):
  """How far a fitted filter is from the taps, over all lags, in every channel."""

  l2: np.ndarray  # [D] Norm of the difference over the norm of the taps.
  l1: np.ndarray  # [D] The same of sums of magnitudes.
  bound: np.ndarray  # [D] Sum of |h - h'|: |y - y'| is at most so much for inputs |u| <= 1.


class Distilled(NamedTuple):
  """A model whose long filters are modal, and what that cost."""

  config: ModelConfig
  params: hk.Params
  errors: dict[str, Errors]  # By the super-block and the module in it: '0/block_1/hyena/filter'.


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


def distill(
    config: ModelConfig, params: hk.Params, *, modes: int,
    on_progress: Callable[[int], object] = lambda channels: None,
) -> Distilled:
  """Replaces every filter network by the modal filter that is closest to it.

  All else stays as it is. `on_progress` is told of channels fitted, `num_channels(params)` in all.
  Raises ValueError when the filters are modal already, when there are none, or for bad `modes`.
  """
  if modes < 1:
    raise ValueError(f'modes={modes} is not allowed: give 1 or more.')
  old = config.hyena.filter
  if old.kind != 'network':
    raise ValueError(
        f'config.model.hyena.filter.kind={old.kind!r}: the long filters are sums of exponentials '
        "already; give a run whose filters are of kind 'network'.")
  paths = [path for path in params if filters.is_filter(path)]
  if not paths:
    raise ValueError(
        f'config.model.pattern={config.pattern!r} has no H, so there is no long filter to distill: '
        'give another run.')
  taps = {path: _all_taps(old, params[path]) for path in paths}
  fitted = {path: _fit(taps[path], modes, on_progress) for path in paths}
  new = filter_config(old, list(fitted.values()))
  errors = {
      f'{i}/{path.split("/stack/")[-1]}': measure(block, new, Modes(*(part[i] for part in fit)))
      for path, fit in fitted.items() for i, block in enumerate(taps[path])}
  return Distilled(
      dataclasses.replace(config, hyena=dataclasses.replace(config.hyena, filter=new)),
      {**params, **{path: filter_params(new, fit) for path, fit in fitted.items()}}, errors)


def num_channels(params: hk.Params) -> int:
  """Channels of all long filters together."""
  return sum(own['gain'].size for path, own in params.items() if filters.is_filter(path))


def _all_taps(
    config: FilterConfig, params: Mapping[str, np.ndarray]
) -> np.ndarray:  # [L, S, D]
  """The taps of the filters of one name in all super-blocks."""
  blocks = [{name: value[i] for name, value in params.items()} for i in range(len(params['gain']))]
  return np.stack([taps_of(config, block) for block in blocks])


def _fit(taps: np.ndarray, modes: int, on_progress: Callable[[int], object]) -> Modes:
  """[L, S, D] taps -> [L, D, N]."""
  shape = (taps.shape[0], taps.shape[2], modes)
  fitted = Modes(np.zeros(shape, complex), np.zeros(shape, complex))
  for i, channel in np.ndindex(shape[:2]):
    fitted.poles[i, channel], fitted.weights[i, channel] = modal_fit.fit(
        taps[i, :, channel], modes)
    on_progress(1)
  return fitted


def state_bytes(config: ModelConfig) -> tuple[int, int]:
  """Size of the state of one sequence in float32: of the long filters, and of the whole model."""
  def size(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))

  state = jax.eval_shape(lambda: spectral_gpt.make_model(config).initial_state(1))
  long = [mixer.long for mixer in state if isinstance(mixer, hyena.HyenaState)]
  return size(long), size(state)


def write_run(run_dir: pathlib.Path, config: Config, params: hk.Params, step: int) -> None:
  """Makes a run folder whose one checkpoint holds these parameters.

  Training may go on from it: with a fresh optimiser, and no past for the stateful rows.
  """
  model = spectral_gpt.make_model(config.model)._replace(init=lambda key: params)
  fresh = train_states.initial_state(model, config)._replace(step=jnp.int32(step))
  run_folder.write_config(run_dir, config)
  store = checkpoint_store.Store(run_dir, keep_latest=1)
  store.save(step, params, train_states.stored(fresh, config.data.stateful_rows),
             {'heldout_loss': None})
  store.close()
