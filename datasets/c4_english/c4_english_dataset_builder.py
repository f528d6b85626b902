"""C4: English web pages of Common Crawl, cleaned."""

from typing import ClassVar

import tensorflow_datasets as tfds

from datasets import published
from datasets.cleaning import rules
from datasets.readers import raw

URL = f'{published.HUB}/allenai/c4'
REVISION = '1588ec454efa1a09f29cd18ddd04fe05fc8653a2'


class Builder(published.PublishedBuilder):
  """Builds `c4_english`."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  CORPUS = published.Corpus(
      files={'train': ('en/c4-train.{00000..01023}-of-01024.json.gz',),
             'validation': ('en/c4-validation.{00000..00007}-of-00008.json.gz',)},
      url=f'{URL}/resolve/{REVISION}', spec=raw.Spec(format='jsonl.gz', meta=('url',)),
      rules=rules.Rules(minimal_bytes=64), licence='ODC-By 1.0 and the terms of Common Crawl',
      homepage=URL, revision=REVISION)
