"""The text that the repository ships. MANIFEST.tsv says what it is and which split it is in."""

import csv
import functools
import pathlib
from typing import Any, ClassVar, NamedTuple

import tensorflow_datasets as tfds

from datasets import packed_builder, splits, text_files

FOLDER = pathlib.Path(__file__).parent


class Entry(NamedTuple):
  """One line of the manifest."""

  file: str  # Below text/.
  bytes: int
  split: str
  licence: str
  source: str

  @property
  def path(self) -> pathlib.Path:
    return FOLDER / 'text' / self.file


def manifest() -> list[Entry]:
  """All files that are shipped, sorted by name."""
  with (FOLDER / 'MANIFEST.tsv').open(newline='', encoding='utf-8') as file:
    rows = csv.DictReader(file, delimiter='\t', quoting=csv.QUOTE_NONE)
    return [Entry(row['file'], int(row['bytes']), row['split'], row['licence'], row['source'])
            for row in rows]


class Builder(packed_builder.PackedBuilder):
  """Builds `starter`."""

  VERSION = tfds.core.Version('1.1.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {
      '1.0.0': 'Initial release.',
      '1.1.0': 'A whole novel in the test split; the other splits are as they were.',
  }

  def settings(self) -> dict[str, Any]:
    """The licences, which the manifest states file by file."""
    licences: dict[str, dict[str, int]] = {}
    for entry in manifest():
      numbers = licences.setdefault(entry.licence, {'documents': 0, 'bytes': 0})
      numbers['documents'] += 1
      numbers['bytes'] += entry.bytes
    return {'licences': licences}

  def _plan(self) -> packed_builder.Plan:
    parts: dict[str, list[packed_builder.Document]] = {name: [] for name in splits.NAMES}
    for entry in sorted(manifest(), key=lambda entry: splits.order_key(entry.file)):
      parts[entry.split].append(packed_builder.Document(
          id=splits.document_id(entry.file), name=entry.file, size=entry.bytes,
          read=functools.partial(text_files.read_text, entry.path)))
    return packed_builder.Plan(splits=parts, filtered=text_files.Filtered())
