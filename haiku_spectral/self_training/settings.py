"""What a run of self-improvement is about, and what it may not change when it goes on."""

import dataclasses
import json
import pathlib
from typing import Any

from haiku_spectral.requirement import require
from haiku_spectral.storage import atomic_file, strict_json
from haiku_spectral.tasks import registry

ARMS = ('golden', 'unfiltered', 'control', 'oracle', 'agreement')
LEAD = ARMS[0]  # It finds what all of them ask.
FILE = 'settings.json'
# They may change while a run goes on: they say when it stops, not what it makes.
CHANGEABLE = ('rounds', 'allowed_easy_loss', 'allowed_bits')


def _setting(default: Any, explanation: str) -> Any:
  """A field, and its text in --help."""
  return dataclasses.field(default=default, metadata={'help': explanation})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
  """One family of problems, and how many are asked, sampled, trained on and measured."""

  family: str = _setting(
      'turkish_steps', f'Family of problems: {", ".join(registry.FAMILIES)}.')
  rounds: int = _setting(10, 'Rounds of an arm.')
  labelled: int = _setting(
      40_000, 'Problems with answers that the base model is trained on, all depths together.')
  labelled_depth: int = _setting(3, 'Greatest depth of the labelled problems.')
  deepest: int = _setting(12, 'Greatest depth that is asked and measured.')
  prompts: int = _setting(1000, 'Problems that a round asks.')
  samples: int = _setting(4, 'Completions that are sampled for each problem of a round.')
  temperature: float = _setting(0.8, 'Sampling temperature of rounds, probes and pass@k, above 0.')
  probe: int = _setting(
      32, "The gate's problems of each depth that show where the frontier is.")
  gate: int = _setting(
      100, "The gate's problems of each labelled depth, which show whether a round has made the "
      'model worse.')
  heldout: int = _setting(100, 'Held-out problems of each depth that models are measured by.')
  pass_heldout: int = _setting(
      32, 'Of these, the problems of each depth that pass@k is measured on.')
  pass_attempts: int = _setting(8, 'Attempts at each problem of pass@k, 8 or more.')
  wrong_accepted: float = _setting(
      0.0, 'Share of wrong answers that the acceptance filter takes for right, from 0 to 1: to see '
      'what a verifier that errs does to the loop.')
  allowed_easy_loss: float = _setting(
      0.05, "pass@1 that the gate's problems of labelled depths may lose against the base model.")
  allowed_bits: float = _setting(
      0.1, 'Bits per byte that real text may take more than with the base model.')

  @property
  def depths(self) -> range:
    """All that are measured."""
    return range(1, self.deepest + 1)

  def __post_init__(self) -> None:
    """Raises ValueError for a value that is not allowed."""
    depths = registry.family(self.family).depths
    for field in dataclasses.fields(self):
      if field.type is int:
        value = getattr(self, field.name)
        require(value >= 1, f'--{field.name}', value, '1 or more')
    require(self.deepest in depths, '--deepest', self.deepest,
            f'{depths.start} to {depths.stop - 1} with --family={self.family}')
    require(self.labelled >= self.labelled_depth, '--labelled', self.labelled,
            f'{self.labelled_depth} or more: one problem of each labelled depth')
    require(self.labelled_depth <= self.deepest, '--labelled_depth', self.labelled_depth,
            f'1 to --deepest={self.deepest}')
    require(0 <= self.wrong_accepted <= 1, '--wrong_accepted', self.wrong_accepted, '0 to 1')
    require(self.pass_heldout <= self.heldout, '--pass_heldout', self.pass_heldout,
            f'--heldout={self.heldout} or fewer')
    require(self.pass_attempts >= 8, '--pass_attempts', self.pass_attempts, '8 or more')
    require(0 < self.temperature < float('inf'), '--temperature', self.temperature,
            'more than 0: greedy samples would all be the same')


def keep(settings: Settings, config: str, folder: pathlib.Path) -> None:
  """Notes what the run in a folder is about; `config` is the JSON of how it trains.

  Raises ValueError naming what differs when there is a run with other settings already.
  """
  path = folder / FILE
  version = registry.family(settings.family).version
  wanted = {**dataclasses.asdict(settings), 'config': json.loads(config), 'version': version}
  if not path.exists():
    folder.mkdir(parents=True, exist_ok=True)
    atomic_file.write_text(path, json.dumps(wanted, indent=2) + '\n')
    return
  found = _read(path)
  for name, value in wanted.items():
    if found.get(name) == value or name in CHANGEABLE:
      continue
    if name == 'version':
      raise ValueError(
          f'the run in {folder} was begun with another version of the problems of '
          f'{settings.family} ({found.get(name, "1")}, now {value}): give another --run_dir.')
    shown = '' if name == 'config' else f' ({found.get(name)!r} there, {value!r} given)'
    raise ValueError(
        f'the run in {folder} was begun with another --{name}{shown}: give what it was begun '
        'with, or another --run_dir.')


def _read(path: pathlib.Path) -> dict[str, Any]:
  """The settings in a file."""
  try:
    found = strict_json.loads(path.read_bytes())
    if not isinstance(found, dict):
      raise ValueError('no object of fields')
  except ValueError as error:
    raise ValueError(f'{path} is damaged ({error}): restore it, or give another --run_dir.'
                     ) from error
  return found
