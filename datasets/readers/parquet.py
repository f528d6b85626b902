"""Parquet: one document per row."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import compute
from pyarrow import parquet as pq

from datasets.readers import fields, raw

BATCH_ROWS = (64, 1)  # Rows at a time; fewer when that takes more memory than there is.
BUFFER_BYTES = 1 << 20  # Of each column: the rest of a row group stays in the file.
_STRING = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)


class Rows(NamedTuple):
  """What some rows came to."""

  group: int  # The row group.
  next_row: int  # Of the file.
  items: list[raw.Item]


Send = Callable[[Rows], object]


def read(file: Any, name: str, spec: raw.Spec, first_group: int, send: Send) -> None:
  """Reads the columns that the spec names, a few rows at a time, from a row group on.

  A row group that is damaged, or asks for more memory than there is, is a problem; the next one is
  read. For each row group something is sent before it is read.
  """
  problem = _read(file, name, spec, first_group, send)
  if problem is not None:
    send(Rows(first_group, 0, [problem]))


def _read(
    file: Any, name: str, spec: raw.Spec, first_group: int, send: Send
) -> raw.Problem | None:
  """The problem of a file that cannot be read at all."""
  try:
    table = pq.ParquetFile(file, buffer_size=BUFFER_BYTES, page_checksum_verification=True)
  except MemoryError:
    return raw.Problem(name, '', 'too_large', 'its footer takes more memory than there is')
  except (pa.ArrowException, OSError) as error:
    return raw.Problem(name, '', 'cut_parquet', _line(error))
  columns = _columns(table.schema_arrow, spec)
  if isinstance(columns, str):
    return raw.Problem(name, '', 'wrong_columns', columns)
  row = 0
  for group in range(table.num_row_groups):
    if group >= first_group:
      _read_group(table, group, row, columns, name, spec, send)
    row += table.metadata.row_group(group).num_rows
  return None


def _columns(schema: pa.Schema, spec: raw.Spec) -> list[str] | str:
  """The columns to read, or why they cannot be."""
  wanted = [spec.text, *([spec.licence] if spec.licence else []), *spec.meta]
  missing = sorted({column.split('.')[0] for column in wanted} - set(schema.names))
  if missing:
    return f'no column {", ".join(missing)}; there is {", ".join(schema.names)}'
  kind = schema.field(spec.text).type
  return wanted if _is(kind, _STRING + _BYTES) else f'{spec.text!r} is {kind}, not text'


def _is(kind: pa.DataType, kinds: tuple[Callable[[pa.DataType], bool], ...]) -> bool:
  """Whether a column holds values of one of some kinds, each in its place or in a dictionary."""
  value = kind.value_type if pa.types.is_dictionary(kind) else kind
  return any(is_kind(value) for is_kind in kinds)


def _read_group(
    table: pq.ParquetFile, group: int, begin: int, columns: list[str], name: str, spec: raw.Spec,
    send: Send,
) -> None:
  """One row group, which begins with a row of the file."""
  row = begin
  for batch_rows in BATCH_ROWS:
    send(Rows(group, row, []))
    batches = _batches(table, group, columns, batch_rows, skipped=row - begin)
    row, reason, detail = _send_all(batches, group, row, name, spec, send)
    if reason != 'too_large':
      break
  if reason:
    send(Rows(group, row, [raw.Problem(name, f'row {row}', reason, detail)]))


def _send_all(
    batches: Iterator[pa.RecordBatch], group: int, row: int, name: str, spec: raw.Spec, send: Send
) -> tuple[int, str, str]:
  """Sends the documents of rows; returns the row that it came to, and what was wrong there.

  A function of its own, so that its memory is free again when it fails for want of it.
  """
  try:
    for batch in batches:
      items = [fields.document(values, name, f'row {row + i}', spec)
               for i, values in enumerate(_rows(batch, spec.text))]
      send(Rows(group, row + len(items), items))
      row += len(items)
  except MemoryError:
    return row, 'too_large', (
        f'and the rows of row group {group} behind it: they take more memory than documents of '
        f'{spec.max_document_bytes} bytes')
  except (pa.ArrowException, OSError, ValueError) as error:
    return row, 'cut_parquet', _line(error)
  return row, '', ''


def _batches(
    table: pq.ParquetFile, group: int, columns: list[str], batch_rows: int, skipped: int
) -> Iterator[pa.RecordBatch]:
  """The rows of a row group behind the first `skipped`."""
  for batch in table.iter_batches(
      batch_rows, row_groups=[group], columns=columns, use_threads=False):
    if skipped < len(batch):
      yield batch.slice(skipped)
    skipped = max(0, skipped - len(batch))


def _rows(batch: pa.RecordBatch, text: str) -> Iterator[dict[str, Any]]:
  """Rows as dicts; the text as bytes, because what a file calls a string may not be UTF-8."""
  names = batch.schema.names
  columns = [_values(column, decode=name != text)
             for name, column in zip(names, batch.columns, strict=True)]
  for values in zip(*columns, strict=True):
    yield dict(zip(names, values, strict=True))


def _values(column: pa.Array, *, decode: bool) -> list[Any]:
  if not _is(column.type, _STRING):
    return column.to_pylist()
  values = compute.cast(column, pa.large_binary()).to_pylist()
  if not decode:
    return values
  return [None if value is None else value.decode(errors='replace') for value in values]


def _line(error: Exception) -> str:
  return ' '.join(str(error).split())[:200]
