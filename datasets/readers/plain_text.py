"""Plain text: a file is a document, or holds several with a separator between them."""

from collections.abc import Iterator
from typing import Any

from datasets.readers import bounded, raw

READ_BYTES = 1 << 20
_CONTINUATION = bytes(range(0x80, 0xc0))  # Second and further bytes of a character.


def read(file: Any, name: str, spec: raw.Spec) -> Iterator[raw.Item]:
  """Reads a (decompressed) stream. No more of a document than the limit is held."""
  start, stop = spec.span
  chunks = _chunks(file, start, stop)
  if spec.separator:
    yield from _separated(chunks, name, spec)
  else:
    yield _document(chunks, name, start, spec)


def _chunks(file: Any, start: int, stop: int | None) -> Iterator[bytes]:
  """The bytes start .. stop of a stream. A character belongs to the span in which it begins."""
  position, inside = 0, start == 0
  while stop is None or position < stop:
    wanted = READ_BYTES if stop is None else min(READ_BYTES, stop - position)
    chunk = file.read(wanted)
    if not chunk:
      return
    position += len(chunk)
    if position > start:
      rest = chunk[max(0, start - (position - len(chunk))):]
      if not inside:
        rest = rest.lstrip(_CONTINUATION)
        inside = bool(rest)
      if rest:
        yield rest
  tail = file.read(3) if stop > start else b''
  if tail := tail[:len(tail) - len(tail.lstrip(_CONTINUATION))]:
    yield tail


def _document(chunks: Iterator[bytes], name: str, start: int, spec: raw.Spec) -> raw.Item:
  """The whole stream as one document."""
  document = bounded.Buffer(spec.max_document_bytes)
  for chunk in chunks:
    document.add(chunk)
  return _checked(*document.take(), name, start, spec)


def _separated(chunks: Iterator[bytes], name: str, spec: raw.Spec) -> Iterator[raw.Item]:
  """Documents between separators; white space alone between two of them is no document."""
  document, rest, begin = bounded.Buffer(spec.max_document_bytes), b'', spec.span[0]
  overlap = len(spec.separator) - 1  # A separator may lie across two chunks.
  for chunk in chunks:
    *ended, rest = (rest + chunk).split(spec.separator)
    for part in ended:
      document.add(part)
      data, size = document.take()
      yield from _nonempty(data, size, name, begin, spec)
      begin += size + len(spec.separator)
    cut = max(0, len(rest) - overlap)
    document.add(rest[:cut])
    rest = rest[cut:]
  document.add(rest)
  yield from _nonempty(*document.take(), name, begin, spec)


def _nonempty(data: bytes, size: int, name: str, begin: int, spec: raw.Spec) -> Iterator[raw.Item]:
  if size > len(data) or data.strip():
    yield _checked(data, size, name, begin, spec)


def _checked(data: bytes, size: int, name: str, begin: int, spec: raw.Spec) -> raw.Item:
  """A document of `size` bytes that begins at byte `begin` of its file."""
  if size > spec.max_document_bytes:
    return raw.too_large(name, f'byte {begin}', size, spec)
  if not data:
    return raw.Problem(name, f'byte {begin}', 'empty_file')
  if (nul := data.find(0)) >= 0:
    return raw.Problem(name, f'byte {begin + nul}', 'contains_nul', 'binary, or not UTF-8')
  try:
    if not data.isascii():
      data.decode()
  except UnicodeDecodeError as error:
    return raw.Problem(name, f'byte {begin + error.start}', 'invalid_utf8', error.reason)
  return raw.RawDocument(text=data, name=f'{name}:{begin}')
