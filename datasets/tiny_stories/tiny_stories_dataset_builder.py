"""TinyStories, the version that GPT-4 alone wrote."""

from typing import ClassVar

import tensorflow_datasets as tfds

from datasets import published
from datasets.readers import raw

URL = f'{published.HUB}/roneneldan/TinyStories'
REVISION = 'f54c09fd23315a6f9c86f9dc80f725de7d8f9c64'


class Builder(published.PublishedBuilder):
  """Builds `tiny_stories`."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  CORPUS = published.Corpus(
      files={'train': ('TinyStoriesV2-GPT4-train.txt',),
             'validation': ('TinyStoriesV2-GPT4-valid.txt',)},
      url=f'{URL}/resolve/{REVISION}',
      spec=raw.Spec(format='txt', separator=b'<|endoftext|>'),
      licence='CDLA-Sharing-1.0', homepage=URL, revision=REVISION)
