"""From a row with named fields to a document."""

from collections.abc import Mapping
from typing import Any

from datasets.readers import raw


def document(row: Mapping[str, Any], file: str, position: str, spec: raw.Spec) -> raw.Item:
  """Takes text, licence and meta from a row as the spec says. `position` is 'KIND NUMBER'."""
  text = find(row, spec.text)
  if text is None:
    there = ', '.join(sorted(map(str, row))[:12])
    return raw.Problem(file, position, 'wrong_columns',
                       f'no text in {spec.text!r}; there is {there or "nothing"}')
  if not isinstance(text, str | bytes):
    return raw.Problem(file, position, 'wrong_columns',
                       f'{spec.text!r} is {type(text).__name__}, not text')
  try:
    if isinstance(text, str):
      text = text.encode()  # JSON may hold half a surrogate pair.
    elif not text.isascii():
      text.decode()
  except UnicodeError as error:
    return raw.Problem(file, position, 'invalid_utf8', str(error)[-100:])
  if len(text) > spec.max_document_bytes:
    return raw.Problem(file, position, 'too_large',
                       f'{len(text)} bytes, {spec.max_document_bytes} are allowed')
  return raw.RawDocument(
      text=text, name=f'{file}:{position.rpartition(" ")[2]}',
      licence=_words(find(row, spec.licence)) if spec.licence else '',
      meta={key: find(row, key) for key in spec.meta})


def find(row: Mapping[str, Any], path: str) -> Any:
  """The field 'a', or 'a.b' inside it; None if it is not there."""
  value: Any = row
  for key in path.split('.'):
    value = value.get(key) if isinstance(value, Mapping) else None
  return value


def _words(value: Any) -> str:
  """A licence as text; several are joined."""
  if isinstance(value, list):
    return ' AND '.join(sorted(map(str, value)))
  return '' if value is None else str(value)
