"""Documents to records of exactly 64 KiB, and back.

A split is one long stream: every document is preceded by one placeholder byte that stands for
`vocab.BOUNDARY`. Records cut that stream every 65536 bytes, so a document runs on into the next
record. A record is a dict:

  bytes      [65536] uint8   the stream; zeros past `length` and in the place of each boundary.
  length     int32           valid bytes; below 65536 only in the last record of a split.
  positions  [n] int32       a table with one row for each document that the record touches:
  documents  [n] int64         where it begins in the record, which document it is, and where in the
  offsets    [n] int64         document that is: 0 is its boundary, k + 1 its byte k.

A row with an offset above 0 stands at position 0: the document runs on from the record before.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from haiku_spectral import config, vocab

RECORD_BYTES = config.RECORD_BYTES
# Bytes that UTF-8 never contains, and the marks that they stand for in datasets that have marks.
MARKS = {0xFE: vocab.TURN, 0xFF: vocab.RESULT}
MARKED = 'marked'  # A field of the records of such a dataset, which is not stored.
Record = dict[str, Any]
Row = tuple[int, int, int]  # (position, document, offset)


class _OpenRecord:
  """A record while it fills."""

  def __init__(self) -> None:
    self.data = np.zeros(RECORD_BYTES, np.uint8)
    self.length = 0
    self.rows: list[Row] = []

  @property
  def full(self) -> bool:
    return self.length == RECORD_BYTES

  def begin(self, document: int) -> None:
    """Writes the boundary of a document."""
    self.rows.append((self.length, document, 0))
    self.length += 1

  def resume(self, document: int, byte: int) -> None:
    """Says that the record begins inside a document, with this byte of it."""
    self.rows.append((0, document, byte + 1))

  def fill(self, data: memoryview) -> int:
    """Takes as many bytes as there is room for; returns how many."""
    taken = min(len(data), RECORD_BYTES - self.length)
    self.data[self.length:self.length + taken] = np.frombuffer(data[:taken], np.uint8)
    self.length += taken
    return taken

  def close(self) -> Record:
    """The record of what was taken."""
    table = np.array(self.rows, np.int64).reshape(-1, 3)
    return {
        'bytes': self.data,
        'length': np.int32(self.length),
        'positions': table[:, 0].astype(np.int32),
        'documents': table[:, 1].copy(),
        'offsets': table[:, 2].copy(),
    }


def pack(
    documents: Iterable[tuple[int, Iterable[bytes]]], *, skipped: int = 0
) -> Iterator[Record]:
  """Packs (id, chunks of bytes) in the order in which they come.

  Holds one record and one chunk, so that a document may be larger than memory. `skipped` positions
  of the first document stand in records before these: a stream may be packed from any record on.
  """
  record = _OpenRecord()
  for document, chunks in documents:
    if record.full:
      yield record.close()
      record = _OpenRecord()
    size = max(0, skipped - 1)
    if skipped:
      record.resume(document, size)
    else:
      record.begin(document)
    skipped = 0
    for chunk in chunks:
      rest = memoryview(chunk)
      while rest:
        if record.full:
          yield record.close()
          record = _OpenRecord()
          record.resume(document, size)
        taken = record.fill(rest)
        size += taken
        rest = rest[taken:]
  if record.length:
    yield record.close()


def count_records(documents: int, size: int) -> int:
  """How many records so many documents fill, which have `size` bytes together."""
  return -(-(size + documents) // RECORD_BYTES)


def unpack(
    records: Iterable[Record], *, limit: int | None = None
) -> Iterator[tuple[int, bytes]]:
  """Puts the documents together again: (id, bytes), in the order of the stream.

  Holds one document, of which no more than its first `limit` bytes. Raises ValueError when the
  records are not in the order in which they were packed.
  """
  document: int | None = None
  parts: list[bytes] = []
  size = 0
  for record in records:
    rows = zip(*(record[name].tolist() for name in ('positions', 'documents', 'offsets')),
               strict=True)
    ends = [*record['positions'][1:].tolist(), int(record['length'])]
    for (position, identity, offset), end in zip(rows, ends, strict=True):
      if offset == 0:
        if document is not None:
          yield document, b''.join(parts)
        document, parts, size, position = identity, [], 0, position + 1
      elif (identity, offset) != (document, size + 1):
        raise ValueError(
            f'records out of order: byte {offset - 1} of document {identity} follows '
            f'byte {size - 1} of document {document}.')
      wanted = end if limit is None else min(end, position + max(0, limit - size))
      if wanted > position:
        parts.append(record['bytes'][position:wanted].tobytes())
      size += end - position
  if document is not None:
    yield document, b''.join(parts)


def window_ids(record: Record, start: int, length: int) -> np.ndarray:  # [length] int32
  """The ids of `length` positions of a record, which may reach past its end.

  BOUNDARY where a document starts, PAD past the record's valid bytes; marks in a record of MARKED.
  """
  ids = np.full(length, vocab.PAD, np.int32)
  end = min(start + length, int(record['length']))
  if end > start:
    ids[:end - start] = record['bytes'][start:end]
    if record.get(MARKED):
      for byte, mark in MARKS.items():
        ids[ids == byte] = mark
  boundaries = record['positions'][record['offsets'] == 0] - start
  ids[boundaries[(boundaries >= 0) & (boundaries < length)]] = vocab.BOUNDARY
  return ids


def mark(ids: np.ndarray) -> bytes:  # [T] int32
  """Text with marks as bytes. Raises ValueError for other specials, and for bytes of no text."""
  data = ids.copy()
  if np.isin(ids, list(MARKS)).any():
    raise ValueError('it is not UTF-8')
  for byte, special in MARKS.items():
    data[ids == special] = byte
  if data.size and data.max() > 0xFF:
    raise ValueError('it has specials that are no marks')
  return data.astype(np.uint8).tobytes()


def record_ids(record: Record) -> np.ndarray:  # [65536] int32
  """The ids of a whole record."""
  return window_ids(record, 0, RECORD_BYTES)
