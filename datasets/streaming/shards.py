"""The third pass: from a range of a split's stream to one file of records.

The position of every document in the stream is known, so a shard needs nothing of the shards before
it: it begins and ends at a record, in the middle of documents if it must.
"""

import functools
import io
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from tensorflow_datasets.core import example_serializer, file_adapters

from datasets import packed_builder, packing
from datasets.streaming import assignment, collect, spool, table, work_units


class Piece(NamedTuple):
  """A file, some documents of which are in the shard."""

  folder: str  # Its work unit.
  codes: str  # The file that says in which split each of its documents is.
  begin: int  # The position of its first document of the split in the stream of the split.


class Task(NamedTuple):
  """A shard to write: positions begin .. end - 1 of the stream of a split."""

  folder: str  # Of the work unit.
  assignment: str  # The key of the split assignment.
  split: int  # The code of documents in it.
  begin: int
  end: int
  pieces: tuple[Piece, ...]

  @property
  def size(self) -> int:
    """How much work it is, in bytes."""
    return self.end - self.begin


def tasks(
    folder: pathlib.Path, assigned: dict[str, Any], task: assignment.Task
) -> dict[str, list[Task]]:
  """The shards of every split."""
  numbers = assigned['splits'].values()
  streams = [split['documents'] + split['bytes'] for split in numbers]
  ends = [*assigned['begins'][1:], streams]  # Of each file in each stream.
  shards: dict[str, list[Task]] = {}
  for split, name in enumerate(assigned['splits']):
    records = assigned['splits'][name]['records']
    per_shard = max(packed_builder.RECORDS_PER_SHARD, -(-records // packed_builder.MAX_SHARDS))
    size = per_shard * packing.RECORD_BYTES
    shards[name] = []
    for begin in range(0, streams[split], size):
      end = min(begin + size, streams[split])
      pieces = tuple(
          Piece(file.folder, str(assignment.codes_path(task.folder, i)), file_begin[split])
          for i, (file, file_begin, file_end) in enumerate(
              zip(task.files, assigned['begins'], ends, strict=True))
          if file_begin[split] < end and file_end[split] > begin)
      shards[name].append(Task(
          str(folder / f'{name}-{begin // size:05}'), assigned['key'], split, begin, end, pieces))
  return shards


def run(task: Task, advance: collect.Advance = lambda size: None) -> dict[str, Any]:
  """Makes the work unit of a task. Its result: how many `records`, in how many `bytes`."""
  key = work_units.key(task.assignment, task.split, task.begin, task.end)
  done = work_units.result(pathlib.Path(task.folder), key)
  if done is not None:
    advance(task.size)
  return done or work_units.make(
      pathlib.Path(task.folder), key, functools.partial(_write, task, advance))


def file_path(folder: str | pathlib.Path) -> pathlib.Path:
  """The file of records of a work unit."""
  return pathlib.Path(folder) / 'records.array_record'


def records(
    task: Task, advance: collect.Advance = lambda size: None
) -> Iterator[tuple[int, packing.Record]]:
  """The records of a shard and their numbers in the split."""
  first = task.begin // packing.RECORD_BYTES
  skipped, documents = _documents(task)
  for number, record in enumerate(packing.pack(documents, skipped=skipped), first):
    yield number, record
    advance(int(record['length']))


def _write(task: Task, advance: collect.Advance, folder: pathlib.Path) -> dict[str, Any]:
  features = packed_builder.features()
  serializer = example_serializer.ExampleSerializer(features.get_serialized_info())
  count = 0

  def serialized() -> Iterator[tuple[int, bytes]]:
    nonlocal count
    for number, record in records(task, advance):
      yield number, serializer.serialize_example(features.encode_example(record))
      count += 1

  adapter = file_adapters.ADAPTER_FOR_FORMAT[file_adapters.FileFormat.ARRAY_RECORD]
  adapter.write_examples(file_path(folder), serialized())
  return {'records': count, 'bytes': file_path(folder).stat().st_size}


def _documents(task: Task) -> tuple[int, Iterator[tuple[int, Iterable[bytes]]]]:
  """How many positions of its first document precede the shard, and the bytes of each in it."""
  ranges = (_range(task, piece) for piece in task.pieces)
  first = next(ranges)
  return max(0, task.begin - int(first.positions[0])), _read(task, first, ranges)


class _Range(NamedTuple):
  """The documents of one file that are in a shard."""

  folder: str
  size: int  # Bytes of clean text of the file.
  ids: np.ndarray
  sizes: np.ndarray
  offsets: np.ndarray  # Where each begins in the text of the file.
  positions: np.ndarray  # Of the boundary of each in the stream of the split.


def _range(task: Task, piece: Piece) -> _Range:
  path = collect.table_path(piece.folder)
  chosen = np.flatnonzero(np.load(io.BytesIO(pathlib.Path(piece.codes).read_bytes())) == task.split)
  sizes = table.column(path, 'size')
  offsets = np.cumsum(sizes) - sizes
  lengths = sizes[chosen] + 1
  positions = piece.begin + np.cumsum(lengths) - lengths
  inside = (positions < task.end) & (positions + lengths > task.begin)
  chosen = chosen[inside]
  return _Range(
      piece.folder, int(sizes.sum()), table.column(path, 'id')[chosen], sizes[chosen],
      offsets[chosen], positions[inside])


def _read(
    task: Task, first: _Range, others: Iterator[_Range]
) -> Iterator[tuple[int, Iterable[bytes]]]:
  for part in (first, *others):
    text = spool.Reader(collect.spool_path(part.folder), part.size)
    rows: Sequence[np.ndarray] = (part.ids, part.sizes, part.offsets, part.positions)
    for identity, size, offset, position in zip(*(row.tolist() for row in rows), strict=True):
      begin = max(0, task.begin - position - 1)
      end = min(size, task.end - position - 1)
      yield identity, text.read(offset + begin, end - begin)
    text.close()
