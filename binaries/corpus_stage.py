"""One stage of a synthetic corpus, in this process: its time and its peak memory.

  python -m binaries.corpus_stage --stage=write --format=parquet --folder=DIR

One line of JSON. A process of its own for each, because the peak never falls.
"""

import contextlib
import itertools
import json
import pathlib
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags, logging

from binaries import command_line, flag_types
from haiku_spectral.benchmarks import step_worker

STAGE = flags.DEFINE_enum(
    'stage', 'write', ['write', 'build', 'read', 'train'], 'What is measured.')
FORMAT = flags.DEFINE_string('format', 'parquet', 'Format of the source files.')
FOLDER = flag_types.define_path('folder', '', 'Folder of source/ and data/.')
NUM_BYTES = flag_types.define_integer(
    'num_bytes', 1 << 20, 'Stage write: bytes of text.', lower=1, upper=2**63 - 1)
WINDOW_BYTES = flag_types.define_integer(
    'window_bytes', 1 << 20, 'Stage read: bytes read in random windows.', upper=2**63 - 1)
STEPS = flag_types.define_integer('steps', 20, 'Stage train: steps of the preset tiny.', lower=5)
COMPILING = 3  # Steps that are not timed.


def peak_memory() -> int:
  """The peak memory, in bytes, of this process and of those that it started.

  ru_maxrss of a process begins with what its parent held, so of this one the system's own count is
  taken; those that it started begin with no more.
  """
  return max(step_worker.peak(), 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def _write(name: str, folder: pathlib.Path) -> dict[str, Any]:
  del name
  from datasets import synthetic  # Here, so that training does not hold what it needs.
  (folder / 'source').mkdir(parents=True, exist_ok=True)
  synthetic.write(folder / 'source', FORMAT.value, NUM_BYTES.value)
  return {}


def _build(name: str, folder: pathlib.Path) -> dict[str, Any]:
  from datasets import preparation, registry, streaming_builder, synthetic

  registry.add(synthetic.__name__)

  def make(data_dir: str) -> synthetic.RandomWords:
    builder = synthetic.RandomWords(data_dir=data_dir, config=name.partition('/')[2])
    builder.options = streaming_builder.Options(folder=str(folder / 'source'))
    return builder

  start = time.perf_counter()
  _, report = preparation.prepare(name, make, data_dir=str(folder / 'data'))
  seconds = time.perf_counter() - start
  return {'bytes': report['bytes_in'], 'documents': report['documents_in'], 'seconds': seconds}


def _read(name: str, folder: pathlib.Path) -> dict[str, Any]:
  from datasets import pipeline, prefetch, windows
  from haiku_spectral import config

  data_dir = str(folder / 'data')
  start = time.perf_counter()
  records = windows.Records(name, data_dir=data_dir, split='train')
  size = sum(int(record['length']) for record in records.stream())
  streamed = time.perf_counter()
  data = config.DataConfig(mixture=f'{name}:1')
  batches = pipeline.batches(data, data_dir=data_dir, seed=(0,))
  steps = max(1, WINDOW_BYTES.value // (data.batch_size * data.segment))
  with contextlib.closing(prefetch.iterate(batches)) as ahead:
    window_bytes = sum(next(ahead).inputs.size for _ in range(steps))
  return {'bytes': size, 'seconds': streamed - start, 'window_bytes': window_bytes,
          'window_seconds': time.perf_counter() - streamed}


class _Timed:
  """Batches, with the times at which each was requested and ready."""

  def __init__(self, batches: Any) -> None:
    self._batches = batches
    self.times: list[tuple[float, float]] = []

  def __next__(self) -> Any:
    asked = time.perf_counter()
    batch = next(self._batches)
    self.times.append((asked, time.perf_counter()))
    return batch

  def close(self) -> None:
    self._batches.close()


def _train(name: str, folder: pathlib.Path) -> dict[str, Any]:
  from datasets import pipeline, prefetch
  from haiku_spectral import config as configs
  from haiku_spectral.configs import tiny
  from haiku_spectral.modules import spectral_gpt
  from haiku_spectral.training import loop, task

  preset = tiny.get_config()
  preset.data.mixture = f'{name}:1'
  preset.train.steps, preset.train.optimizer.warmup_steps = COMPILING + STEPS.value + 1, 1
  config, data_dir = configs.from_config_dict(preset), str(folder / 'data')
  batches = pipeline.batches(config.data, data_dir=data_dir, seed=(0,))
  timed: list[_Timed] = []

  def batches_from(step: int) -> _Timed:
    timed.append(_Timed(prefetch.iterate(batches, step)))
    return timed[0]

  loop.train(config, task.Task(
      model=spectral_gpt.make_model(config.model), batches_from=batches_from,
      heldout=pipeline.evaluation_batches(config.data, data_dir=data_dir, limit=1),
  ), run_dir=folder / 'run', report=lambda line: None)
  counted = timed[0].times[COMPILING:]
  steps = [after - before for (before, _), (after, _) in itertools.pairwise(counted)]
  waits = [given - asked for asked, given in counted[:-1]]
  return {'steps': len(steps), 'step': statistics.median(steps), 'waits': sum(waits),
          'longest': max(waits), 'seconds': sum(steps)}


_STAGES: dict[str, Callable[[str, pathlib.Path], dict[str, Any]]] = {
    'write': _write, 'build': _build, 'read': _read, 'train': _train}


def main(argv: Sequence[str]) -> None:
  """Runs the stage and prints a line of JSON."""
  del argv
  logging.set_verbosity(logging.ERROR)  # What libraries log is for their developers.
  name = f'random_words/{FORMAT.value.replace(".", "_")}'
  found = _STAGES[STAGE.value](name, pathlib.Path(FOLDER.value))
  print(json.dumps({**found, 'peak': peak_memory()}))


if __name__ == '__main__':
  command_line.run(main)
