"""A builder of the tests' own, and source files for it."""

import json
import pathlib
import random
from collections.abc import Sequence
from typing import ClassVar
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import tensorflow_datasets as tfds
from absl import logging

from datasets import packed_builder, streaming_builder
from datasets.cleaning import rules

logging.set_verbosity(logging.ERROR)

FILES = 4
DOCUMENTS = 30  # In each file.


class SmallCorpus(streaming_builder.StreamingBuilder):
  """Documents of a folder: each folder in it is a split, if there are any."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  RULES = rules.Rules(near_duplicates=True)
  LICENCE = 'CC0'
  VALIDATION = 0.1

  def sources(self, dl_manager):
    folder = self.source_folder(dl_manager)
    parts = sorted(path for path in folder.iterdir() if path.is_dir())
    return {part.name: sorted(part.glob('*.*')) for part in parts} or {
        'train': sorted(folder.glob('*.*'))}


def words(seed: int, count: int) -> str:
  """Text of random words."""
  letters = random.Random(seed)
  return ' '.join(''.join(letters.choices('abcçdefgğhıijkl', k=6)) for _ in range(count))


def text(file: int, document: int) -> str:
  """A document of `write_files`."""
  return words(1000 * file + document, 20 + 37 * document)


def write_files(folder: pathlib.Path) -> pathlib.Path:
  """Source files in two formats; returns the folder."""
  for file in range(FILES):
    write_lines(folder / f'{file}.{"parquet" if file % 2 else "jsonl"}',
                [text(file, document) for document in range(DOCUMENTS)])
  return folder


def small_shards():
  """A patch that makes small shards, so that there are several."""
  return mock.patch.object(packed_builder, 'RECORDS_PER_SHARD', 2)


def write_lines(path: pathlib.Path, texts: Sequence[str], **fields: str) -> None:
  """Writes a .jsonl or a .parquet file."""
  path.parent.mkdir(parents=True, exist_ok=True)
  rows = [{'text': text, **fields} for text in texts]
  if path.suffix == '.parquet':
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)
  else:
    path.write_text(''.join(json.dumps(row, ensure_ascii=False) + '\n' for row in rows),
                    encoding='utf-8')


def make(data_dir: str | pathlib.Path, folder: pathlib.Path, **options) -> SmallCorpus:
  """The builder with options, before it builds."""
  builder = SmallCorpus(data_dir=str(data_dir))
  builder.options = streaming_builder.Options(folder=str(folder), **options)
  return builder


def build(data_dir: str | pathlib.Path, folder: pathlib.Path, **options) -> SmallCorpus:
  """The builder after it has built."""
  builder = make(data_dir, folder, **options)
  builder.download_and_prepare(file_format='array_record')
  return builder


def records(builder: SmallCorpus, split: str) -> list[dict]:
  """All records of a split."""
  source = builder.as_data_source(split=split)
  return [source[i] for i in range(len(source))]


def assert_same(builder: SmallCorpus, other: SmallCorpus) -> None:
  """Raises AssertionError unless two datasets are the same."""
  if list(builder.info.splits) != list(other.info.splits):
    raise AssertionError(f'other splits: {builder.info.splits}, {other.info.splits}')
  for split in other.info.splits:
    lengths = [made.info.splits[split].shard_lengths for made in (builder, other)]
    if lengths[0] != lengths[1]:
      raise AssertionError(f'other shards in {split}: {lengths}')
    for one, two in zip(records(builder, split), records(other, split), strict=True):
      for name in one:
        np.testing.assert_array_equal(one[name], two[name], strict=True)
  for name in ('report.json', 'documents.jsonl'):
    if len({(pathlib.Path(made.data_dir) / name).read_bytes() for made in (builder, other)}) > 1:
      raise AssertionError(f'{name} differs')
