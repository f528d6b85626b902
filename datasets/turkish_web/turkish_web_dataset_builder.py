"""Turkish web pages: FineWeb-2, HPLT and mC4."""

from typing import ClassVar

import tensorflow_datasets as tfds

from datasets import published
from datasets.cleaning import rules
from datasets.readers import raw

FINEWEB = f'{published.HUB}/HuggingFaceFW/fineweb-2'
FINEWEB_REVISION = 'af9c13333eb981300149d5ca60a8e9d659b276b9'
HPLT = f'{published.HUB}/HPLT/HPLT2.0_cleaned'
C4 = f'{published.HUB}/allenai/c4'
C4_REVISION = '1588ec454efa1a09f29cd18ddd04fe05fc8653a2'


class Builder(published.PublishedBuilder):
  """Builds `turkish_web`."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS: ClassVar[list] = [
      published.Corpus(
          name='fineweb2', description='FineWeb-2, tur_Latn. Its test split validates here.',
          files={'train': ('data/tur_Latn/train/*.parquet',),
                 'validation': ('data/tur_Latn/test/*.parquet',)},
          url=f'{FINEWEB}/resolve/{FINEWEB_REVISION}',
          spec=raw.Spec(format='parquet', meta=('id', 'url', 'language_score')),
          rules=rules.Rules(language='tr', minimal_bytes=200),
          licence='ODC-By 1.0', homepage=FINEWEB, revision=FINEWEB_REVISION),
      published.Corpus(
          name='hplt', description='HPLT 2.0, cleaned, tur_Latn.',
          files={'train': ('tur_Latn*/*.parquet',)}, spec=raw.Spec(format='parquet'),
          rules=rules.Rules(language='tr', minimal_bytes=200),
          licence='CC0 1.0 (the packaging)', homepage=HPLT),
      published.Corpus(
          name='mc4', description='mC4, tr.',
          files={'train': ('multilingual/c4-tr.tfrecord-{00000..01023}-of-01024.json.gz',),
                 'validation': (
                     'multilingual/c4-tr-validation.tfrecord-{00000..00003}-of-00004.json.gz',)},
          url=f'{C4}/resolve/{C4_REVISION}', spec=raw.Spec(format='jsonl.gz', meta=('url',)),
          rules=rules.Rules(language='tr', minimal_bytes=200, near_duplicates=True),
          licence='ODC-By 1.0 and the terms of Common Crawl', homepage=C4, revision=C4_REVISION),
  ]
