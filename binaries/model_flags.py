"""The flags that choose a trained model, and what they load."""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from absl import flags

from binaries import flag_types
from haiku_spectral import config as configs
from haiku_spectral.config import Config
from haiku_spectral.export import exported
from haiku_spectral.modules import precision
from haiku_spectral.training import checkpoint

RUN_DIR = flag_types.define_path(
    'run_dir', '', 'Folder of the training run whose model is used, or an exported model.')
BEST = flags.DEFINE_bool(
    'best', False, 'Uses the checkpoint with the lowest held-out loss instead of the latest one.')

SLOTS_TIMES = flag_types.define_integer(
    'slots_times', 1, 'Multiplies the slots of the exact memory\'s tables, a power of two. Larger '
    'tables forget less of a long text and take more bytes of state.', lower=1)
ONLINE_RATE = flag_types.define_float(
    'online_rate', 0.0, 'Rate at which the output layer learns from the text that it reads (the '
    'online head), such as 0.1; 0: not at all.', lower=0, upper=1)


def define_precision() -> flags.FlagHolder[str]:
  """`--precision`, of programs that choose it."""
  return flags.DEFINE_enum(
      'precision', 'float32', ['float32', 'bfloat16', 'float16'],
      'Floating-point type in which the layers compute.')


def check() -> None:
  """Raises ValueError when no run is given."""
  flag_types.given(RUN_DIR, flag_types.A_RUN)


def load_trained() -> tuple[Config, Any, int]:
  """`load` for programs that make a model of another: it gets no online head. Raises as `load`."""
  if ONLINE_RATE.value:
    raise ValueError('--online_rate is for programs that read text, not for the model that is made '
                     'here: leave it out.')
  return load()


def load() -> tuple[Config, Any, int]:
  """The config as the flags have it, the parameters in float32 on the host, the checkpoint's step.

  Raises ValueError or FileNotFoundError for a folder without a checkpoint that can be used.
  """
  return _load(RUN_DIR.value)


def _load(path: str) -> tuple[Config, Any, int]:
  config, params, step = _read(path)
  model = configs.with_slots(config.model, SLOTS_TIMES.value)
  model = dataclasses.replace(
      model, online_head=configs.OnlineHeadConfig(rate=ONLINE_RATE.value))
  return dataclasses.replace(config, model=model), params, step


def _read(path: str) -> tuple[Config, Any, int]:
  if exported.is_exported(path):
    if BEST.value:
      raise ValueError(f'--best is of a run, and {path} is an exported model: leave it out.')
    return exported.read(path)
  return checkpoint.load_params(path, best=BEST.value)


class Run(NamedTuple):
  """A trained model."""

  folder: str
  config: Config
  params: Any  # Float32, on the host.
  step: int


def load_runs() -> list[Run]:
  """The runs of `--run_dir=A,B`, which differ in their seed alone.

  Raises ValueError for runs whose models or data differ, and for what `load` does not allow.
  """
  check()
  folders = [flag_types.expand(folder) for folder in RUN_DIR.value.split(',') if folder]
  if len(set(folders)) < len(folders):
    raise ValueError(f'--run_dir={RUN_DIR.value} names a run twice: give each one once.')
  runs = [Run(folder, *_load(folder)) for folder in folders]
  for run in runs[1:]:
    if (run.config.model, run.config.data) != (runs[0].config.model, runs[0].config.data):
      raise ValueError(f'{runs[0].folder} and {run.folder} differ in their model or data: give '
                       'runs of one config with different seeds (--config.train.seed).')
  return runs


def describe(runs: list[Run]) -> str:
  """The runs, their steps and their tables in words."""
  return ', '.join(name(run.folder, run.step) for run in runs)


def name(folder: str, step: int) -> str:
  """A model in words, for what is measured of it."""
  tables = f' with {SLOTS_TIMES.value} times the slots' if SLOTS_TIMES.value > 1 else ''
  head = f' with an online head of rate {ONLINE_RATE.value:g}' if ONLINE_RATE.value else ''
  return f'{folder} at step {step:,}{tables}{head}'


def on_device(params: Any, dtype: str) -> Any:
  """The parameters where and in the type in which the layers compute."""
  return jax.device_put(precision.cast_params(params, jnp.dtype(dtype)))
