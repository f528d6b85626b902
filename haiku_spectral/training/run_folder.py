"""The folder of a run: what is in it, whose it is, and with which config it may go on."""

import contextlib
import fcntl
import os
import pathlib
from collections.abc import Iterator

from haiku_spectral import config as configs
from haiku_spectral.config import Config, phases

CONFIG = 'config.json'
CHECKPOINTS = 'checkpoints'
DAMAGED = 'damaged'  # Checkpoints that could not be read, moved out of the way.
METRICS = 'metrics.jsonl'
LOCK = '.lock'

# Fields that may change while a run goes on: they say how long and how it is watched. With another
# number of steps the rest of the learning rate's schedule is that of the new number. Phases of a
# curriculum may change as long as they have not begun.
CHANGEABLE = (
    'config.train.steps', 'config.train.log_every', 'config.train.eval_every',
    'config.train.eval_batches', 'config.train.extrapolation_every',
    'config.train.checkpoint_every', 'config.train.keep_latest', 'config.train.guard',
)


def write_atomically(path: pathlib.Path, text: str) -> None:
  """Writes a file so that it is there whole or not at all."""
  partial = path.with_name(path.name + '.partial')
  with open(partial, 'w', encoding='utf-8') as file:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())
  partial.rename(path)


def has_checkpoint(run_dir: pathlib.Path) -> bool:
  """Whether a training has ever saved something here."""
  return last_step(run_dir) is not None


def last_step(run_dir: pathlib.Path) -> int | None:
  """The last step that was saved, whole or not; None when nothing was."""
  folder = run_dir / CHECKPOINTS
  names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
  return max((int(name) for name in names if name.isdigit()), default=None)


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

  Raises ValueError listing the fields in which the config contradicts the run's.
  """
  last = last_step(run_dir)
  if last is None:
    return []
  before = read_config(run_dir)
  ahead = [f'config.curriculum[{number}].' for number, phase in enumerate(phases.plan(before))
           if phase.first_step >= last]
  different = configs.differences(before, config)
  allowed = [line for line in different if line.startswith((*CHANGEABLE, *ahead))]
  contradictions = [line for line in different if line not in allowed]
  if contradictions:
    raise ValueError(
        f'--config contradicts the run in {run_dir} (the run\'s value != the given value):\n  '
        + '\n  '.join(contradictions)
        + '\nGive the run\'s values, or another --run_dir to start a new run. What may change is '
        + ', '.join((*CHANGEABLE, *ahead)) + '.')
  return allowed


def write_config(run_dir: pathlib.Path, config: Config) -> None:
  """Stores the config with which a run begins or goes on."""
  run_dir.mkdir(parents=True, exist_ok=True)
  write_atomically(run_dir / CONFIG, configs.to_json(config))


@contextlib.contextmanager
def locked(run_dir: pathlib.Path) -> Iterator[None]:
  """Keeps a second training out of the folder; the lock ends with the process, however it ends."""
  run_dir.mkdir(parents=True, exist_ok=True)
  with open(run_dir / LOCK, 'w', encoding='utf-8') as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      raise ValueError(
          f'another training is writing to {run_dir}: wait for it, stop it, or give another '
          '--run_dir.') from error
    yield
