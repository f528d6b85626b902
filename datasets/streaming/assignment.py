"""The second pass: split assignment. Which documents are kept, in which split, and where.

It looks at tables alone, never at text, and takes files in a fixed order, so that the result does
not depend on how they were made.
"""

import collections
import functools
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from datasets import packing
from datasets import splits as splits_lib
from datasets.cleaning import duplicates, rules
from datasets.streaming import collect, reason_counts, table, work_units

# The code of a document is the number of its split, or one of these when it is filtered.
_EXACT, _NEAR, _BEYOND = 255, 254, 253
_REASONS = {_EXACT: rules.EXACT_DUPLICATE, _NEAR: rules.NEAR_DUPLICATE}


class File(NamedTuple):
  """A file that was read."""

  folder: str  # Its work unit.
  key: str  # Of its work unit.
  split: str
  documents: int


class Task(NamedTuple):
  """An assignment to make. Of two equal documents the one in the earlier file is kept."""

  folder: str  # Of the work unit.
  files: tuple[File, ...]
  rules: rules.Rules
  validation: float  # Shares of the documents of 'train' that are held out, by their text.
  test: float
  max_bytes: int | None  # Of clean text of each split of the source.

  @property
  def splits(self) -> tuple[str, ...]:
    """All splits that there will be: a code is an index into them."""
    there = {file.split for file in self.files}
    there |= {'validation'} if self.validation else set()
    there |= {'test'} if self.test else set()
    return (*(name for name in splits_lib.NAMES if name in there),
            *sorted(there - set(splits_lib.NAMES)))


def run(task: Task) -> dict[str, Any]:
  """Makes the work unit of a task: the codes of each file's documents.

  Its result: `splits` (numbers of each), `begins` (for each file, where its documents begin in the
  stream of each split), `copies` and `copies_across_splits`, what was filtered, and licences.
  """
  files = [(file.key, file.split) for file in task.files]
  key = work_units.key(files, *task[2:])
  return work_units.make(pathlib.Path(task.folder), key, functools.partial(_assign, task))


def codes_path(folder: str | pathlib.Path, number: int) -> pathlib.Path:
  """The codes of the documents of a file: [documents] uint8."""
  return pathlib.Path(folder) / f'{number:05}.npy'


def _assign(task: Task, folder: pathlib.Path) -> dict[str, Any]:
  ends = np.cumsum([file.documents for file in task.files])
  codes = np.split(_repeats(task, int(ends[-1])), ends[:-1])
  _limit(task, codes)
  _hold_out(task, codes)
  for number, file_codes in enumerate(codes):
    np.save(codes_path(folder, number), file_codes)
  return {**_count(task, codes), **_copies(task, codes)}


def _repeats(task: Task, total: int) -> np.ndarray:  # [total] uint8
  """_EXACT, _NEAR or 0."""
  codes = np.zeros(total, np.uint8)
  paths = [collect.table_path(file.folder) for file in task.files]
  if task.rules.near_duplicates:
    for band in table.BANDS:
      keys = [functools.partial(table.column, path, band) for path in paths]
      codes[duplicates.repeats(keys, total)] = _NEAR
  if task.rules.exact_duplicates:
    keys = [functools.partial(table.columns, path, table.DIGEST) for path in paths]
    codes[duplicates.repeats(keys, total)] = _EXACT
  return codes


def _limit(task: Task, codes: list[np.ndarray]) -> None:
  """Ends each split of the source with the document that reaches `max_bytes`."""
  if task.max_bytes is None:
    return
  read: collections.Counter[str] = collections.Counter()
  for file, file_codes in zip(task.files, codes, strict=True):
    sizes = table.column(collect.table_path(file.folder), 'size')
    before = read[file.split] + np.cumsum(sizes) - sizes
    file_codes[before >= task.max_bytes] = _BEYOND
    read[file.split] += int(sizes.sum())


def _hold_out(task: Task, codes: list[np.ndarray]) -> None:
  """Puts what is kept into splits, equal texts into one; train and validation are never empty."""
  names = task.splits
  counts: collections.Counter[str] = collections.Counter()
  low, high = 1.0, -1.0  # The first and last text on the line that is cut into splits.
  for file, file_codes in zip(task.files, codes, strict=True):
    kept = np.flatnonzero(file_codes < _BEYOND)
    file_codes[kept] = names.index(file.split)
    if _is_shared_out(task, file) and len(kept):
      fractions = _fractions(file)[kept]
      file_codes[kept[fractions < task.test + task.validation]] = names.index('validation')
      file_codes[kept[fractions < task.test]] = names.index('test') if task.test else 0
      low, high = min(low, float(fractions.min())), max(high, float(fractions.max()))
    counts.update({name: int((file_codes == code).sum()) for code, name in enumerate(names)})
  if sum(counts.values()) < 2 or low == high:
    raise ValueError(
        f'{min(1, sum(counts.values()))} document is left of those in {len(task.files)} files, the '
        'others are copies of it, duplicates, or beyond the size asked for: training needs at '
        'least 2.')
  for split, fraction in (('validation', low), ('train', high)):
    if low < high and not counts[split]:
      _move(task, codes, fraction, names.index(split))


