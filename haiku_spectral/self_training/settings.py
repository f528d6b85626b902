"""What a run of self-improvement is about, and what it may not change when it goes on."""

import dataclasses
import json
import pathlib
from typing import Any

from haiku_spectral.storage import atomic_file
from haiku_spectral.tasks import registry

ARMS = ('golden', 'control', 'unfiltered', 'oracle')
FILE = 'settings.json'
# They may change while a run goes on: they say when it stops, not what it makes.
CHANGEABLE = ('allowed_easy_loss', 'allowed_bits')


def _setting(default: Any, told: str) -> Any:
  """A field, and what --help tells of it."""
  return dataclasses.field(default=default, metadata={'help': told})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
  """One family, and how much is asked, written, trained on and measured."""

  family: str = _setting('turkish_suffixes', 'Which problems.')
  rounds: int = _setting(4, 'How many.')
  labelled: int = _setting(6000, 'Problems with answers that the base model is trained on.')
  labelled_depth: int = _setting(6, 'The deepest of them.')
  prompts: int = _setting(4000, 'Problems that a round asks.')
  samples: int = _setting(2, 'Completions of each of them.')
  temperature: float = _setting(0.8, 'Of all sampling.')
  probe: int = _setting(32, 'Problems of each depth that show where the frontier is.')
  heldout: int = _setting(400, 'Problems of each depth that models are measured by.')
  pass_heldout: int = _setting(100, 'Of those, the ones that pass@k is measured on.')
  pass_attempts: int = _setting(16, 'Attempts at each of these.')
  allowed_easy_loss: float = _setting(
      0.05, 'Of pass@1 on the two lowest depths, against the base model.')
  allowed_bits: float = _setting(0.1, 'Per byte of real text, against the base model.')

  def __post_init__(self) -> None:
    """Raises ValueError for a value that is not allowed."""
    depths = registry.family(self.family).depths
    for field in dataclasses.fields(self):
      value = getattr(self, field.name)
      if field.type is int:
        _require(value >= 1, field.name, value, '1 or more')
    _require(self.labelled_depth in depths, 'labelled_depth', self.labelled_depth,
             f'{depths.start} to {depths.stop - 1}')
    _require(self.pass_heldout <= self.heldout, 'pass_heldout', self.pass_heldout,
             f'--heldout={self.heldout} or fewer')
    _require(self.pass_attempts >= 8, 'pass_attempts', self.pass_attempts, '8 or more')
    _require(0 < self.temperature < float('inf'), 'temperature', self.temperature,
             'more than 0: greedy samples would all be the same')


def _require(condition: bool, flag: str, value: object, allowed: str) -> None:
  if not condition:
    raise ValueError(f'--{flag}={value} is not allowed: give {allowed}.')


def keep(settings: Settings, config: str, folder: pathlib.Path) -> None:
  """Notes what the run in a folder is about; `config` is the JSON of how it trains.

  Raises ValueError naming what differs when there is a run with other settings already.
  """
  path = folder / FILE
  wanted = {**dataclasses.asdict(settings), 'config': json.loads(config)}
  if not path.exists():
    folder.mkdir(parents=True, exist_ok=True)
    atomic_file.write_text(path, json.dumps(wanted, indent=2) + '\n')
    return
  try:
    found = json.loads(path.read_text(encoding='utf-8'))
  except ValueError as error:
    raise ValueError(f'{path} is damaged ({error}): restore it, or give another --run_dir.'
                     ) from error
  for name, value in wanted.items():
    if found.get(name) != value and name not in CHANGEABLE:
      shown = '' if name == 'config' else f' ({found.get(name)!r} there, {value!r} given)'
      raise ValueError(
          f'the run in {folder} was begun with another --{name}{shown}: give what it was begun '
          'with, or another --run_dir.')
