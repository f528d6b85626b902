"""Long filters made of taps, replaced by sums of exponentials: N modes of state for S inputs.

Shapes: S horizon (taps), D channels, N modes, L super-blocks.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral.config import Config, FilterConfig, ModelConfig
from haiku_spectral.distillation import modal_fit
from haiku_spectral.distillation.filter_errors import Errors, measure, taps_of
from haiku_spectral.distillation.modal_params import Modes, filter_config, filter_params
from haiku_spectral.modules import filters, hyena, spectral_gpt
from haiku_spectral.training import checkpoint_store, run_folder
from haiku_spectral.training import state as train_states


class Distilled(NamedTuple):
  """A model whose long filters are modal, and what that cost."""

  config: ModelConfig
  params: hk.Params
  errors: dict[str, Errors]  # By the super-block and the module in it: '0/block_1/hyena/filter'.


def distill(
    config: ModelConfig, params: hk.Params, *, modes: int,
    on_progress: Callable[[int], object] = lambda channels: None,
) -> Distilled:
  """Replaces every filter network by the modal filter that is closest to it.

  All else stays as it is. `on_progress` gets numbers of channels fitted, of `num_channels(params)`
  in all.
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
  size = hk.data_structures.tree_bytes
  state = jax.eval_shape(lambda: spectral_gpt.make_model(config).initial_state(1))
  long = [mixer.long for letter, mixer in zip(config.pattern, state.blocks, strict=True)
          if letter == hyena.MIXER.letter]
  return size(long), size(state)


def write_run(run_dir: pathlib.Path, config: Config, params: hk.Params, step: int) -> None:
  """Makes a run folder whose one checkpoint holds these parameters.

  Training may go on from it: with a new optimiser state, and initial states for the stateful rows.
  """
  model = spectral_gpt.make_model(config.model)._replace(init=lambda key: params)
  fresh = train_states.initial_state(model, config)._replace(step=jnp.int32(step))
  run_folder.write_config(run_dir, config)
  store = checkpoint_store.Store(run_dir, keep_latest=1)
  store.save(step, params, train_states.stored(fresh, config.data.stateful_rows),
             {'heldout_loss': None})
  store.close()
