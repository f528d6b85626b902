"""Code from GitHub: a config for each language, permissive licences only unless one says so."""

import functools
from typing import ClassVar

import tensorflow_datasets as tfds

from datasets import published
from datasets.cleaning import rules
from datasets.readers import raw

URL = f'{published.HUB}/codeparrot/github-code-clean'
REVISION = 'c48d40f9e70f0196f8236901ee35807f7d6c44c0'
PERMISSIVE = ('apache-2.0', 'bsd-2-clause', 'bsd-3-clause', 'cc0-1.0', 'isc', 'mit', 'unlicense')
LANGUAGES = {  # As they are called there.
    'assembly': 'Assembly', 'batchfile': 'Batchfile', 'c': 'C', 'csharp': 'C#', 'cpp': 'C++',
    'cmake': 'CMake', 'css': 'CSS', 'dockerfile': 'Dockerfile', 'fortran': 'FORTRAN', 'go': 'GO',
    'haskell': 'Haskell', 'html': 'HTML', 'java': 'Java', 'javascript': 'JavaScript',
    'julia': 'Julia', 'lua': 'Lua', 'makefile': 'Makefile', 'markdown': 'Markdown', 'perl': 'Perl',
    'php': 'PHP', 'powershell': 'PowerShell', 'python': 'Python', 'ruby': 'Ruby', 'rust': 'Rust',
    'scala': 'Scala', 'shell': 'Shell', 'sql': 'SQL', 'tex': 'TeX', 'typescript': 'TypeScript',
    'visual_basic': 'Visual Basic',
}


def keep(document: raw.RawDocument, *, language: str, licences: tuple[str, ...]) -> str:
  """Why a file is filtered, or ''. `language` '' and `licences` () keep any."""
  if language and document.meta['language'] != language:
    return 'language'
  return 'licence' if licences and document.licence not in licences else ''


def _corpus(name: str, language: str, licences: tuple[str, ...]) -> published.Corpus:
  return published.Corpus(
      name=name,
      description=f'{language or "All languages"}, '
                  f'{"permissive licences" if licences else "any licence"}.',
      files={'train': ('data/train-{00000..00879}-of-00880.parquet',)},
      url=f'{URL}/resolve/{REVISION}',
      spec=raw.Spec(
          format='parquet', text='code', licence='license', meta=('language', 'repo_name', 'path'),
          keep=functools.partial(keep, language=language, licences=licences)),
      # Code has form feeds and the like, and names that NFC would change.
      rules=rules.Rules(nfc=False, control=False, minimal_bytes=32),
      licence='of each file', homepage=URL, revision=REVISION)


class Builder(published.PublishedBuilder):
  """Builds `github_code`."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS: ClassVar[list] = [
      _corpus('all', '', PERMISSIVE),
      *(_corpus(name, language, PERMISSIVE) for name, language in LANGUAGES.items()),
      _corpus('any_licence', '', ()),
  ]
