"""Turkish papers and theses (AkademikDerlem) and edited prose (OzenliDerlem) of BellaTurca."""

from typing import ClassVar

import tensorflow_datasets as tfds

from datasets import published
from datasets.cleaning import rules

URL = f'{published.HUB}/turkish-nlp-suite/BellaTurca'


def _corpus(name: str, folder: str, description: str) -> published.Corpus:
  return published.Corpus(
      name=name, description=description, files={'train': (f'{folder}/*',)},
      rules=rules.Rules(language='tr', minimal_bytes=200), licence='CC BY-SA 4.0', homepage=URL)


class Builder(published.PublishedBuilder):
  """Builds `turkish_academic`."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS: ClassVar[list] = [
      _corpus('papers', 'AkademikDerlem', 'Papers and theses.'),
      _corpus('prose', 'OzenliDerlem', 'Edited prose: culture, literature, stories, travel.'),
  ]
