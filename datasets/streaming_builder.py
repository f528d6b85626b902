"""Builders of corpora of any size: source files in, TFDS splits of packed records out.

A builder says where its files are, how they are read (`sources`, `SPEC`) and how they are cleaned
(`RULES`); this class does the rest, in three passes over files that do not depend on each other
(see datasets/streaming/). Work units that are complete stay in a folder beside the dataset until
the build is, so a build that was killed is resumed where it was and gives the same records.

Beside the records lie report.json and documents.jsonl, as for every dataset (packed_builder).
"""

import abc
import dataclasses
import functools
import inspect
import json
import os
import pathlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import tensorflow_datasets as tfds
from etils import epath

from datasets import packed_builder
from datasets.cleaning import rules as cleaning_rules
from datasets.readers import raw
from datasets.streaming import assignment, collect, evaluation_text, runners, shards, summary
from haiku_spectral.requirement import require
from haiku_spectral.storage import file_name

ON_ERROR = ('skip', 'refuse')


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
  """What a user chooses for one build."""

  folder: str = ''  # A mirror or manual download of the source files; '': where TFDS looks.
  on_error: str = 'skip'  # What to do with broken input: 'skip' (and count) or 'refuse'.
  max_bytes: int | None = None  # Of clean text per split, for a sample; None: all.
  rules: cleaning_rules.Rules | None = None  # None: those of the builder.
  evaluation: tuple[str, ...] = ()  # Text not to train on: built datasets, files or folders.
  workers: int = 1  # Processes.
  beam: tuple[str, ...] | None = None  # Options of an Apache Beam pipeline; None: without Beam.

  def __post_init__(self) -> None:
    """Raises ValueError for a value that is not allowed."""
    require(self.on_error in ON_ERROR, 'on_error', self.on_error, f'one of {", ".join(ON_ERROR)}')
    require(self.max_bytes is None or self.max_bytes >= 1, 'max_bytes', self.max_bytes, '1 or more')
    require(self.workers >= 1, 'workers', self.workers, '1 or more')


