"""The first pass: from a source file to clean text and a table of its documents."""

import collections
import contextlib
import functools
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from datasets import splits
from datasets.cleaning import contamination, duplicates, rules
from datasets.readers import raw, reader
from datasets.streaming import reason_counts, spool, table, work_units
from haiku_spectral.storage import file_name

Advance = Callable[[int], object]
# Bytes of text per byte of a file, about: for the progress bar alone.
_EXPANSION = {'.parquet': 2.4, '.gz': 2.8, '.zst': 3.2, '.zip': 2.8}


class SourceFile(NamedTuple):
  """A file to read."""

  path: str
  name: str  # For the names of its documents; printable and the same on every machine.
  size: int  # Bytes on disk.
  modified: int  # Nanoseconds; a file that was modified is read again.
  spec: raw.Spec


class Task(NamedTuple):
  """How a file is read and cleaned."""

  folder: str  # Of the work unit.
  source: SourceFile
  rules: rules.Rules
  evaluation: str  # The folder of contamination.EvaluationText; '': there is none.
  evaluation_key: str
  licence: str  # Of documents without one of their own.
  refuse: bool  # Whether broken input is an error.
  max_bytes: int | None  # Reading ends after so much clean text.

  @property
  def size(self) -> int:
    """How much work it is, in bytes."""
    return self.source.size

  @property
  def key(self) -> str:
    """A key of all that the result depends on."""
    return work_units.key(self._replace(
        folder='', evaluation='', source=self.source._replace(path='')))


def run(task: Task, advance: Advance = lambda size: None) -> dict[str, Any]:
  """Makes the work unit of a task. Its result: counts of documents and bytes, what was filtered."""
  meter = _Meter(task.source, advance)
  result = work_units.make(
      pathlib.Path(task.folder), task.key, functools.partial(_collect, task, meter))
  meter.finish()
  return result


def spool_path(folder: str | pathlib.Path) -> pathlib.Path:
  """The clean text of a work unit."""
  return pathlib.Path(folder) / 'text'


def table_path(folder: str | pathlib.Path) -> pathlib.Path:
  """The table of a work unit's documents."""
  return pathlib.Path(folder) / 'documents.arrow'


def _collect(task: Task, meter: '_Meter', folder: pathlib.Path) -> dict[str, Any]:
  counts: collections.Counter[str] = collections.Counter()
  changed: collections.Counter[str] = collections.Counter()
  filtered, tolerated = reason_counts.ReasonCounts(), reason_counts.ReasonCounts()
  near = task.rules.near_duplicates
  with contextlib.closing(spool.Writer(spool_path(folder))) as text, \
      contextlib.closing(table.Writer(table_path(folder), near=near)) as documents:
    for document, cleaned in _cleaned(task, filtered, tolerated):
      meter.read(len(document.text))
      counts.update(documents_in=1, bytes_in=len(document.text))
      changed.update(cleaned.changed)
      if cleaned.reason:
        file, _, position = document.name.rpartition(':')
        filtered.add(cleaned.reason, file, position, cleaned.detail)
        continue
      text.append(cleaned.text)
      documents.append({
          'name': document.name, 'licence': file_name.printable(document.licence) or task.licence,
          'id': splits.document_id(document.name), 'size': len(cleaned.text),
          **_keys(cleaned.text, near)})
      counts.update(documents=1, bytes=len(cleaned.text))
      if task.max_bytes is not None and counts['bytes'] >= task.max_bytes:
        break
  names = ('documents_in', 'bytes_in', 'documents', 'bytes')
  return {**{name: counts[name] for name in names}, 'changed': dict(changed),
          'filtered': filtered.as_json(), 'tolerated': tolerated.as_json()}


def _cleaned(
    task: Task, filtered: reason_counts.ReasonCounts, tolerated: reason_counts.ReasonCounts
) -> Iterator[tuple[raw.RawDocument, rules.Cleaned]]:
  """Every document that can be read; what else is in the file is counted, or refused."""
  clean = rules.Cleaner(task.rules, _evaluation(task.evaluation, task.evaluation_key))
  for item in reader.read(task.source.path, task.source.spec, name=task.source.name):
    if not isinstance(item, raw.Problem):
      yield item, clean(item.text)
    elif task.refuse and item.wrong:
      raise ValueError(f'{item}: mend the file, or choose to skip what is broken.')
    else:
      counts = tolerated if item.tolerated else filtered
      counts.add(item.reason, item.file, item.position, item.detail)


def _keys(text: bytes, near: bool) -> dict[str, int]:
  """The columns of the table by which duplicates are found."""
  keys = dict(zip(table.DIGEST, duplicates.digest(text).tolist(), strict=True))
  if near:
    keys |= zip(table.BANDS, duplicates.bands(text).tolist(), strict=True)
  return keys


@functools.lru_cache(maxsize=1)
def _evaluation(folder: str, key: str) -> contamination.EvaluationText | None:
  """The text of a folder. With another `key` there is another text in it."""
  del key
  return contamination.EvaluationText(pathlib.Path(folder)) if folder else None


class _Meter:
  """Reports progress in bytes of the file; exact when the file ends."""

  def __init__(self, source: SourceFile, advance: Advance) -> None:
    suffix = pathlib.PurePath(source.path).suffix.lower()
    self._expansion = _EXPANSION.get(suffix, 1.0)
    self._remaining = source.size
    self._advance = advance

  def read(self, size: int) -> None:
    size = min(self._remaining, round(size / self._expansion))
    self._remaining -= size
    self._advance(size)

  def finish(self) -> None:
    self._advance(self._remaining)
