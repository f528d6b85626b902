"""Shakespeare's sonnets, one document each, from Project Gutenberg's text."""

import re
from collections.abc import Iterator
from typing import ClassVar

import tensorflow_datasets as tfds

from datasets import published
from datasets.readers import raw

_NUMBER = re.compile(r'\s*([IVXLC]+)\.?\s*')


def sonnets(items: Iterator[raw.Item]) -> Iterator[raw.Item]:
  """From a book to its poems, each below a Roman number, without what Gutenberg adds."""
  for item in items:
    if isinstance(item, raw.Problem):
      yield item
      continue
    book, number = item.name.rpartition(':')[0], ''
    lines: list[str] = []
    for line in item.text.decode().splitlines():
      if line.startswith('*** END'):
        break
      if match := _NUMBER.fullmatch(line):
        yield from _poem(book, number, lines)
        number, lines = match[1], []
      elif number:
        lines.append(line.strip())
    yield from _poem(book, number, lines)


def _poem(book: str, number: str, lines: list[str]) -> Iterator[raw.RawDocument]:
  text = '\n'.join(lines).strip()
  if text:
    yield raw.RawDocument(text.encode() + b'\n', f'{book}:{number}')


class Builder(published.PublishedBuilder):
  """Builds `shakespeare_sonnets`."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  VALIDATION = 0.1
  CORPUS = published.Corpus(
      files={'train': ('pg1041.txt',)}, url='https://www.gutenberg.org/cache/epub/1041',
      spec=raw.Spec(format='txt', assemble=sonnets), licence='public domain',
      homepage='https://www.gutenberg.org/ebooks/1041')
