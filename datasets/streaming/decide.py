"""The second pass: which documents are kept, in which split, and where they stand in its stream.

It looks at tables alone, never at text, and takes files in a fixed order, so that the decision does
not depend on how they were made.
"""

import collections
import functools
import pathlib
from typing import Any, NamedTuple

import numpy as np

from datasets import packing
from datasets.cleaning import duplicates, rules
from datasets.streaming import collect, parts, table

SPLITS = ('train', 'validation', 'test')
# The fate of a document: the number of its split, or one of these.
_EXACT, _NEAR, _BEYOND = 255, 254, 253
_REASONS = {_EXACT: rules.EXACT_DUPLICATE, _NEAR: rules.NEAR_DUPLICATE}


class File(NamedTuple):
  """A file that was read."""

  folder: str  # Its part.
  key: str  # Of its part.
  split: str
  documents: int


class Task(NamedTuple):
  """A decision to make. Of two equal documents the one in the earlier file is kept."""

  folder: str  # Where the part stands.
  files: tuple[File, ...]
  rules: rules.Rules
  validation: float  # Shares of the documents of 'train' that are held out, by their digest.
  test: float
  max_bytes: int | None  # Of clean text of each split of the source.

  @property
  def splits(self) -> tuple[str, ...]:
    """All splits that there will be: a fate is an index into them."""
    there = {file.split for file in self.files}
    there |= {'validation'} if self.validation else set()
    there |= {'test'} if self.test else set()
    return (*(name for name in SPLITS if name in there), *sorted(there - set(SPLITS)))


def run(task: Task) -> dict[str, Any]:
  """Makes the part of a task: the fates of each file's documents.

  Its result: `splits` (numbers of each), `begins` (for each file, where its documents begin in the
  stream of each split), what was left out and licences.
  """
  files = [(file.key, file.split) for file in task.files]
  key = parts.key(files, *task[2:])
  return parts.make(pathlib.Path(task.folder), key, functools.partial(_decide, task))


def fates_path(folder: str | pathlib.Path, number: int) -> pathlib.Path:
  """The fates of the documents of a file: [documents] uint8."""
  return pathlib.Path(folder) / f'{number:05}.npy'


def _decide(task: Task, folder: pathlib.Path) -> dict[str, Any]:
  ends = np.cumsum([file.documents for file in task.files])
  fates = np.split(_repeats(task, int(ends[-1])), ends[:-1])
  _limit(task, fates)
  _hold_out(task, fates)
  for number, file_fates in enumerate(fates):
    np.save(fates_path(folder, number), file_fates)
  return _count(task, fates)


def _repeats(task: Task, total: int) -> np.ndarray:  # [total] uint8
  """_EXACT, _NEAR or 0."""
  fates = np.zeros(total, np.uint8)
  paths = [collect.table_path(file.folder) for file in task.files]
  if task.rules.near_duplicates:
    for band in table.BANDS:
      keys = [functools.partial(table.column, path, band) for path in paths]
      fates[duplicates.repeats(keys, total)] = _NEAR
  if task.rules.exact_duplicates:
    keys = [functools.partial(table.columns, path, table.DIGEST) for path in paths]
    fates[duplicates.repeats(keys, total)] = _EXACT
  return fates


def _limit(task: Task, fates: list[np.ndarray]) -> None:
  """Ends each split of the source with the document that reaches `max_bytes`."""
  if task.max_bytes is None:
    return
  read: collections.Counter[str] = collections.Counter()
  for file, file_fates in zip(task.files, fates, strict=True):
    sizes = table.column(collect.table_path(file.folder), 'size')
    before = read[file.split] + np.cumsum(sizes) - sizes
    file_fates[before >= task.max_bytes] = _BEYOND
    read[file.split] += int(sizes.sum())


def _hold_out(task: Task, fates: list[np.ndarray]) -> None:
  """Puts what is kept into its split. Neither train nor validation stays empty."""
  names = task.splits
  nearest: dict[str, tuple[float, int, int]] = {}  # The next to move: fraction, file, place.
  counts: collections.Counter[str] = collections.Counter()
  for number, (file, file_fates) in enumerate(zip(task.files, fates, strict=True)):
    kept = np.flatnonzero(file_fates < _BEYOND)
    file_fates[kept] = names.index(file.split)
    if file.split == 'train' and len(kept) and task.validation:
      digests = table.column(collect.table_path(file.folder), table.DIGEST[0])[kept]
      fractions = (digests >> np.uint64(11)) / 2.0**53
      file_fates[kept[fractions < task.test + task.validation]] = names.index('validation')
      file_fates[kept[fractions < task.test]] = names.index('test') if task.test else 0
      low, high = int(fractions.argmin()), int(fractions.argmax())
      for split, place, best in (('validation', low, min), ('train', high, max)):
        found = (float(fractions[place]), number, int(kept[place]))
        nearest[split] = best(nearest.get(split, found), found)
    counts.update({name: int((file_fates == fate).sum()) for fate, name in enumerate(names)})
  if sum(counts.values()) < 2:
    raise ValueError(
        f'{sum(counts.values())} document is left of those in {len(task.files)} files, the others '
        'are duplicates or beyond the size asked for: training needs at least 2.')
  for split, (_, number, place) in nearest.items():
    if not counts[split]:
      fates[number][place] = names.index(split)


def _count(task: Task, fates: list[np.ndarray]) -> dict[str, Any]:
  names = task.splits
  splits = {name: {'documents': 0, 'bytes': 0, 'longest_document': 0} for name in names}
  licences: dict[str, collections.Counter[str]] = {}
  tally = parts.Tally()
  begins = []
  for file, file_fates in zip(task.files, fates, strict=True):
    path = collect.table_path(file.folder)
    sizes = table.column(path, 'size')
    begins.append([split['bytes'] + split['documents'] for split in splits.values()])
    for fate, split in enumerate(splits.values()):
      chosen = sizes[file_fates == fate]
      split['documents'] += len(chosen)
      split['bytes'] += int(chosen.sum())
      split['longest_document'] = max(split['longest_document'], int(chosen.max(initial=0)))
    _count_licences(path, sizes, file_fates < _BEYOND, licences)
    for fate, reason in _REASONS.items():
      places = np.flatnonzero(file_fates == fate)
      if len(places):
        for name in table.texts(path, 'name', places[:tally.LISTED].tolist()):
          in_file, _, position = name.rpartition(':')
          tally.add(reason, in_file, position)
        tally.counts[reason] += max(0, len(places) - tally.LISTED)
  for name, split in splits.items():
    if not split['documents']:
      raise ValueError(
          f'no document of the split {name!r} is left: look at the source and the rules.')
    split['records'] = -(-(split['bytes'] + split['documents']) // packing.RECORD_BYTES)
  return {'splits': splits, 'begins': begins, 'left_out': tally.as_json(),
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