class StreamingBuilder(tfds.core.ShardBasedBuilder):
  """Base class of the builders of large corpora."""

  SPEC: ClassVar[raw.Spec] = raw.Spec()  # How the files are read. Or override `spec`.
  RULES: ClassVar[cleaning_rules.Rules] = cleaning_rules.Rules()  # Or override `rules`.
  LICENCE: ClassVar[str] = ''  # Of documents without one of their own.
  HOMEPAGE: ClassVar[str] = ''
  REVISION: ClassVar[str] = ''  # Of the source; goes into the report.
  VALIDATION: ClassVar[float] = 0.005  # Share of the documents of a source without splits.
  TEST: ClassVar[float] = 0.0

  # Set these before `download_and_prepare`.
  options: Options = Options()
  progress: packed_builder.Progress = staticmethod(lambda stage, total: lambda size: None)

  @abc.abstractmethod
  def sources(self, dl_manager: Any) -> Mapping[str, Sequence[Any]]:
    """The files of each split, in their order: downloaded, or in `source_folder(dl_manager)`.

    A file is a path, or a raw.Source where its name or how it is read must be given. Where 'train'
    is the only split, documents are held out for 'validation' by a hash of their text.
    """
    raise NotImplementedError

  def spec(self) -> raw.Spec:
    """How the files are read."""
    return self.SPEC

  def rules(self) -> cleaning_rules.Rules:
    """How documents are cleaned unless a user chooses other rules."""
    return self.RULES

  def licence(self) -> str:
    """The licence of documents without one of their own."""
    return self.LICENCE

  def homepage(self) -> str:
    """Where the source is described."""
    return self.HOMEPAGE

  def revision(self) -> str:
    """Which revision of the source is read."""
    return self.REVISION

  def settings(self) -> dict[str, Any]:
    """All that determines the content of the dataset, as JSON holds it, for the report."""
    return {
        'revision': self.revision(), 'rules': dataclasses.asdict(self._rules()),
        'max_bytes': self.options.max_bytes, 'evaluation': list(self.options.evaluation)}

  def source_folder(self, dl_manager: Any) -> epath.Path:
    """Where the user has put the source files. Raises FileNotFoundError unless that was given."""
    folder = self.given_folder(dl_manager)
    if folder is None:
      raise FileNotFoundError(
          f'{self.info.full_name} downloads nothing: give the folder of its source files with '
          '--manual_dir.')
    return folder

  def given_folder(self, dl_manager: Any) -> epath.Path | None:
    """The same for a builder that can also download them: None when nothing was given."""
    if self.options.folder:
      folder = epath.Path(self.options.folder).expanduser()
      if not folder.is_dir():
        raise FileNotFoundError(
            f'the folder {self.options.folder!r} does not exist: give one with the files of '
            f'{self.name!r}.')
      return folder
    try:
      return epath.Path(dl_manager.manual_dir)
    except (AssertionError, ValueError):  # So TFDS says that there is none.
      return None

  def download_and_prepare(self, **arguments: Any) -> None:
    """Builds the dataset, then deletes the work units that resuming would have needed."""
    self._rules().check_language()
    super().download_and_prepare(**arguments)
    shutil.rmtree(self._work_units, ignore_errors=True)

  def _info(self) -> tfds.core.DatasetInfo:
    said = {'features': packed_builder.features(), 'disable_shuffling': True,
            'homepage': self.homepage() or None, 'license': self.licence() or None}
    if _in_folder(type(self)):
      return self.dataset_info_from_configs(**said)
    return tfds.core.DatasetInfo(builder=self, description=type(self).__doc__, **said)

  @property
  def _work_units(self) -> pathlib.Path:
    """The folder of the work units: beside the dataset, not in it."""
    config = self.builder_config.name if self.builder_config else ''
    return pathlib.Path(
        self.data_dir_root, packed_builder.WORK_UNITS, self.name, config, str(self.version))

  def _rules(self) -> cleaning_rules.Rules:
    return self.options.rules or self.rules()

  def _shard_iterators_per_split(self, dl_manager: Any) -> dict[str, list[Callable[[], Iterator]]]:
    return {split: [functools.partial(shards.records, task) for task in tasks]
            for split, tasks in self._plan(dl_manager).items()}

  def _download_and_prepare(self, dl_manager: Any, download_config: Any = None) -> None:
    """As the base class does it, but each shard is a work unit."""
    tasks = self._plan(dl_manager)
    every = [task for split in tasks.values() for task in split]
    run = runners.choose(workers=self.options.workers, options=self.options.beam)
    results = run(shards.run, every, self.progress('packing', sum(task.size for task in every)))
    lengths = dict(zip((task.folder for task in every), results, strict=True))
    infos = []
    for split, split_tasks in tasks.items():
      template = self._get_filename_template(split_name=split)
      for number, task in enumerate(split_tasks):
        path = template.sharded_filepath(shard_index=number, num_shards=len(split_tasks))
        _link(shards.file_path(task.folder), pathlib.Path(path))
      infos.append(tfds.core.SplitInfo(
          name=split, filename_template=template,
          shard_lengths=[lengths[task.folder]['records'] for task in split_tasks],
          num_bytes=sum(lengths[task.folder]['bytes'] for task in split_tasks)))
    self.info.set_splits(tfds.core.splits.SplitDict(infos))

  def _plan(self, dl_manager: Any) -> dict[str, list[shards.Task]]:
    """The first two passes, and report.json and documents.jsonl; returns the tasks of the third."""
    sources = _files(self.sources(dl_manager), self.spec())
    collected = self._collect(sources)
    results = [result for _, of_split in collected.values() for result in of_split]
    summary.require_text(results)
    held_out = (self.VALIDATION, self.TEST) if list(sources) == ['train'] else (0.0, 0.0)
    files = tuple(
        assignment.File(task.folder, result['key'], split, result['documents'])
        for split, (tasks, of_split) in collected.items()
        for task, result in zip(tasks, of_split, strict=True))
    task = assignment.Task(
        str(self._work_units / 'assignment'), files, self._rules(), *held_out,
        self.options.max_bytes)
    assigned = assignment.run(task)
    report = {
        'dataset': self.info.full_name, **self.settings(), **summary.report(results, assigned)}
    (self.data_path / packed_builder.REPORT).write_text(
        json.dumps(report, indent=2, ensure_ascii=False), encoding='utf-8')
    summary.write_documents(pathlib.Path(self.data_path, packed_builder.DOCUMENTS), task)
    return shards.tasks(self._work_units / 'shards', assigned, task)

  def _collect(
      self, sources: Mapping[str, list[collect.SourceFile]]
  ) -> dict[str, tuple[list[collect.Task], list[dict[str, Any]]]]:
    """Reads the files of each split, or as many of the first ones as `max_bytes` asks for."""
    evaluation, evaluation_key = self._evaluation()
    total = sum(source.size for part in sources.values() for source in part)
    advance = self.progress('reading', total)
    run = runners.choose(workers=self.options.workers, options=self.options.beam)
    collected = {}
    for split in sorted(sources, key=_protected_first):
      tasks = [
          collect.Task(
              folder=str(self._work_units / split / f'{number:05}'), source=source,
              rules=self._rules(), evaluation=evaluation, evaluation_key=evaluation_key,
              licence=self.licence(), refuse=self.options.on_error == 'refuse',
              max_bytes=self.options.max_bytes)
          for number, source in enumerate(sources[split])]
      results, size = [], 0
      for result in run(collect.run, tasks, advance):
        results.append(result)
        size += result['bytes']
        if self.options.max_bytes is not None and size >= self.options.max_bytes:
          break
      collected[split] = (tasks[:len(results)], results)
    return collected

  def _evaluation(self) -> tuple[str, str]:
    """The folder of the evaluation sets and the key of their text."""
    if not self.options.evaluation:
      return '', ''
    folder = self._work_units / 'evaluation'
    return str(folder), evaluation_text.write(folder, self.options.evaluation)


