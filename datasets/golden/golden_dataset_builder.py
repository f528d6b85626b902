"""What the model wrote itself and a verifier accepted (haiku_spectral/tasks/verified_sample.py)."""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from datasets import published, splits
from datasets.cleaning import rules
from datasets.readers import raw, reader
from haiku_spectral.tasks import verified_sample as record

VALIDATION = 0.05  # Share of the prompts.


def accepted(items: Iterator[raw.Item], *, split: str) -> Iterator[raw.Item]:
  """The texts of the accepted records of a split: prompt and completion as one document.

  All samples of a prompt are in the same split. What is wrong or was not accepted is reported once,
  with 'train'.
  """
  for item in items:
    found = _judged(item) if isinstance(item, raw.RawDocument) else item
    if split == (found.meta['split'] if isinstance(found, raw.RawDocument) else 'train'):
      yield found


def _judged(item: raw.RawDocument) -> raw.Item:
  file, _, line = item.name.rpartition(':')
  try:
    entry = record.parse({**item.meta, 'completion': item.text.decode()})
    text = (entry.prompt + entry.completion).encode()
  except ValueError as error:
    return raw.Problem(file, f'line {line}', 'invalid_record', str(error))
  if entry.verdict != record.ACCEPTED:
    return raw.Problem(file, f'line {line}', entry.verdict, wrong=False)
  split = 'validation' if splits.fraction(entry.prompt) < VALIDATION else 'train'
  return item._replace(text=text, meta={**item.meta, 'split': split})


class Builder(published.PublishedBuilder):
  """Builds `golden`."""

  VALIDATION = TEST = 0.0  # Whole prompts are held out, not documents.
  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  CORPUS = published.Corpus(
      files=dict.fromkeys(('train', 'validation'), ('*.jsonl', '*.jsonl.gz', '*.jsonl.zst')),
      spec=raw.Spec(
          text='completion', meta=tuple(name for name in record.FIELDS if name != 'completion')),
      rules=rules.Rules(nfc=False, control=False), licence="the model's own text",
      homepage='')

  def __init__(self, *, config: Any = None, **arguments: Any) -> None:
    """A name as config keeps several apart: `golden/NAME`."""
    if isinstance(config, str):
      config = dataclasses.replace(self.CORPUS, name=config)
    super().__init__(config=config, **arguments)

  def sources(self, dl_manager: Any) -> dict[str, list[raw.Source]]:
    """Without a split for validation where few records leave it nothing."""
    found = super().sources(dl_manager)
    spec = self.spec_of('validation')
    held_out = any(isinstance(item, raw.RawDocument) for source in found['validation']
                   for item in reader.read(source.path, source.spec or spec))
    return found if held_out else {'train': found['train']}

  def spec_of(self, split: str) -> raw.Spec:
    """The same files for both splits, of which each takes its own."""
    return dataclasses.replace(
        self.corpus.spec, assemble=functools.partial(accepted, split=split))
