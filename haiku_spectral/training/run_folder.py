"""The folder of a run: what is in it, whose it is, and with which config it may go on."""

import contextlib
import pathlib

from haiku_spectral import config as configs
from haiku_spectral.config import Config, phases
from haiku_spectral.storage import atomic_file, file_lock

CONFIG = 'config.json'
CHECKPOINTS = 'checkpoints'
DAMAGED = 'damaged'  # Checkpoints that could not be read, moved out of the way.
METRICS = 'metrics.jsonl'
# What other programs add: sample --record, report (.html and .md), model_card.
SAMPLES, REPORT, CARD = 'samples.jsonl', 'report', 'model_card.md'
LOCK = '.lock'


def has_checkpoint(run_dir: pathlib.Path) -> bool:
  """Whether a training has ever saved something here."""
  return last_step(run_dir) is not None


def last_step(run_dir: pathlib.Path) -> int | None:
  """The last step that was saved, complete or not; None when nothing was."""
  return next(iter(steps(run_dir)), None)


def steps(run_dir: pathlib.Path) -> list[int]:
  """The steps of all checkpoints, complete or not, newest first."""
  folder = run_dir / CHECKPOINTS
  names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
  return sorted((int(name) for name in names if name.isdigit()), reverse=True)


def read_config(run_dir: pathlib.Path) -> Config:
  """The config of the run. Raises FileNotFoundError or ValueError, which say what to do."""
  path = run_dir / CONFIG
  if not path.is_file():
    raise FileNotFoundError(
        f'{path} does not exist, so {run_dir} is not the folder of a run: give the --run_dir of a '
        'run, or train one with python -m binaries.train --run_dir=...')
  try:
    return configs.from_json(path.read_text(encoding='utf-8'))
  except ValueError as error:
    raise ValueError(f'{path} cannot be read: {error}') from error


def changes(run_dir: pathlib.Path, config: Config) -> list[str]:
  """What the config changes in a run that goes on: none in a new one.

  Fields that are marked for it may change, and phases of a curriculum that have not begun.

  Raises ValueError listing the fields in which the config contradicts the run's.
  """
  last = last_step(run_dir)
  if last is None:
    return []
  before = read_config(run_dir)
  ahead = [f'config.curriculum[{number}]' for number, phase in enumerate(phases.plan(before))
           if phase.first_step >= last]
  changeable = [*configs.may_change(before), *ahead]
  different = configs.differences(before, config)
  allowed = [line for line in different
             if line.startswith(tuple(f'{path}{end}' for path in changeable for end in ':.'))]
  contradictions = [line for line in different if line not in allowed]
  if contradictions:
    raise ValueError(
        f'--config contradicts the run in {run_dir} (the run\'s value != the given value):\n  '
        + '\n  '.join(contradictions)
        + '\nGive the run\'s values, or another --run_dir to start a new run. What may change is '
        + ', '.join(changeable) + '.')
  return allowed


def write_config(run_dir: pathlib.Path, config: Config) -> None:
  """Stores the config with which a run begins or goes on."""
  run_dir.mkdir(parents=True, exist_ok=True)
  atomic_file.write_text(run_dir / CONFIG, configs.to_json(config))


def locked(run_dir: pathlib.Path) -> contextlib.AbstractContextManager[None]:
  """Keeps a second training out of the folder for as long as the `with` block lasts.

  Raises ValueError when another training is in it.
  """
  run_dir.mkdir(parents=True, exist_ok=True)
  return file_lock.exclusive(
      run_dir / LOCK, busy=f'another training is writing to {run_dir}',
      advice='wait for it, stop it, or give another --run_dir.')