def _is_shared_out(task: Task, file: File) -> bool:
  return bool(task.validation) and file.split == 'train'


def _fractions(file: File) -> np.ndarray:  # [documents] float64
  """Numbers in [0, 1) that depend on the texts alone."""
  digests = table.column(collect.table_path(file.folder), table.DIGEST[0])
  return (digests >> np.uint64(11)) / 2.0**53


def _move(task: Task, codes: list[np.ndarray], fraction: float, split: int) -> None:
  """Moves a text, with all its copies, into a split."""
  for file, file_codes in zip(task.files, codes, strict=True):
    if _is_shared_out(task, file):
      file_codes[(file_codes < _BEYOND) & (_fractions(file) == fraction)] = split


def _copies(task: Task, codes: list[np.ndarray]) -> dict[str, int]:
  """How many documents that are kept repeat the text of an earlier one.

  Those of them that are in another split than one of their equals are counted on their own: only a
  source with splits of its own can have such.
  """
  if task.rules.exact_duplicates:
    return {'copies': 0, 'copies_across_splits': 0}
  kept = _count_copies(task, codes, lambda file_codes: file_codes < _BEYOND)
  inside = sum(_count_copies(task, codes, functools.partial(np.equal, split))
               for split in range(len(task.splits)))
  return {'copies': kept, 'copies_across_splits': kept - inside}


def _count_copies(
    task: Task, codes: list[np.ndarray], chosen: Callable[[np.ndarray], np.ndarray]
) -> int:
  def digests(file: File, file_codes: np.ndarray) -> np.ndarray:
    return table.columns(collect.table_path(file.folder), table.DIGEST)[chosen(file_codes)]

  keys = [functools.partial(digests, *pair) for pair in zip(task.files, codes, strict=True)]
  total = sum(int(chosen(file_codes).sum()) for file_codes in codes)
  return int(duplicates.repeats(keys, total).sum())


def _count(task: Task, codes: list[np.ndarray]) -> dict[str, Any]:
  names = task.splits
  splits = {name: {'documents': 0, 'bytes': 0, 'longest_document': 0} for name in names}
  licences: dict[str, collections.Counter[str]] = {}
  filtered = reason_counts.ReasonCounts()
  begins = []
  for file, file_codes in zip(task.files, codes, strict=True):
    path = collect.table_path(file.folder)
    sizes = table.column(path, 'size')
    begins.append([split['bytes'] + split['documents'] for split in splits.values()])
    for code, split in enumerate(splits.values()):
      chosen = sizes[file_codes == code]
      split['documents'] += len(chosen)
      split['bytes'] += int(chosen.sum())
      split['longest_document'] = max(split['longest_document'], int(chosen.max(initial=0)))
    _count_licences(path, sizes, file_codes < _BEYOND, licences)
    for code, reason in _REASONS.items():
      places = np.flatnonzero(file_codes == code)
      if len(places):
        for name in table.texts(path, 'name', places[:filtered.LISTED].tolist()):
          in_file, _, position = name.rpartition(':')
          filtered.add(reason, in_file, position)
        filtered.counts[reason] += max(0, len(places) - filtered.LISTED)
  for name, split in splits.items():
    if not split['documents']:
      raise ValueError(
          f'no document of the split {name!r} is left: look at the source and the rules.')
    split['records'] = packing.count_records(split['documents'], split['bytes'])
  return {'splits': splits, 'begins': begins, 'filtered': filtered.as_json(),
          'licences': {name: dict(counts) for name, counts in sorted(licences.items())}}


def _count_licences(
    path: pathlib.Path, sizes: np.ndarray, kept: np.ndarray,
    licences: dict[str, collections.Counter[str]],
) -> None:
  start = 0
  for names, codes in table.labels(path, 'licence'):
    inside = slice(start, start + len(codes))
    start += len(codes)
    codes, weights = codes[kept[inside]], sizes[inside][kept[inside]]
    documents = np.bincount(codes, minlength=len(names))
    size = np.bincount(codes, weights, minlength=len(names))
    for name, count, total in zip(names, documents.tolist(), size.tolist(), strict=True):
      if count:
        licences.setdefault(name, collections.Counter()).update(documents=count, bytes=int(total))
