"""What all builders share: documents in, TFDS splits of packed records out.

A builder says which documents its splits hold (`_plan`); this class packs them into ArrayRecord
files in stream order, and writes beside them

  report.json      what went in, what was filtered out and why (`report`);
  documents.jsonl  one line for each document: id, split, bytes, name.

TFDS renames the folder into place when all of it is written, so what is there is complete.
"""

import abc
import functools
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from datasets import packing, text_files
from haiku_spectral.storage import file_name

RECORDS_PER_SHARD = 4096  # 256 MiB
MAX_SHARDS = 256  # Per split: each is a file that a reader holds open.
REPORT = 'report.json'
DOCUMENTS = 'documents.jsonl'
WORK_UNITS = '.work_units'  # Below a data folder: kept for resuming a build.


class Document(NamedTuple):
  """One document of a plan."""

  id: int
  name: str
  size: int  # Bytes that `read` gives.
  read: Callable[[], Iterator[bytes]]


class Plan(NamedTuple):
  """What will be built."""

  splits: Mapping[str, Sequence[Document]]
  filtered: text_files.Filtered
  copies: int = 0  # Documents that repeat the text of another one, in the same split.


# Called with the name of a stage and its bytes; returns a function to be called with the bytes of
# each piece of work that is done.
Progress = Callable[[str, int], Callable[[int], object]]


class PackedBuilder(tfds.core.ShardBasedBuilder):
  """Base class of the builders."""

  # Set it before `download_and_prepare` to follow the work.
  progress: Progress = staticmethod(lambda stage, total: lambda size: None)

  @abc.abstractmethod
  def _plan(self) -> Plan:
    """Finds and checks the documents. Raises ValueError for what a user must mend."""

  def settings(self) -> dict[str, Any]:
    """What the user chose, as JSON would hold it: goes into the report."""
    return {}

  def _info(self) -> tfds.core.DatasetInfo:
    return self.dataset_info_from_configs(
        features=features(), disable_shuffling=True, homepage=getattr(self, 'HOMEPAGE', None))

  def _shard_iterators_per_split(self, dl_manager: Any) -> dict[str, list[Callable[[], Iterator]]]:
    del dl_manager
    plan = self._plan()
    self._write_tables(plan)
    total = sum(document.size for part in plan.splits.values() for document in part)
    advance = self.progress('packing', total)
    return {split: _shards(part, advance) for split, part in plan.splits.items()}

  def _write_tables(self, plan: Plan) -> None:
    with (self.data_path / DOCUMENTS).open('w', encoding='utf-8') as file:
      for split, part in plan.splits.items():
        for document in part:
          line = {'id': document.id, 'split': split, 'bytes': document.size,
                  'name': file_name.printable(document.name)}
          file.write(json.dumps(line, ensure_ascii=False) + '\n')
    (self.data_path / REPORT).write_text(
        json.dumps({**self.settings(), **report(plan)}, indent=2, ensure_ascii=False),
        encoding='utf-8')


def features() -> tfds.features.FeaturesDict:
  """The features of a record (see packing.py)."""
  return tfds.features.FeaturesDict({
      'bytes': tfds.features.Tensor(
          shape=(packing.RECORD_BYTES,), dtype=np.uint8, encoding=tfds.features.Encoding.BYTES),
      'length': np.int32,
      'positions': tfds.features.Tensor(shape=(None,), dtype=np.int32),
      'documents': tfds.features.Tensor(shape=(None,), dtype=np.int64),
      'offsets': tfds.features.Tensor(shape=(None,), dtype=np.int64),
  })


def report(plan: Plan) -> dict[str, Any]:
  """What went in and what was filtered out, for people and for programs."""
  splits = {}
  for split, part in plan.splits.items():
    sizes = [document.size for document in part]
    splits[split] = {'documents': len(part), 'bytes': sum(sizes),
                     'records': packing.count_records(len(sizes), sum(sizes)),
                     'longest_document': max(sizes)}
  filtered = plan.filtered
  return {
      'splits': splits,
      'copies': plan.copies,
      'filtered': dict(sorted(filtered.counts.items())),
      'first_filtered': [{'file': name, 'reason': reason} for name, reason in filtered.first],
  }


def _shards(
    part: Sequence[Document], advance: Callable[[int], object]
) -> list[Callable[[], Iterator]]:
  """One iterator of (key, record) for each file; they share one stream and are read in order."""
  total = packing.count_records(len(part), sum(document.size for document in part))
  per_shard = max(RECORDS_PER_SHARD, -(-total // MAX_SHARDS))
  stream = enumerate(packing.pack((document.id, _chunks(document, advance)) for document in part))
  return [functools.partial(_emptied, itertools.islice(stream, per_shard))
          for _ in range(-(-total // per_shard))]


def _emptied(examples: Iterator[tuple[int, packing.Record]]) -> Iterator[tuple[int, dict]]:
  """Empties every record after it was written.

  TFDS keeps all examples of a shard until the shard ends, only to count them: emptied they weigh
  nothing.
  """
  for key, record in examples:
    yield key, record
    record.clear()


def _chunks(document: Document, advance: Callable[[int], object]) -> Iterator[bytes]:
  size = 0
  for chunk in document.read():
    size += len(chunk)
    advance(len(chunk))
    yield chunk
  if size != document.size:
    raise ValueError(
        f'{file_name.printable(document.name)} changed while it was read ({document.size} bytes '
        f'before, {size} now): run again when nothing writes to the folder.')
