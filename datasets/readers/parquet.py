"""Parquet: a document a row."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import parquet as pq

from datasets.readers import fields, parquet_pages, raw

BATCH_ROWS = 64
BATCH_BYTES = 128 << 20  # A batch has fewer rows where more could come to more than this.
BUFFER_BYTES = 1 << 20  # Of each column: the rest of a row group stays in the file.
PAGE_BYTES = 1 << 20  # A page is cut when it has at least this much: the other rows of one.


def read(file: Any, name: str, spec: raw.Spec) -> Iterator[raw.Item]:
  """Reads the columns that the spec names, a few rows at a time.

  A row group that is damaged, or holds a page too large for a document, is a problem; the next
  one is read.
  """
  try:
    table = pq.ParquetFile(file, buffer_size=BUFFER_BYTES, page_checksum_verification=True)
  except (pa.ArrowException, OSError) as error:
    yield raw.Problem(name, '', 'cut_parquet', _line(error))
    return
  columns = _columns(table.schema_arrow, spec)
  if isinstance(columns, str):
    yield raw.Problem(name, '', 'wrong_columns', columns)
    return
  first = 0
  for group in range(table.num_row_groups):
    rows = table.metadata.row_group(group).num_rows
    yield from _group(table, file, group, first, columns, name, spec)
    first += rows


def _columns(schema: pa.Schema, spec: raw.Spec) -> list[str] | str:
  """The columns to read, or why they cannot be."""
  wanted = [spec.text, *([spec.licence] if spec.licence else []), *spec.meta]
  missing = sorted({column.split('.')[0] for column in wanted} - set(schema.names))
  if missing:
    return f'no column {", ".join(missing)}; there is {", ".join(schema.names)}'
  kind = schema.field(spec.text).type
  if not (_is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
    return f'{spec.text!r} is {kind}, not text'
  return wanted


def _is_string(kind: pa.DataType) -> bool:
  return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _group(
    table: pq.ParquetFile, file: Any, group: int, first: int, columns: list[str], name: str,
    spec: raw.Spec,
) -> Iterator[raw.Item]:
  """One row group, of which `first` is the first row of the file."""
  row = first
  try:
    page = parquet_pages.largest(table.metadata.row_group(group), file, columns)
    if page > spec.max_document_bytes + PAGE_BYTES:
      yield raw.Problem(
          name, f'row {first} and after, row group {group}', 'too_large',
          f'a page of {page} bytes, {spec.max_document_bytes} are allowed')
      return
    # A dictionary may hold a value once that stands in every row of a batch.
    batch_rows = max(1, min(BATCH_ROWS, BATCH_BYTES // max(1, page)))
    for batch in table.iter_batches(
        batch_rows, row_groups=[group], columns=columns, use_threads=False):
      for values in _rows(batch, spec.text):
        yield fields.document(values, name, f'row {row}', spec)
        row += 1
  except (pa.ArrowException, OSError, ValueError) as error:
    yield raw.Problem(name, f'row {row}', 'cut_parquet', _line(error))


def _rows(batch: pa.RecordBatch, text: str) -> Iterator[dict[str, Any]]:
  """Rows as dicts; the text as bytes, because what a file calls a string may not be UTF-8."""
  names = batch.schema.names
  columns = [_values(column, decode=name != text)
             for name, column in zip(names, batch.columns, strict=True)]
  for values in zip(*columns, strict=True):
    yield dict(zip(names, values, strict=True))


def _values(column: pa.Array, *, decode: bool) -> list[Any]:
  if not _is_string(column.type):
    return column.to_pylist()
  kind = pa.binary() if pa.types.is_string(column.type) else pa.large_binary()
  values = column.view(kind).to_pylist()
  if not decode:
    return values
  return [None if value is None else value.decode(errors='replace') for value in values]


def _line(error: Exception) -> str:
  return ' '.join(str(error).split())[:200]
