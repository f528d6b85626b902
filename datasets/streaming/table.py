"""A table of documents between two passes: an Arrow file, mapped into memory.

  name, licence           text
  id                      int64   of packing.py
  size                    int64   bytes of clean text
  digest_0, digest_1      uint64  see cleaning/duplicates.py
  band_0 .. band_13       uint64  only where near duplicates are looked for
"""

import mmap
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from datasets.cleaning import duplicates

DIGEST = ('digest_0', 'digest_1')
BANDS = tuple(f'band_{i}' for i in range(duplicates.BANDS))
_BATCH = 8192  # Documents that are held before they are written.


class Writer:
  """Appends rows to a file."""

  def __init__(self, path: pathlib.Path, *, near: bool) -> None:
    self._schema = pa.schema(
        [('name', pa.string()), ('licence', pa.string()), ('id', pa.int64()), ('size', pa.int64()),
         *((name, pa.uint64()) for name in DIGEST + (BANDS if near else ()))])
    self._sink = path.open('wb')
    self._writer = pa.ipc.new_file(self._sink, self._schema)
    self._rows: list[Mapping[str, Any]] = []

  def append(self, row: Mapping[str, Any]) -> None:
    """Adds a document."""
    self._rows.append(row)
    if len(self._rows) == _BATCH:
      self._flush()

  def close(self) -> None:
    """Writes what is left."""
    self._flush()
    self._writer.close()
    self._sink.close()

  def _flush(self) -> None:
    self._writer.write_batch(pa.RecordBatch.from_pylist(self._rows, self._schema))
    self._rows.clear()


def column(path: pathlib.Path, name: str) -> np.ndarray:  # [documents]
  """A column of numbers."""
  found = [batch.column(name).to_numpy() for batch in _batches(path)]
  return np.concatenate(found) if found else np.zeros(0, np.int64)


def columns(path: pathlib.Path, names: Sequence[str]) -> np.ndarray:  # [documents, names]
  """Several columns of numbers."""
  return np.stack([column(path, name) for name in names], axis=1)


def rows(path: pathlib.Path, names: Sequence[str]) -> Iterator[tuple]:
  """The documents in their order, a batch in memory at a time."""
  for batch in _batches(path):
    yield from zip(*(batch.column(name).to_pylist() for name in names), strict=True)


def _batches(path: pathlib.Path) -> Iterator[pa.RecordBatch]:
  with path.open('rb') as file:  # Arrow would take the name of a file for UTF-8.
    reader = pa.ipc.open_file(pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
  for number in range(reader.num_record_batches):
    yield reader.get_batch(number)


def texts(path: pathlib.Path, name: str, places: Sequence[int]) -> list[str]:
  """A column of text at some ascending places."""
  found, start = [], 0
  for batch in _batches(path):
    inside = [place - start for place in places if start <= place < start + len(batch)]
    found += batch.column(name).take(pa.array(inside, pa.int64())).to_pylist()
    start += len(batch)
  return found


def labels(path: pathlib.Path, name: str) -> Iterator[tuple[list[str], np.ndarray]]:
  """A column of text that repeats itself, in batches: different values, and which of them where."""
  for batch in _batches(path):
    encoded = batch.column(name).dictionary_encode()
    yield encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
