"""Any folder of UTF-8 files, nested, as `text_folder/NAME`."""

import dataclasses
import functools
import os
import pathlib
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from datasets import packed_builder, registry, splits, text_files
from haiku_spectral.requirement import require
from haiku_spectral.storage import file_name


@dataclasses.dataclass(kw_only=True, eq=False)
class TextFolderConfig(tfds.core.BuilderConfig):
  """One corpus of a user. `name` is what a mixture calls it: text_folder/NAME."""

  source: str = ''  # The folder; needed only to build.
  extensions: tuple[str, ...] = ()  # None: every file.
  invalid: str = 'skip'  # What becomes of a file that is not UTF-8: 'skip', 'replace' or 'fail'.
  validation: float = 0.05  # Share of the documents that is held out for evaluation in training.
  test: float = 0.05

  def __post_init__(self):
    """Raises ValueError for a value that is not allowed."""
    self.name = str(self.name)
    registry.check_own_name('text_folder', self.name)
    require(self.invalid in text_files.INVALID_POLICIES, 'invalid', self.invalid,
            f'one of {", ".join(text_files.INVALID_POLICIES)}')
    splits.check_fractions(self.validation, self.test)
    self.extensions = text_files.normalise_extensions(self.extensions)


class Builder(packed_builder.PackedBuilder):
  """Builds text_folder/NAME from a folder; reading it back needs no folder."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}

  def _plan(self) -> packed_builder.Plan:
    config: Any = self.builder_config
    folder = text_files.require_folder(config.source)
    filtered = text_files.Filtered()
    found = list(text_files.find(folder, config.extensions, filtered))
    advance = self.progress('checking', sum(size for _, _, size in found))
    checked = (text_files.check(path, name, invalid=config.invalid, filtered=filtered,
                                advance=advance) for path, name, _ in found)
    files = {file.name: file for file in checked if file}
    if not files:
      raise ValueError(_nothing_found(folder, config, filtered))
    contents = {name: file.content for name, file in files.items()}
    assigned = splits.assign(contents, validation=config.validation, test=config.test)
    return packed_builder.Plan(
        splits={split: [_document(files[name], config.invalid) for name in names]
                for split, names in assigned.items()},
        filtered=filtered,
        copies=splits.count_copies(contents),
    )

  def settings(self) -> dict[str, Any]:
    config: Any = self.builder_config
    folder = pathlib.Path(config.source).expanduser().resolve()
    return {'source': file_name.printable(folder), 'extensions': list(config.extensions),
            'invalid': config.invalid, 'validation': config.validation, 'test': config.test}


def _document(file: text_files.TextFile, invalid: str) -> packed_builder.Document:
  read = functools.partial(text_files.read_text, file.path, replace=invalid == 'replace')
  return packed_builder.Document(
      id=splits.document_id(file.name), name=file.name, size=file.size, read=read)


def _nothing_found(folder: str, config: TextFolderConfig, filtered: text_files.Filtered) -> str:
  if not os.listdir(folder):
    return f'the folder {folder!r} is empty: give a folder of text files.'
  reasons = ', '.join(f'{count} x {reason}' for reason, count in filtered.counts.most_common())
  wanted = ' or '.join(config.extensions) or 'any extension'
  return f'no text with {wanted} in {folder!r} (filtered out: {reasons or "nothing"}).'
