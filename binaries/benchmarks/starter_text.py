"""Held-out text that the repository ships, by language."""

from datasets.starter import starter_dataset_builder

LANGUAGES = {'Turkish': 'turkish', 'English': 'english', 'code': 'code'}  # Folder of each.


def held_out(language: str, limit: int) -> bytes:
  """The first so many bytes of the files of a language that no training reads."""
  files = [entry.path for entry in starter_dataset_builder.manifest()
           if entry.split != 'train' and entry.file.startswith(LANGUAGES[language] + '/')]
  return b''.join(path.read_bytes() for path in files)[:limit]
