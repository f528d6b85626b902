"""The text of the evaluation sets, of which a corpus may contain nothing."""

import functools
import hashlib
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

from datasets import packing, text_files
from datasets.cleaning import contamination
from datasets.streaming import work_units

HELD_OUT = ('validation', 'test')


def write(folder: pathlib.Path, places: Sequence[str]) -> str:
  """Prepares the evaluation sets for the cleaning; returns a key of their text.

  A place is the folder of a built dataset, of which the held-out splits count, or a text, or a
  folder of texts. Raises ValueError for one without text.
  """
  documents = [contamination.normal(text) for place in places for text in _texts(place)]
  digest = hashlib.blake2b(digest_size=16)
  for document in documents:
    digest.update(len(document).to_bytes(8, 'big') + document)
  done = work_units.make(folder, digest.hexdigest(), functools.partial(_write, documents))
  return done['key']


def _write(documents: list[bytes], folder: pathlib.Path) -> dict[str, Any]:
  contamination.write(folder, documents)
  return {'documents': len(documents)}


def _texts(place: str) -> list[bytes]:
  """The texts of a place; without any, nothing would be protected."""
  found = list(_documents(pathlib.Path(place).expanduser()))
  if not found:
    raise ValueError(
        f'the evaluation set {place!r} has no text: give the name of a built dataset with a '
        'held-out split, its folder (NAME/VERSION), a text, or a folder of texts (links are not '
        'followed).')
  return found


def _documents(place: pathlib.Path) -> Iterator[bytes]:
  if (place / 'dataset_info.json').is_file():
    yield from _held_out(place)
  elif place.is_dir():
    found = text_files.find(str(place), (), text_files.Filtered())
    for path, _, _ in found:
      yield b''.join(text_files.read_text(path, replace=True))
  elif place.is_file():
    yield b''.join(text_files.read_text(place, replace=True))
  else:
    raise FileNotFoundError(
        f'the evaluation set {str(place)!r} does not exist: give a built dataset, a text, or a '
        'folder of texts.')


def _held_out(place: pathlib.Path) -> Iterator[bytes]:
  import tensorflow_datasets as tfds  # Here, so that other workers need not import it.
  builder = tfds.builder_from_directory(str(place.resolve()))
  for split in HELD_OUT:
    if split in builder.info.splits:
      source = builder.as_data_source(split=split)
      for _, text in packing.unpack(source[i] for i in range(len(source))):
        yield text.translate(None, bytes(packing.MARKS))  # No UTF-8 has their bytes.
