"""How this library is cited: CITATION.cff as BibTeX."""

import pathlib

import yaml

FILE = pathlib.Path(__file__).parents[2] / 'CITATION.cff'


def bibtex() -> str:
  """An entry for the library."""
  about = yaml.safe_load(FILE.read_text(encoding='utf-8'))
  authors = ' and '.join('{' + author['name'] + '}' for author in about['authors'])
  return '\n'.join([
      f'@software{{{about["title"]},', f'  title = {{{about["title"]}}},',
      f'  author = {{{authors}}},', f'  license = {{{about["license"]}}}', '}'])
