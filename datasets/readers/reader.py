"""The one way in: a file and how it is read, to documents and problems."""

import os
from collections.abc import Callable, Iterator
from typing import Any

from etils import epath

from datasets.readers import decompression, json_lines, plain_text, raw, reader_process, zipped
from haiku_spectral.storage import file_name

_SUFFIXES = {
    '.parquet': 'parquet', '.jsonl': 'jsonl', '.json': 'jsonl', '.jsonl.gz': 'jsonl.gz',
    '.json.gz': 'jsonl.gz', '.jsonl.zst': 'jsonl.zst', '.json.zst': 'jsonl.zst', '.txt': 'txt',
    '.txt.gz': 'txt.gz', '.zip': 'zip',
}
_COMPRESSION = {'gz': (decompression.GZIP, 'bad_gzip_stream'),
                'zst': (decompression.ZSTD, 'bad_zstd_frame')}
Parse = Callable[[Any, str, raw.Spec], Iterator[raw.Item]]
_PARSE: dict[str, Parse] = {
    'parquet': reader_process.read, 'jsonl': json_lines.read, 'txt': plain_text.read,
    'zip': zipped.read}


def read(path: str | os.PathLike, spec: raw.Spec, *, name: str = '') -> Iterator[raw.Item]:
  """The documents of a file in their order, and a problem in place of each that cannot be read.

  Holds one document (parquet: a few rows; zstd: a window, too) and nothing else of the file. `name`
  is that of the file in all items, made printable; its base name by default. Paths may be remote
  (see etils.epath). README.md beside this file has the rules for what is not as it should be.
  Raises ValueError for a format that is not known; what is wrong in a file is never raised.
  """
  source = epath.Path(path)
  name = file_name.printable(name or source.name)
  items = _read(source, name, spec.format or format_of(source.name), spec)
  if spec.assemble is not None:
    items = spec.assemble(items)
  return items if spec.keep is None else _kept(items, name, spec.keep)


def format_of(name: str) -> str:
  """The format that a file name ends in. Raises ValueError when there is none."""
  for suffix in sorted(_SUFFIXES, key=len, reverse=True):
    if name.lower().endswith(suffix):
      return _SUFFIXES[suffix]
  raise ValueError(
      f'{name!r} has none of the endings {", ".join(_SUFFIXES)}: give a format in its spec.')


def _read(path: epath.Path, name: str, kind: str, spec: raw.Spec) -> Iterator[raw.Item]:
  """The items of a file, unless its name says that it is none of ours."""
  if raw.is_hidden(name):
    yield raw.Problem(name, '', 'hidden', wrong=False)
    return
  empty = True
  for item in _parsed(path, name, kind, spec):
    empty = False
    if isinstance(item, raw.RawDocument) and item.text.startswith(raw.BYTE_ORDER_MARK):
      yield raw.Problem(
          name, position_of(item, name), 'byte_order_mark', wrong=False, tolerated=True)
      item = item._replace(text=item.text.removeprefix(raw.BYTE_ORDER_MARK))
    yield item
  if empty:
    yield raw.Problem(name, '', 'empty_file')


def _parsed(path: epath.Path, name: str, kind: str, spec: raw.Spec) -> Iterator[raw.Item]:
  bare, _, ending = kind.partition('.')
  try:
    with path.open('rb') as file:
      if not file.read(1):
        return
      file.seek(0)
      if ending:
        yield from _decompressed(file, name, ending, _PARSE[bare], spec)
      else:
        yield from _PARSE[bare](file, name, spec)
  except OSError as error:
    yield raw.Problem(name, '', 'unreadable', error.strerror or ' '.join(str(error).split())[:200])


def _decompressed(
    file: Any, name: str, ending: str, parse: Parse, spec: raw.Spec
) -> Iterator[raw.Item]:
  kind, broken = _COMPRESSION[ending]
  stream = decompression.Stream(file, kind)
  try:
    yield from parse(stream, name, spec)
  except decompression.Damaged as error:
    yield raw.Problem(name, f'byte {error.position}', broken, str(error))
  for fault in stream.tolerated:
    yield raw.Problem(name, f'byte {fault.position}', fault.reason, fault.detail, fault.wrong,
                      tolerated=True)


def position_of(document: raw.RawDocument, file: str) -> str:
  """The position of a document in its file."""
  return document.name.removeprefix(file).lstrip(':/')


def _kept(
    items: Iterator[raw.Item], name: str, keep: Callable[[raw.RawDocument], str]
) -> Iterator[raw.Item]:
  for item in items:
    if isinstance(item, raw.RawDocument) and (reason := keep(item)):
      yield raw.Problem(name, position_of(item, name), reason, wrong=False)
    else:
      yield item
