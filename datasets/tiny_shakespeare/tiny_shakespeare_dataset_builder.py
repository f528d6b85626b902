"""Tiny Shakespeare: forty thousand lines of his plays, cut as the public comparisons cut them."""

import dataclasses
from typing import Any, ClassVar

import tensorflow_datasets as tfds
from etils import epath

from datasets import published
from datasets.cleaning import rules
from datasets.readers import raw


class Builder(published.PublishedBuilder):
  """Builds `tiny_shakespeare`: each split is one document, exactly as in the file."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  CORPUS = published.Corpus(
      files=dict.fromkeys(('train', 'validation'), ('input.txt',)),
      url='https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare',
      spec=raw.Spec(format='txt'), rules=rules.NONE, licence='public domain',
      homepage='https://github.com/karpathy/char-rnn')

  def sources(self, dl_manager: Any) -> dict[str, list[raw.Source]]:
    """The same file for both splits: its first 90 % and the rest, by position."""
    return {split: [_cut(source, split) for source in part]
            for split, part in super().sources(dl_manager).items()}


def _cut(source: raw.Source, split: str) -> raw.Source:
  place = epath.Path(source.path).stat().length * 9 // 10
  span = (0, place) if split == 'train' else (place, None)
  return source._replace(spec=dataclasses.replace(source.spec or raw.Spec(), span=span))
