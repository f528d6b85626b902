"""enwik8: the first 100,000,000 bytes of a Wikipedia dump, unchanged."""

import dataclasses
import zipfile
from typing import Any, ClassVar

import tensorflow_datasets as tfds
from etils import epath

from datasets import published
from datasets.cleaning import rules
from datasets.readers import raw

# Of the file: 90, 5 and 5 million bytes, as the benchmark is always cut.
SHARES = {'train': (0, 18), 'validation': (18, 19), 'test': (19, 20)}


class Builder(published.PublishedBuilder):
  """Builds `enwik8`: each split is one document, exactly as in the file."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  CORPUS = published.Corpus(
      files=dict.fromkeys(SHARES, ('enwik8.zip',)), url='https://mattmahoney.net/dc',
      spec=raw.Spec(format='zip'), rules=rules.NONE, licence='CC BY-SA 3.0 and GFDL',
      homepage='https://mattmahoney.net/dc/textdata.html')

  def sources(self, dl_manager: Any) -> dict[str, list[raw.Source]]:
    """The same file for each split, of which each takes its own span."""
    return {split: [_cut(source, *SHARES[split]) for source in part]
            for split, part in super().sources(dl_manager).items()}


def _cut(source: raw.Source, first: int, last: int) -> raw.Source:
  try:
    with epath.Path(source.path).open('rb') as file, zipfile.ZipFile(file) as archive:
      size = sum(member.file_size for member in archive.infolist())
  except zipfile.BadZipFile:
    return source  # The reader reports what is wrong.
  span = (size * first // 20, size * last // 20)
  return source._replace(spec=dataclasses.replace(source.spec or raw.Spec(), span=span))
