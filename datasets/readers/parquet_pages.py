"""How large the pages of a parquet file are, before any of them is read.

Arrow allocates a page at once, and a page holds at least one whole value: so one row may ask for
2 GB. Page headers (Thrift's compact protocol, parquet.thrift's PageHeader) say it beforehand.
"""

from collections.abc import Sequence
from typing import Any

HEADER_BYTES = (1 << 10, 1 << 20)  # Tried in turn: a header may hold the statistics of its page.
_UNCOMPRESSED, _COMPRESSED = 2, 3  # Fields of PageHeader.


def largest(group: Any, file: Any, columns: Sequence[str], *, small: int = 4 << 20) -> int:
  """The size (bytes, decompressed) that no page of these columns exceeds; `group` is metadata.

  Columns of no more than `small` bytes are not looked into. Raises ValueError for broken headers.
  """
  bound = 0
  for index in range(group.num_columns):
    column = group.column(index)
    path = column.path_in_schema
    if any(path == wanted or path.startswith(wanted + '.') for wanted in columns):
      size = column.total_uncompressed_size
      bound = max(bound, size if size <= small else _largest(column, file))
  return bound


def _largest(column: Any, file: Any) -> int:
  begin = column.data_page_offset
  if column.has_dictionary_page:
    begin = min(begin, column.dictionary_page_offset)
  position, end, bound = begin, begin + column.total_compressed_size, 0
  while position < end:
    header_bytes, uncompressed, compressed = _header(file, position)
    bound = max(bound, uncompressed)
    position += header_bytes + compressed
  if position != end:
    raise ValueError(f'a page ends at byte {position}, its column at {end}')
  return bound


def _header(file: Any, position: int) -> tuple[int, int, int]:
  """Of the page at a position: bytes of its header, of its data decompressed and compressed."""
  for size in HEADER_BYTES:
    file.seek(position)
    reader = _Compact(file.read(size))
    try:
      sizes = reader.struct()
      uncompressed, compressed = sizes[_UNCOMPRESSED], sizes[_COMPRESSED]
    except IndexError:
      continue  # It goes on past what was read.
    except (KeyError, RecursionError):
      break
    if min(uncompressed, compressed) >= 0:
      return reader.position, uncompressed, compressed
  raise ValueError(f'no page header at byte {position}')


class _Compact:
  """Thrift's compact protocol, as far as it takes to pass over a struct."""

  def __init__(self, data: bytes) -> None:
    self._data = data
    self.position = 0

  def _byte(self) -> int:
    self.position += 1
    return self._data[self.position - 1]

  def _varint(self) -> int:
    value = shift = 0
    while True:
      byte = self._byte()
      value |= (byte & 0x7f) << shift
      shift += 7
      if byte < 0x80:
        return value

  def _integer(self) -> int:
    value = self._varint()
    return (value >> 1) ^ -(value & 1)

  def _pass(self, size: int) -> None:
    self.position += size
    if self.position > len(self._data):
      raise IndexError

  def struct(self) -> dict[int, int]:
    """Its integers by field number; all else is passed over."""
    found, field = {}, 0
    while head := self._byte():
      field = field + (head >> 4) if head >> 4 else self._integer()
      value = self._value(head & 15)
      if isinstance(value, int):
        found[field] = value
    return found

  def _value(self, kind: int) -> Any:
    if kind in (1, 2):  # A boolean stands in its header.
      return None
    if kind == 3:
      return self._byte()
    if kind in (4, 5, 6):
      return self._integer()
    if kind == 7:
      return self._pass(8)
    if kind == 8:
      return self._pass(self._varint())
    if kind in (9, 10):
      return self._list()
    if kind == 12:
      self.struct()
      return None
    raise KeyError(kind)  # A map: PageHeader has none.

  def _list(self) -> None:
    head = self._byte()
    count = self._varint() if head >> 4 == 15 else head >> 4
    for _ in range(count):
      if head & 15 in (1, 2):
        self._byte()
      else:
        self._value(head & 15)
