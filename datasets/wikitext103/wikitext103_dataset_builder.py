"""WikiText-103, raw: articles assembled from their lines."""

import re
from collections.abc import Iterator
from typing import ClassVar

import tensorflow_datasets as tfds

from datasets import published
from datasets.cleaning import rules
from datasets.readers import raw

URL = f'{published.HUB}/Salesforce/wikitext'
REVISION = 'b08601e04326c79dfdd32d625aee71d232d685c3'
_TITLE = re.compile(rb' = [^=\s].*[^=\s] = \n| = [^=\s] = \n')


def articles(items: Iterator[raw.Item]) -> Iterator[raw.Item]:
  """Lines to articles. An article begins with a title between two empty lines.

  The table has '' for lines of the text that hold one space.
  """
  lines: list[bytes] = []
  name, empty = '', True
  title: raw.RawDocument | None = None  # One that stood after an empty line.
  for item in items:
    if isinstance(item, raw.Problem):
      yield item
      continue
    if title is not None:
      if not item.text.strip():
        yield from _article(name, lines)
        name, lines = title.name, []
      lines.append(title.text)
      title = None
    if empty and _TITLE.fullmatch(item.text):
      title = item
    else:
      name = name or item.name
      lines.append(item.text or b' \n')
    empty = not item.text.strip()
  yield from _article(name, lines if title is None else [*lines, title.text])


def _article(name: str, lines: list[bytes]) -> Iterator[raw.RawDocument]:
  text = b''.join(lines)
  if text.strip():
    yield raw.RawDocument(text, name)


class Builder(published.PublishedBuilder):
  """Builds `wikitext103`."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  CORPUS = published.Corpus(
      files={'train': ('wikitext-103-raw-v1/train-{00000..00001}-of-00002.parquet',),
             'validation': ('wikitext-103-raw-v1/validation-00000-of-00001.parquet',),
             'test': ('wikitext-103-raw-v1/test-00000-of-00001.parquet',)},
      url=f'{URL}/resolve/{REVISION}',
      spec=raw.Spec(format='parquet', assemble=articles), rules=rules.NONE,
      licence='CC BY-SA 3.0 and GFDL', homepage=URL, revision=REVISION)
