"""What a run folder holds, read once and whole, whatever is missing or damaged."""

import dataclasses
import pathlib
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import haiku as hk
import jax

from haiku_spectral.config import Config, phases
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.storage import append_log, strict_json
from haiku_spectral.training import metrics, run_folder

# What using a file raises that is JSON but not the report that its name promises.
DAMAGED = (KeyError, TypeError, ValueError, IndexError, AttributeError)
BENCHMARK = 'benchmark'  # The folder of a report of binaries/benchmark.
_NO_MEASUREMENT = (run_folder.CONFIG,)


class Source(NamedTuple):
  """A dataset that the run trains on."""

  name: str
  report: Mapping[str, Any] | None  # What was built (report.json); None: it is not there.
  description: str = ''
  languages: tuple[str, ...] = ()  # ISO 639-1.
  citation: str = ''
  build: str = ''  # The command that builds it.
  problem: str = ''  # Why there is no report.

  @property
  def train_bytes(self) -> int:
    """Bytes of its training split; 0 when it is not there."""
    return int(self.report['splits']['train']['bytes']) if self.report else 0


class Shape(NamedTuple):
  """The size of a model."""

  parameters: int
  state_bytes: int  # Of one sequence, in float32.
  flops_per_byte: float  # Of training: forward and backward.


class Results(NamedTuple):
  """All that is known of a run."""

  folder: str  # As the user typed it.
  config: Config
  step: int  # The last one that is known of.
  shape: Shape
  rows: Sequence[metrics.Row]
  found: Mapping[str, Any]  # The object of NAME.json by NAME.
  unreadable: Mapping[str, str]  # Why a file could not be read, by its name.
  pictures: Mapping[str, bytes]  # NAME.png by NAME.
  samples: Sequence[Mapping[str, Any]]  # The latest of each prompt.
  sources: Sequence[Source]

  def of_kind(self, kind: str) -> list[metrics.Row]:
    """The rows of training ('train'), of held-out text ('heldout'), or of a hook."""
    return [row for row in self.rows if row['kind'] == kind]

  @property
  def heldout(self) -> list[metrics.Row]:
    """The rows of held-out text with a finite loss."""
    return [row for row in self.of_kind(metrics.HELDOUT) if row['bits_per_byte'] is not None]

  def bytes_trained(self) -> dict[str, int]:
    """Bytes that were scored in training, by source."""
    last = (self.of_kind(metrics.TRAIN) or [{}])[-1]
    return {key.removeprefix('bytes/'): int(value) for key, value in last.items()
            if key.startswith('bytes/')}

  def median(self, name: str) -> float | None:
    """The median of a scalar over the rows of training."""
    values = [row[name] for row in self.of_kind(metrics.TRAIN) if row.get(name) is not None]
    return statistics.median(values) if values else None

  def typed(self, name: str) -> str | None:
    """The command that made NAME.json, where it says so."""
    return self.found.get(name, {}).get('command')

  def command(self, name: str) -> str:
    """What makes NAME.json."""
    return self.typed(name) or COMMANDS.get(name, COMMANDS['suite']).format(
        run=self.folder, name=name)


COMMANDS = {
    'train': './run //binaries:train --run_dir={run}',
    'extrapolation': './run //binaries:eval_extrapolation --run_dir={run}',
    'context': './run //binaries:eval_context --run_dir={run}',
    **{name: f'./run //binaries:evaluate --suite={name} --run_dir={{run}} --text=FILES'
       for name in ('length', 'compression')},
    'suite': './run //binaries:evaluate --suite={name} --run_dir={run}',
    'samples': "./run //binaries:sample --run_dir={run} --prompt='Once ' "
               f'--record={{run}}/{run_folder.SAMPLES}',
    'benchmark': f'./run //binaries:benchmark --run_dir={{run}} --out={{run}}/{BENCHMARK} '
                 '--sections=flat,memory',
}


def read(run_dir: pathlib.Path | str, sources: Sequence[Source]) -> Results:
  """Reads a run folder.

  Raises FileNotFoundError or ValueError when it is none: when it has no config.
  """
  folder = pathlib.Path(run_dir)
  config = run_folder.read_config(folder)
  rows = metrics.read(folder)
  steps = [row['step'] for row in rows] + [run_folder.last_step(folder) or 0]
  found, unreadable = {}, {}
  for path in sorted([*folder.glob('*.json'), *folder.glob(f'{BENCHMARK}/results.json')]):
    name = path.stem if path.parent == folder else BENCHMARK
    if path.name in _NO_MEASUREMENT:
      continue
    try:
      value = strict_json.loads(path.read_text(encoding='utf-8'))
      if not isinstance(value, dict):
        raise ValueError('it is no JSON object')
      found[name] = value
    except (OSError, ValueError) as error:
      unreadable[path.name] = ' '.join(str(error).split())
  pictures = {path.stem: path.read_bytes() for path in sorted(folder.glob('*.png'))}
  return Results(str(run_dir), config, max(steps), shape(config), rows, found, unreadable, pictures,
                 list(_samples(folder / run_folder.SAMPLES)), tuple(sources))


def shape(config: Config) -> Shape:
  """The size of a config's model; nothing is computed."""
  model = spectral_gpt.make_model(config.model)
  params = jax.eval_shape(model.init, jax.random.key(0))
  state = jax.eval_shape(lambda: model.initial_state(1))
  return Shape(
      sum(leaf.size for leaf in jax.tree.leaves(params)),
      hk.data_structures.tree_bytes(state),
      spectral_gpt.training_flops_per_byte(config.model, config.data.segment))


def _samples(path: pathlib.Path) -> Iterator[Mapping[str, Any]]:
  """The last sample of each prompt, in the order in which prompts first came."""
  latest: dict[str, Mapping[str, Any]] = {}
  for line in append_log.read(path)[0]:
    try:
      value = strict_json.loads(line)
    except ValueError:
      continue
    if isinstance(value, dict) and {'prompt', 'texts'} <= value.keys():
      latest[str(value['prompt'])] = value
  yield from latest.values()


class PhaseStatus(NamedTuple):
  """A phase of the training, and how far it has come."""

  phase: phases.Phase
  status: str  # 'finished', 'running' or 'ahead'.


def phase_statuses(results: Results) -> list[PhaseStatus]:
  """All phases of the plan, in order."""
  def status(phase: phases.Phase) -> str:
    if results.step >= phase.end:
      return 'finished'
    return 'running' if results.step > phase.first_step or not phase.first_step else 'ahead'

  return [PhaseStatus(phase, status(phase)) for phase in phases.plan(results.config)]


def measured_step(value: Mapping[str, Any]) -> int | None:
  """The step of the model that a report is about, where it says so."""
  match = re.search(r'at step ([\d,]+)', str(value.get('source', '')))
  return int(match[1].replace(',', '')) if match else None


def changed_fields(config: Config) -> list[tuple[str, Any, Any]]:
  """(path, value, default) of all fields of a config."""
  def walk(value: Any, default: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if dataclasses.is_dataclass(value):
      for field in dataclasses.fields(value):
        before = getattr(default, field.name) if default is not None else (
            field.default if field.default is not dataclasses.MISSING else None)
        yield from walk(getattr(value, field.name), before, f'{path}.{field.name}')
    elif isinstance(value, tuple):
      for number, each in enumerate(value):
        yield from walk(each, None, f'{path}[{number}]')
    else:
      yield path, value, default

  return list(walk(config, Config(), 'config'))
