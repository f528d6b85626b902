"""Clean text between two passes: one long compressed stream, readable from any byte."""

import io
import pathlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

BLOCK_BYTES = 1 << 20
_LEVEL = 1  # It is read once or twice: fast rather than small.


class Writer:
  """Appends to PATH (blocks of 1 MiB, each compressed alone) and PATH.npy (where they begin)."""

  def __init__(self, path: pathlib.Path) -> None:
    self._path = path
    self._file = path.open('wb')
    self._codec = pa.Codec('zstd', compression_level=_LEVEL)
    self._pending = bytearray()
    self._begins = [0]

  def append(self, text: bytes) -> None:
    """Adds text; what has filled a block is written."""
    rest = memoryview(text)
    while rest:
      taken = min(len(rest), BLOCK_BYTES - len(self._pending))
      self._pending += rest[:taken]
      rest = rest[taken:]
      if len(self._pending) == BLOCK_BYTES:
        self._flush()

  def close(self) -> None:
    """Writes what is left."""
    if self._pending:
      self._flush()
    self._file.close()
    np.save(index_path(self._path), np.array(self._begins))

  def _flush(self) -> None:
    self._file.write(self._codec.compress(self._pending))
    self._begins.append(self._file.tell())
    self._pending.clear()


class Reader:
  """Reads a spool. Holds one block."""

  def __init__(self, path: pathlib.Path, size: int) -> None:
    self._file = path.open('rb')
    self._begins = np.load(io.BytesIO(index_path(path).read_bytes()))
    self._size = size  # Bytes of text in all.
    self._codec = pa.Codec('zstd', compression_level=_LEVEL)
    self._block = b''
    self._number = -1

  def read(self, start: int, size: int) -> Iterator[bytes]:
    """Yields `size` bytes of the stream from `start` on, a block or less at a time."""
    end = start + size
    while start < end:
      number, offset = divmod(start, BLOCK_BYTES)
      piece = self._load(number)[offset:offset + end - start]
      start += len(piece)
      yield piece

  def close(self) -> None:
    self._file.close()

  def _load(self, number: int) -> bytes:
    if number != self._number:
      begin, end = self._begins[number:number + 2].tolist()
      self._file.seek(begin)
      size = min(BLOCK_BYTES, self._size - number * BLOCK_BYTES)
      self._block = self._codec.decompress(
          self._file.read(end - begin), decompressed_size=size, asbytes=True)
      self._number = number
    return self._block


def index_path(path: pathlib.Path) -> pathlib.Path:
  """Where a spool's table of blocks is."""
  return path.with_name(path.name + '.npy')
