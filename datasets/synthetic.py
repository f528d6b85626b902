"""A synthetic corpus of random words in every format that sources have, and its builder.

  ./run //binaries:prepare_data --imports=datasets.synthetic --manual_dir=DIR \\
      --dataset=random_words/parquet
"""

import contextlib
import functools
import gzip
import json
import pathlib
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import tensorflow_datasets as tfds
from pyarrow import parquet as pq

from datasets import streaming_builder
from datasets.readers import raw

SHARDS = 4  # Files of each format.
WORDS = 50_000
DOCUMENT_WORDS = (500, 1.0)  # Median, and standard deviation of the logarithm.
SEPARATOR = '<|endoftext|>'
_LETTERS = list('aabcçdeeefgğhıiijkklllmnnoöprrsştuüvyz')
_GROUP = 512  # Documents of a row group.
Append = Callable[[str], object]


class RandomWords(streaming_builder.StreamingBuilder):
  """Documents of random words; a config for each format."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS: ClassVar[list] = [
      tfds.core.BuilderConfig(name=kind.replace('.', '_'))
      for kind in ('parquet', 'jsonl.zst', 'jsonl.gz', 'txt.gz', 'zip')]
  SPEC = raw.Spec(separator=SEPARATOR.encode())

  def sources(self, dl_manager: Any) -> dict[str, list[Any]]:
    """All files of the format in the folder."""
    kind = self.builder_config.name.replace('_', '.')
    return {'train': sorted(self.source_folder(dl_manager).glob(f'*.{kind}'))}


def documents(num_bytes: int, seed: int) -> Iterator[str]:
  """Texts of random words, so many bytes and the end of a text in all; words as often as 1/rank."""
  random, words = np.random.default_rng(seed), _words()
  median, deviation = DOCUMENT_WORDS
  while num_bytes > 0:
    count = 1 + int(median * random.lognormal(0.0, deviation))
    ranks = (WORDS ** random.random(count)).astype(np.int64) - 1
    text = ' '.join(words[ranks].tolist())
    num_bytes -= len(text.encode())
    yield text


@functools.cache
def _words() -> np.ndarray:  # [WORDS] object
  random = np.random.default_rng(0)
  ends = np.cumsum(2 + random.poisson(5, WORDS))
  letters = ''.join(random.choice(_LETTERS, ends[-1]))
  starts = [0, *ends[:-1].tolist()]
  return np.array([letters[i:j] for i, j in zip(starts, ends.tolist(), strict=True)], object)


def write(folder: pathlib.Path, kind: str, num_bytes: int) -> None:
  """Writes `SHARDS` files of a format with so many bytes of text."""
  for shard in range(SHARDS):
    with _WRITERS[kind](folder / f'{shard:05}.{kind}') as append:
      for text in documents(num_bytes // SHARDS, shard):
        append(text)


@contextlib.contextmanager
def _parquet(path: pathlib.Path) -> Iterator[Append]:
  schema = pa.schema([('text', pa.string())])
  rows: list[str] = []
  with pq.ParquetWriter(path, schema, compression='zstd') as file:
    def flush() -> None:
      file.write_table(pa.table({'text': rows}, schema))
      rows.clear()

    def append(text: str) -> None:
      rows.append(text)
      if len(rows) == _GROUP:
        flush()

    yield append
    flush()


@contextlib.contextmanager
def _json_zst(path: pathlib.Path) -> Iterator[Append]:
  with pa.CompressedOutputStream(pa.OSFile(str(path), 'wb'), 'zstd') as file:
    yield lambda text: file.write(_line(text))


@contextlib.contextmanager
def _json_gz(path: pathlib.Path) -> Iterator[Append]:
  with gzip.open(path, 'wb', compresslevel=1) as file:
    yield lambda text: file.write(_line(text))


def _line(text: str) -> bytes:
  return json.dumps({'text': text}, ensure_ascii=False).encode() + b'\n'


@contextlib.contextmanager
def _text_gz(path: pathlib.Path) -> Iterator[Append]:
  with gzip.open(path, 'wb', compresslevel=1) as file:
    yield lambda text: file.write((text + SEPARATOR).encode())


@contextlib.contextmanager
def _zip(path: pathlib.Path) -> Iterator[Append]:
  with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as file:
    yield lambda text: file.writestr(f'{len(file.filelist):08}.txt', text)


_WRITERS = {'parquet': _parquet, 'jsonl.zst': _json_zst, 'jsonl.gz': _json_gz,
            'txt.gz': _text_gz, 'zip': _zip}
FORMATS = tuple(_WRITERS)
