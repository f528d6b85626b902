"""PG-19: complete books from before 1919."""

from typing import ClassVar

import tensorflow_datasets as tfds

from datasets import published
from datasets.cleaning import rules
from datasets.readers import raw


class Builder(published.PublishedBuilder):
  """Builds `pg19`."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  CORPUS = published.Corpus(
      files={split: (f'{split}/*.txt',) for split in ('train', 'validation', 'test')},
      spec=raw.Spec(format='txt'), rules=rules.NONE,
      licence='Apache 2.0 (the collection); the books are in the public domain in the USA',
      homepage='https://github.com/google-deepmind/pg19')
