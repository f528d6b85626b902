"""Small corpora for tests: folders of files, and datasets built from them."""

import functools
import pathlib
import random
import tempfile

from absl import logging
from absl.testing import absltest

from datasets import preparation
from datasets.text_folder import text_folder_dataset_builder

logging.set_verbosity(logging.ERROR)  # What TFDS logs would hide what a test says.


def temporary_folder(test_class: type[absltest.TestCase]) -> pathlib.Path:
  """A folder that is there for all tests of a class and is then removed."""
  folder = tempfile.TemporaryDirectory()
  test_class.addClassCleanup(folder.cleanup)
  return pathlib.Path(folder.name)


def write(folder: pathlib.Path, files: dict[str, bytes]) -> str:
  """Writes files, names of which may hold folders; returns the folder."""
  for name, data in files.items():
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
  return str(folder)


def letters(seed: int, size: int) -> bytes:
  """Random ASCII letters: any few of them occur once only."""
  return bytes(random.Random(seed).choices(b'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ',
                                           k=size))


def make_builder(data_dir: str, **settings) -> text_folder_dataset_builder.Builder:
  """A builder of text_folder/NAME."""
  config = text_folder_dataset_builder.TextFolderConfig(**settings)
  return text_folder_dataset_builder.Builder(config=config, data_dir=data_dir)


def build(name: str, source: str, data_dir: str, *, overwrite: bool = False, progress=None,
          **settings) -> tuple[bool, dict]:
  """Builds text_folder/NAME from a folder."""
  return preparation.prepare(
      f'text_folder/{name}', functools.partial(make_builder, name=name, source=source, **settings),
      data_dir=data_dir, overwrite=overwrite, progress=progress)
