"""The one way in: a file and how it is read, to documents and problems."""

import functools
import os
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from etils import epath

from datasets.readers import json_lines, parquet, plain_text, raw, zipped

_SUFFIXES = {
    '.parquet': 'parquet', '.jsonl': 'jsonl', '.json': 'jsonl', '.jsonl.gz': 'jsonl.gz',
    '.json.gz': 'jsonl.gz', '.jsonl.zst': 'jsonl.zst', '.json.zst': 'jsonl.zst', '.txt': 'txt',
    '.txt.gz': 'txt.gz', '.zip': 'zip',
}
_COMPRESSION = {'gz': 'gzip', 'zst': 'zstd'}
_BROKEN = {'gzip': 'bad_gzip_stream', 'zstd': 'bad_zstd_frame'}
Parse = Callable[[Any, str, raw.Spec], Iterator[raw.Item]]
_PARSE: dict[str, Parse] = {
    'parquet': parquet.read, 'jsonl': json_lines.read, 'txt': plain_text.read, 'zip': zipped.read}


def read(path: str | os.PathLike, spec: raw.Spec, *, name: str = '') -> Iterator[raw.Item]:
  """The documents of a file in their order, and a problem in place of each that cannot be read.

  Holds one document (parquet: one page of rows) and nothing else of the file. `name` stands for
  the file in what is given; its base name by default. Paths may be remote (see etils.epath).
  Raises ValueError for a format that is not known; what is wrong in a file is never raised.
  """
  source = epath.Path(path)
  name = name or source.name
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
  bare, _, ending = kind.partition('.')
  compression = _COMPRESSION.get(ending, '')
  problem = functools.partial(raw.Problem, name, '')
  try:
    with path.open('rb') as file:
      if not file.read(1):
        yield problem('empty_file')
        return
      file.seek(0)
      yield from _PARSE[bare](_decompressed(file, compression), name, spec)
  except (pa.ArrowException, zlib.error, EOFError) as error:
    yield problem(_BROKEN.get(compression, 'unreadable'), _line(error))
  except OSError as error:
    # Arrow raises this for a broken stream too; what the system says of a file has a number.
    reason = _BROKEN.get(compression, 'unreadable') if error.errno is None else 'unreadable'
    yield problem(reason, error.strerror or _line(error))


def _decompressed(file: Any, compression: str) -> Any:
  return pa.CompressedInputStream(pa.PythonFile(file, 'r'), compression) if compression else file


def _line(error: Exception) -> str:
  return ' '.join(str(error).split())[:200]


def _kept(
    items: Iterator[raw.Item], name: str, keep: Callable[[raw.RawDocument], str]
) -> Iterator[raw.Item]:
  for item in items:
    if isinstance(item, raw.RawDocument) and (reason := keep(item)):
      yield raw.Problem(name, item.name.removeprefix(name).lstrip(':/'), reason, wrong=False)
    else:
      yield item