def _in_folder(builder: type) -> bool:
  """Whether a builder has a folder of its own with a description, as TFDS expects."""
  folder = pathlib.Path(inspect.getfile(builder)).parent
  return '.' in builder.__module__ and (folder / 'README.md').is_file()


def _protected_first(split: str) -> tuple[bool, str]:
  """A sort key. Of two equal documents the held-out one is kept: 'train' comes last."""
  return split == 'train', split


def _files(
    sources: Mapping[str, Sequence[Any]], spec: raw.Spec
) -> dict[str, list[collect.SourceFile]]:
  """The status of all files. Raises FileNotFoundError for one that does not exist."""
  named = {split: [source if isinstance(source, raw.Source) else raw.Source(str(source), '')
                   for source in part] for split, part in sources.items()}
  every = [source.path for part in named.values() for source in part]
  if not every:
    raise FileNotFoundError('there are no source files: look at the folder and its layout.')
  # Files that share a name are called by their paths below their common folder.
  alone = len({pathlib.PurePath(path).name for path in every}) == len(every)
  common = os.path.commonpath([pathlib.PurePath(path).parent for path in every])
  found: dict[str, list[collect.SourceFile]] = {}
  for split, part in named.items():
    found[split] = []
    for source in part:
      path = epath.Path(source.path)
      if not path.exists():
        raise FileNotFoundError(f'the source file {str(path)!r} does not exist.')
      name = file_name.printable(
          source.name or (path.name if alone else source.path.removeprefix(common).lstrip('/')))
      status = path.stat()
      found[split].append(collect.SourceFile(
          source.path, name, status.length, int(status.mtime * 1e9), source.spec or spec))
  return found


def _link(source: pathlib.Path, place: pathlib.Path) -> None:
  """A hard link, which takes no time or space; a copy where links cannot be made."""
  try:
    place.hardlink_to(source)
  except OSError:
    shutil.copyfile(source, place)
