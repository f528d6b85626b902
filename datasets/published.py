"""Published corpora: which files make which split, in a mirror or to be downloaded.

Paths are those at the source, below the folder that `url` names, so that a mirror made by any tool
that keeps paths can be read: 'data/train-{00000..00003}-of-00004.parquet'. Braces hold a range of
numbers; a star matches names that are not known, so such files are read from a mirror only.
"""

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import tensorflow_datasets as tfds
from etils import epath

from datasets import streaming_builder
from datasets.cleaning import rules as cleaning_rules
from datasets.readers import raw, reader

HUB = 'https://huggingface.co/datasets'
_RANGE = re.compile(r'\{(\d+)\.\.(\d+)\}')


@dataclasses.dataclass(kw_only=True, eq=False)
class Corpus(tfds.core.BuilderConfig):
  """One corpus: a builder has one, or several as its configs."""

  name: str = ''
  files: Mapping[str, tuple[str, ...]]  # Split -> paths, as the module says.
  url: str = ''  # The folder that they are below; '': they cannot be downloaded.
  spec: raw.Spec = raw.Spec()  # noqa: RUF009 (frozen)
  rules: cleaning_rules.Rules = cleaning_rules.Rules()  # noqa: RUF009 (frozen)
  licence: str  # Of documents without one of their own.
  homepage: str
  revision: str = ''  # Of the source; '': it has none, or none that could be verified.


class PublishedBuilder(streaming_builder.StreamingBuilder):
  """Base class of builders that read a published corpus."""

  CORPUS: ClassVar[Corpus]  # Where there is only one; otherwise BUILDER_CONFIGS.
  MANUAL_DOWNLOAD_INSTRUCTIONS = (
      'Put the files below one folder, under the paths that they have at their source (README.md '
      'says which), for example with a mirror of the repository at its pinned revision.')

  def __init__(self, *, file_format: str = 'array_record', **arguments: Any) -> None:
    """As in TFDS, except for the default format of the files, which needs no TensorFlow."""
    super().__init__(file_format=file_format, **arguments)

  @property
  def corpus(self) -> Corpus:
    """What is built."""
    config = self.builder_config
    return config if isinstance(config, Corpus) else self.CORPUS

  def sources(self, dl_manager: Any) -> dict[str, list[raw.Source]]:
    """The files of each split, sorted by name. Raises FileNotFoundError for a split without any."""
    folder = self.given_folder(dl_manager)
    if folder is None:
      return self._downloaded(dl_manager)
    return {split: [_source(path, name, self.spec_of(split))
                    for name, path in _found(folder, split, paths)]
            for split, paths in self.corpus.files.items()}

  def spec_of(self, split: str) -> raw.Spec:
    """How the files of a split are read."""
    del split
    return self.corpus.spec

  def spec(self) -> raw.Spec:
    return self.corpus.spec

  def rules(self) -> cleaning_rules.Rules:
    return self.corpus.rules

  def licence(self) -> str:
    return self.corpus.licence

  def homepage(self) -> str:
    return self.corpus.homepage

  def revision(self) -> str:
    return self.corpus.revision

  def _downloaded(self, dl_manager: Any) -> dict[str, list[raw.Source]]:
    corpus = self.corpus
    files = {split: names(paths) for split, paths in corpus.files.items()}
    if not corpus.url or not all(files.values()):
      raise FileNotFoundError(
          f'{self.info.full_name} cannot be downloaded file by file: mirror '
          f'{corpus.homepage or "its files"} and give the folder with --manual_dir.')
    paths = dl_manager.download({
        name: f'{corpus.url}/{name}' for part in files.values() for name in part})
    return {split: [_source(paths[name], name, self.spec_of(split)) for name in part]
            for split, part in files.items()}


def names(paths: tuple[str, ...]) -> list[str]:
  """All names that paths with ranges match, in order; none if a path has a star."""
  return [] if any('*' in path for path in paths) else list(
      itertools.chain.from_iterable(map(_numbered, paths)))


def _numbered(path: str) -> Iterator[str]:
  match = _RANGE.search(path)
  if not match:
    yield path
    return
  first, last = match.groups()
  for number in range(int(first), int(last) + 1):
    yield from _numbered(
        f'{path[:match.start()]}{number:0{len(first)}}{path[match.end():]}')


def _found(
    folder: epath.Path, split: str, paths: tuple[str, ...]
) -> list[tuple[str, epath.Path]]:
  """The names and paths of the files that exist; a range need not be complete."""
  found = {str(file.relative_to(folder)): file
           for path in paths for file in folder.glob(_RANGE.sub('*', path)) if not file.is_dir()}
  if not found:
    raise FileNotFoundError(
        f'there is no file for {split!r} in {str(folder)!r}: it should be {" or ".join(paths)} '
        'below that folder.')
  return sorted(found.items())


def _source(path: epath.Path, name: str, spec: raw.Spec) -> raw.Source:
  """A download may lose its ending, so the name at the source determines the format."""
  kind = spec.format or reader.format_of(name)
  return raw.Source(str(path), name, dataclasses.replace(spec, format=kind))
