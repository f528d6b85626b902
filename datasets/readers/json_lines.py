"""JSON lines: a document a line."""

import io
import json
from collections.abc import Iterator
from typing import Any

from datasets.readers import fields, held, raw

PART_BYTES = 1 << 20  # A longer line is read in parts.


def read(file: Any, name: str, spec: raw.Spec) -> Iterator[raw.Item]:
  """Reads (decompressed) lines. A line that is wrong is a problem; the next one is read.

  A line is never held further than `spec.max_document_bytes`.
  """
  lines = io.BufferedReader(file, 1 << 18)
  line, number = held.Held(spec.max_document_bytes + 1), 1  # With its end.
  try:
    while part := lines.readline(PART_BYTES):
      line.add(part)
      if part.endswith(b'\n'):
        yield from _item(*line.take(), name, number, spec)
        number += 1
    yield from _item(*line.take(), name, number, spec)
  finally:
    lines.detach()  # The file belongs to the caller.


def _item(
    line: bytes, size: int, name: str, number: int, spec: raw.Spec
) -> Iterator[raw.Item]:
  if size > len(line) or len(line.removesuffix(b'\n')) > spec.max_document_bytes:
    yield raw.Problem(name, f'line {number}', 'too_large',
                      f'{size} bytes, {spec.max_document_bytes} are allowed')
  elif line.strip():
    yield _parse(line, name, number, spec)


def _parse(line: bytes, name: str, number: int, spec: raw.Spec) -> raw.Item:
  position = f'line {number}'
  try:
    row = json.loads(line.decode())
  except UnicodeDecodeError as error:
    return raw.Problem(name, position, 'invalid_utf8', f'byte {error.start} of the line')
  except (ValueError, RecursionError) as error:
    return raw.Problem(name, position, 'invalid_json', str(error)[:200])
  if not isinstance(row, dict):
    return raw.Problem(name, position, 'wrong_columns', f'{type(row).__name__}, not an object')
  return fields.document(row, name, position, spec)
