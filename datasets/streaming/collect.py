"""The first pass: a source file to clean text and a table of its documents."""

import collections
import contextlib
import functools
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from datasets import splits
from datasets.cleaning import contamination, duplicates, rules
from datasets.readers import raw, reader
from datasets.streaming import parts, spool, table

Advance = Callable[[int], object]
# Bytes of text in a byte of a file, about: only a progress bar believes it.
_EXPANSION = {'.parquet': 2.4, '.gz': 2.8, '.zst': 3.2, '.zip': 2.8}


class SourceFile(NamedTuple):
  """A file to read."""

  path: str
  name: str  # What its documents are called after, the same on every machine.
  size: int  # Bytes on disk.
  modified: int  # Nanoseconds: a file that was changed is read again.
  spec: raw.Spec


class Task(NamedTuple):
  """What becomes of a file."""

  folder: str  # Where the part stands.
  source: SourceFile
  rules: rules.Rules
  evaluation: str  # The folder of contamination.EvaluationText; '': there is none.
  evaluation_key: str
  licence: str  # Of documents without their own.
  refuse: bool  # Whether broken input is an error.
  max_bytes: int | None  # Reading ends after so much clean text.

  @property
  def size(self) -> int:
    """How much work it is, in bytes."""
    return self.source.size

  @property
  def key(self) -> str:
    """Of all that the result depends on."""
    return parts.key(self._replace(
        folder='', evaluation='', source=self.source._replace(path='')))


def run(task: Task, advance: Advance = lambda size: None) -> dict[str, Any]:
  """Makes the part of a task. Its result: counts of documents and bytes, and what was left out."""
  meter = _Meter(task.source, advance)
  result = parts.make(pathlib.Path(task.folder), task.key, functools.partial(_collect, task, meter))
  meter.finish()
  return result


def spool_path(folder: str | pathlib.Path) -> pathlib.Path:
  """The clean text of a part."""
  return pathlib.Path(folder) / 'text'


def table_path(folder: str | pathlib.Path) -> pathlib.Path:
  """The table of a part's documents."""
  return pathlib.Path(folder) / 'documents.arrow'


def _collect(task: Task, meter: '_Meter', folder: pathlib.Path) -> dict[str, Any]:
  counts: collections.Counter[str] = collections.Counter()
  changed: collections.Counter[str] = collections.Counter()
  tally = parts.Tally()
  near = task.rules.near_duplicates
  with contextlib.closing(spool.Writer(spool_path(folder))) as text, \
      contextlib.closing(table.Writer(table_path(folder), near=near)) as documents:
    for document, cleaned in _cleaned(task, tally):
      meter.read(len(document.text))
      counts.update(documents_in=1, bytes_in=len(document.text))
      changed.update(cleaned.changed)
      if cleaned.reason:
        file, _, position = document.name.rpartition(':')
        tally.add(cleaned.reason, file, position, cleaned.detail)
        continue
      text.append(cleaned.text)
      documents.append({
          'name': document.name, 'licence': document.licence or task.licence,
          'id': splits.document_id(document.name), 'size': len(cleaned.text),
          **_keys(cleaned.text, near)})
      counts.update(documents=1, bytes=len(cleaned.text))
      if task.max_bytes is not None and counts['bytes'] >= task.max_bytes:
        break
  names = ('documents_in', 'bytes_in', 'documents', 'bytes')
  return {**{name: counts[name] for name in names}, 'changed': dict(changed),
          'left_out': tally.as_json()}


def _cleaned(
    task: Task, tally: parts.Tally
) -> Iterator[tuple[raw.RawDocument, rules.Cleaned]]:
  """Every document that can be read; the others are counted, or refused."""
  clean = rules.Cleaner(task.rules, _evaluation(task.evaluation))
  for item in reader.read(task.source.path, task.source.spec, name=task.source.name):
    if not isinstance(item, raw.Problem):
      yield item, clean(item.text)
    elif task.refuse and item.wrong:
      raise ValueError(f'{item}: mend the file, or choose to skip what is broken.')
    else:
      tally.add(item.reason, item.file, item.position, item.detail)


def _keys(text: bytes, near: bool) -> dict[str, int]:
  """What duplicates are found by: columns of the table."""
  keys = dict(zip(table.DIGEST, duplicates.digest(text).tolist(), strict=True))
  if near:
    keys |= zip(table.BANDS, duplicates.bands(text).tolist(), strict=True)
  return keys


@functools.lru_cache(maxsize=1)
def _evaluation(folder: str) -> contamination.EvaluationText | None:
  return contamination.EvaluationText(pathlib.Path(folder)) if folder else None


class _Meter:
  """Tells of bytes of text as bytes of the file, which are exact when the file ends."""

  def __init__(self, source: SourceFile, advance: Advance) -> None:
    suffix = pathlib.PurePath(source.path).suffix.lower()
    self._expansion = _EXPANSION.get(suffix, 1.0)
    self._left = source.size
    self._advance = advance

  def read(self, size: int) -> None:
    told = min(self._left, round(size / self._expansion))
    self._left -= told
    self._advance(told)

  def finish(self) -> None:
    self._advance(self._left)
