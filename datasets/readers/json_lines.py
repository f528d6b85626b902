"""JSON lines: one document per line."""

import io
import json
from collections.abc import Iterator
from typing import Any

from datasets.readers import bounded, fields, raw

PART_BYTES = 1 << 20  # A longer line is read in parts.


def read(file: Any, name: str, spec: raw.Spec) -> Iterator[raw.Item]:
  """Reads (decompressed) lines. A line that is wrong is a problem; the next one is read.

  No more of a line than `spec.max_document_bytes` is held.
  """
  lines = io.BufferedReader(file, 1 << 18)
  line, number = bounded.Buffer(spec.max_document_bytes + 1), 1  # With its end.
  try:
    while part := lines.readline(PART_BYTES):
      line.add(part)
      if part.endswith(b'\n'):
        yield from _items(*line.take(), name, f'line {number}', spec)
        number += 1
    yield from _items(*line.take(), name, f'line {number}', spec)
  finally:
    lines.detach()  # The file belongs to the caller.


def _items(
    line: bytes, size: int, name: str, position: str, spec: raw.Spec
) -> Iterator[raw.Item]:
  """The document of a line, or its problem; nothing for a line without text."""
  if line.startswith(raw.BYTE_ORDER_MARK):
    yield raw.Problem(name, position, 'byte_order_mark', wrong=False, tolerated=True)
    line, size = line.removeprefix(raw.BYTE_ORDER_MARK), size - len(raw.BYTE_ORDER_MARK)
  if size > len(line) or len(line.removesuffix(b'\n')) > spec.max_document_bytes:
    yield raw.too_large(name, position, size, spec)
  elif line.strip():
    yield _parse(line, name, position, spec)


def _parse(line: bytes, name: str, position: str, spec: raw.Spec) -> raw.Item:
  try:
    row = json.loads(line.decode())
  except UnicodeDecodeError as error:
    return raw.Problem(name, position, 'invalid_utf8', f'byte {error.start} of the line')
  except (ValueError, RecursionError) as error:
    return raw.Problem(name, position, 'invalid_json', str(error)[:200])
  if not isinstance(row, dict):
    return raw.Problem(name, position, 'wrong_columns', f'{type(row).__name__}, not an object')
  return fields.document(row, name, position, spec)
