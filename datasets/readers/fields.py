"""From a row with named fields to a document."""

from collections.abc import Mapping
from typing import Any

from datasets.readers import raw


def document(row: Mapping[str, Any], file: str, position: str, spec: raw.Spec) -> raw.Item:
  """Takes text, licence and meta from a row as the spec says. `position` is 'KIND NUMBER'."""
  text = find(row, spec.text)
  if not isinstance(text, str | bytes):
    return raw.Problem(file, position, 'wrong_columns', _no_text(text, row, spec.text))
  try:
    if isinstance(text, str):
      text = text.encode()  # JSON may hold half a surrogate pair.
    elif not text.isascii():
      text.decode()
  except UnicodeError as error:
    return raw.Problem(file, position, 'invalid_utf8', str(error)[-100:])
  if len(text) > spec.max_document_bytes:
    return raw.too_large(file, position, len(text), spec)
  return raw.RawDocument(
      text=text, name=f'{file}:{position.rpartition(" ")[2]}',
      licence=_words(find(row, spec.licence)) if spec.licence else '',
      meta={key: find(row, key) for key in spec.meta})


def _no_text(value: Any, row: Mapping[str, Any], wanted: str) -> str:
  if value is not None:
    return f'{wanted!r} is {type(value).__name__}, not text'
  if wanted in row:
    return f'{wanted!r} is null'
  there = ', '.join(sorted(map(str, row))[:12])
  return f'no text in {wanted!r}; there is {there or "nothing"}'


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
