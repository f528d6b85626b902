"""The batches of a run, phase by phase, and what a checkpoint records of their sources."""

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from datasets import packing, pipeline, registry, windows
from haiku_spectral import config as configs
from haiku_spectral.config import phases

HASHED_RECORDS = 64  # Of a split, evenly spread: 4 MiB, read in 0.1 s.


class Batches:
  """The batches of a run on one host: [k] is what it reads at step k, whatever was read before.

  The sources of a batch are numbers of `phases.sources(config)`. What a phase reads is opened when
  its first batch is asked for, so that it may be made while an earlier phase lasts.
  """

  def __init__(
      self, config: configs.Config, *, data_dir: str, host: int = 0, hosts: int = 1
  ) -> None:
    self._config, self._data_dir = config, data_dir
    self._host, self._hosts = host, hosts
    self._plan = phases.plan(config)
    self._open = functools.lru_cache(maxsize=2)(self._open_stage)
    self._fingerprint = functools.cache(lambda name: fingerprint(name, data_dir))

  def __len__(self) -> int:
    """The number of steps of the run."""
    return self._plan[-1].end

  def __getitem__(self, step: int) -> pipeline.Batch:
    """The rows of this host at a step."""
    if not 0 <= step < len(self):
      raise IndexError(f'there are {len(self)} steps, got {step}.')
    number, stage = phases.at(self._plan, step)
    places, batches = self._open(number, stage)
    batch = batches[step - self._plan[number].stages[stage].first_step]
    return batch._replace(sources=places[batch.sources])

  def _open_stage(self, number: int, stage_number: int) -> tuple[np.ndarray, pipeline.Batches]:
    phase = self._plan[number]
    stage = phase.stages[stage_number]
    names = phases.sources(self._config)
    places = [names.index(name) for name in configs.parse_mixture(phase.data.mixture)]
    # A stage has its own windows, but its stateful rows go on from the stage before.
    return np.array(places, np.int32), pipeline.batches(
        phase.data, data_dir=self._data_dir, seed=(self._config.train.seed, number),
        segment=stage.segment, offset=stage.offset, host=self._host, hosts=self._hosts)

  def missing(self) -> dict[str, str]:
    """The datasets of later phases that are not built yet, and the phase that first reads each."""
    return {
        name: phase.name for phase in reversed(self._plan[1:])
        for name in configs.parse_mixture(phase.data.mixture)
        if not registry.is_complete(registry.folder(name, self._data_dir))
    }

  def reading(self, step: int) -> dict[str, Any]:
    """What a checkpoint of a step records of the data: its phase, and the datasets read so far."""
    number, stage = phases.at(self._plan, step)
    phase = self._plan[number]
    begun = self._names(phase for phase in self._plan if phase.first_step < max(step, 1))
    return {
        'phase': phase.name,
        'weights': configs.parse_mixture(phase.data.mixture),
        'segment': phase.stages[stage].segment,
        'datasets': {name: self._fingerprint(name) for name in begun},
    }

  def verify(self, step: int, reading: Mapping[str, Any]) -> None:
    """Raises ValueError naming a dataset that is no longer what it was when a step was saved.

    Only those matter that are read from there on.
    """
    ahead = self._names(phase for phase in self._plan if step < phase.end)
    for name in ahead.keys() & reading.get('datasets', {}).keys():
      was, now = reading['datasets'][name], self._fingerprint(name)
      if was != now:
        raise ValueError(
            f'the dataset {name!r} in {self._data_dir!r} has changed since step {step} was saved '
            f'({_shown(was)} then, {_shown(now)} now): bring back what it was, or give another '
            '--run_dir to start a new run.')

  def _names(self, chosen: Iterable[phases.Phase]) -> dict[str, None]:
    """The datasets of some phases, and those that the run is measured by, each once."""
    mixtures = [self._config.data.mixture, *(phase.data.mixture for phase in chosen)]
    return dict.fromkeys(name for mixture in mixtures for name in configs.parse_mixture(mixture))


def fingerprint(name: str, data_dir: str) -> dict[str, str]:
  """Version and digest of a built dataset: the same wherever and however often it is built.

  The digest is of the number of records of every split and of 64 records of the training split. So
  it is of all of a small dataset, and of a large one whatever moves the bytes behind it; a letter
  replaced by another may escape.
  """
  records = windows.Records(name, data_dir=data_dir, split='train')
  folder = registry.folder(name, data_dir)
  info = json.loads((folder / 'dataset_info.json').read_text(encoding='utf-8'))
  sizes = sorted((split['name'], sum(map(int, split['shardLengths'])))
                 for split in info['splits'])
  digest = hashlib.sha256(json.dumps(sizes).encode())
  for index in np.unique(np.linspace(0, len(records) - 1, HASHED_RECORDS).round().astype(int)):
    digest.update(packing.record_ids(records[int(index)]).tobytes())
  return {'version': folder.name, 'digest': digest.hexdigest()[:16]}


def _shown(found: Mapping[str, str]) -> str:
  return f'{found["version"]} {found["digest"]}'
