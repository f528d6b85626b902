"""Windows of a split, by arithmetic.

Window i of length L begins at byte i L of the split, which is byte i L % 65536 of record
i L // 65536. There is no index: any place is one record read, and records read lately are kept.
"""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from datasets import packing, registry
from haiku_spectral import vocab

CACHED_RECORDS = 128  # Per split: 8 MiB.


class Records:
  """The records of a built split, in stream order, with the last ones read kept. Thread-safe.

  What is read is shared: it must not be written to.
  """

  def __init__(self, name: str, *, data_dir: str, split: str) -> None:
    self.name = name
    self._source: Any = registry.open_split(name, data_dir, split)
    self._data_dir = data_dir
    self._marked = name.partition('/')[0] in registry.WITH_MARKS
    self._recent = functools.lru_cache(maxsize=CACHED_RECORDS)(self._read)

  def __len__(self) -> int:
    """The number of records."""
    return len(self._source)

  def __getitem__(self, index: int) -> packing.Record:
    """One record. Raises ValueError when the file is damaged."""
    return self._recent(index)

  def _read(self, index: int) -> packing.Record:
    try:
      record = self._source[index]
    except RuntimeError as error:  # ArrayRecord files carry checksums.
      raise registry.damaged(self.name, self._data_dir, error) from error
    return {**record, packing.MARKED: True} if self._marked else record

  def stream(self) -> Iterator[packing.Record]:
    """All records in order, past the cache."""
    return (self._read(index) for index in range(len(self)))


class Windows:
  """All windows of `length` bytes of a split; none without a byte to predict.

  A window lies in one record, or is a number of whole ones.
  """

  def __init__(self, records: Records, length: int) -> None:
    self._records = records
    self._length = length
    # The last byte of a record has no target, so a window that held nothing else is skipped.
    last_targets = int(records[len(records) - 1]['length']) - 1
    if len(records) == 1:
      last_targets = max(1, last_targets)  # A split is never without a window.
    self._end = (len(records) - 1) * packing.RECORD_BYTES + last_targets

  def __len__(self) -> int:
    """The number of windows."""
    return -(-self._end // self._length)

  def count_slices(self, index: int, length: int) -> int:
    """How many slices of `length` bytes of a window have a target: fewer at a split's end."""
    left = self._end - index * self._length
    return min(self._length // length, -(-left // length))

  def ids(self, index: int, start: int, length: int) -> np.ndarray:  # [length + 1] int32
    """The ids start .. start + length of a window and the one that follows.

    Where that is in a record that the ids do not reach, it is PAD, as what is past the last one.
    """
    record, position = divmod(index * self._length + start, packing.RECORD_BYTES)
    ids, done = np.full(length + 1, vocab.PAD, np.int32), 0
    while done < length and record < len(self._records):
      held = min(length - done, packing.RECORD_BYTES - position)
      ids[done : done + held + 1] = packing.window_ids(self._records[record], position, held + 1)
      record, position, done = record + 1, 0, done + held
    return ids

  def before(self, index: int, start: int, length: int) -> np.ndarray:  # [length] int32
    """The `length` ids before `start` of a window, as far as there are any; PAD on the left."""
    record, position = divmod(index * self._length + start, packing.RECORD_BYTES)
    ids, missing = np.full(length, vocab.PAD, np.int32), length
    while missing and (position or record):
      if not position:
        record, position = record - 1, packing.RECORD_BYTES
      held = min(missing, position)
      ids[missing - held : missing] = packing.window_ids(
          self._records[record], position - held, held)
      missing, position = missing - held, position - held
    return ids
