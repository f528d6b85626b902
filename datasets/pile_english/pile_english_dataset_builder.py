"""English text of many kinds: the Pile without its copyrighted parts, and the Common Pile."""

from typing import ClassVar

import tensorflow_datasets as tfds

from datasets import published
from datasets.cleaning import rules
from datasets.readers import raw

PILE = f'{published.HUB}/monology/pile-uncopyrighted'
PILE_REVISION = '3be90335b66f24456a5d6659d9c8d208c0357119'
COMMON = f'{published.HUB}/common-pile/comma_v0.1_training_dataset'
COMMON_REVISION = '5afc546db324e7f39f297ba757c9a60547151e7c'
RULES = rules.Rules(minimal_bytes=64)


class Builder(published.PublishedBuilder):
  """Builds `pile_english`."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS: ClassVar[list] = [
      published.Corpus(
          name='uncopyrighted', description='The Pile without its copyrighted parts.',
          files={'train': ('train/{00..29}.jsonl.zst',), 'validation': ('val.jsonl.zst',),
                 'test': ('test.jsonl.zst',)},
          url=f'{PILE}/resolve/{PILE_REVISION}',
          spec=raw.Spec(format='jsonl.zst', meta=('meta.pile_set_name',)), rules=RULES,
          licence='mixed, see the source', homepage=PILE, revision=PILE_REVISION),
      published.Corpus(
          name='common_pile', description='Openly licensed text: the mix that Comma trained on.',
          files={'train': ('*/*.gz', '*/*/*.gz')}, url=f'{COMMON}/resolve/{COMMON_REVISION}',
          spec=raw.Spec(format='jsonl.gz', licence='metadata.license', meta=('source',)),
          rules=RULES, licence='open, of each document', homepage=COMMON,
          revision=COMMON_REVISION),
  ]
