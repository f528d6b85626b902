"""From the name in a mixture to a dataset on disk.

A name is that of a builder ('starter'), or of a builder and one of its corpora
('turkish_web/hplt', 'text_folder/books'); a builder with fixed corpora alone stands for its first
one. A dataset lies in DATA_DIR/NAME/VERSION.
"""

import functools
import importlib
import inspect
import json
import pathlib
import re
from typing import Any

from haiku_spectral.storage import file_name

BUILDERS = {
    name: f'datasets.{name}.{name}_dataset_builder' for name in (
        'agent_transcripts', 'c4_english', 'enwik8', 'github_code', 'golden', 'pg19',
        'pile_english', 'shakespeare_sonnets', 'starter', 'text_folder', 'tiny_shakespeare',
        'tiny_stories', 'turkish_academic', 'turkish_web', 'wikitext103')
}
# Builders of which there may be any number of datasets, each with a name.
WITH_CORPORA = ('agent_transcripts', 'text_folder')
WITH_MARKS = ('agent_transcripts',)  # Those of packing.MARKS.
OF_ANY_NAME = ('golden',)  # The same, but one of them may be without.


def add(module: str) -> list[str]:
  """Makes the builders known that a module of one's own holds; returns their names.

  Raises ValueError for a module that cannot be imported, that holds none, or whose builder has the
  name of another.
  """
  try:
    found = importlib.import_module(module)
  except ImportError as error:
    raise ValueError(
        f'the module {module!r} cannot be imported ({error}): give one that Python finds '
        '(PYTHONPATH), as in my_package.my_dataset_builder.') from error
  classes: list[tuple[str, Any]] = inspect.getmembers(found, inspect.isclass)
  added = [value.name for _, value in classes
           if value.__module__ == module and hasattr(value, 'download_and_prepare')]
  for name in added:
    if BUILDERS.setdefault(name, module) != module:
      raise ValueError(f'{module!r} has a builder {name!r}, but so has {BUILDERS[name]!r}: give '
                       'it another name.')
  if not added:
    raise ValueError(f'the module {module!r} holds no builder: give one with a class Builder.')
  return added


def builder_module(dataset: str) -> Any:
  """The module with the builder, imported when it is first needed."""
  if dataset not in BUILDERS:
    raise ValueError(
        f'there is no dataset {dataset!r}: give one of {", ".join(sorted(BUILDERS))}.')
  return importlib.import_module(BUILDERS[dataset])


def builder_class(dataset: str) -> Any:
  """The builder of a name without corpus. Raises ValueError for one that is not there."""
  classes = inspect.getmembers(builder_module(dataset), inspect.isclass)
  return next(value for _, value in classes
              if value.__module__ == BUILDERS[dataset] and getattr(value, 'name', '') == dataset)


def corpora(dataset: str) -> list[str]:
  """The names of a builder's fixed corpora; none if it has but one, or if users name them."""
  return [config.name for config in builder_class(dataset).BUILDER_CONFIGS]


def full_name(name: str) -> str:
  """The name with its corpus. Raises ValueError for a name that cannot be."""
  dataset, _, corpus = name.partition('/')
  there = corpora(dataset)
  if dataset in WITH_CORPORA + OF_ANY_NAME and corpus and '/' not in corpus:
    check_own_name(dataset, corpus)
    return name
  if dataset not in WITH_CORPORA and (corpus in there if corpus else not name.endswith('/')):
    return f'{dataset}/{corpus or there[0]}' if there else dataset
  wanted = f'{dataset}/NAME' if dataset in WITH_CORPORA else dataset
  of = f' or one of {", ".join(f"{dataset}/{corpus}" for corpus in there)}' if there else ''
  raise ValueError(f'the dataset name {name!r} is not allowed: give {wanted!r}{of}.')


def check_own_name(dataset: str, name: str) -> None:
  """Raises ValueError for a name that a user cannot give to a dataset of a builder."""
  if not re.fullmatch(r'[A-Za-z][A-Za-z0-9_-]*', name):
    raise ValueError(f'the name {name!r} is not allowed: give letters, digits, - and _, a letter '
                     f'first (the dataset is then {dataset}/NAME).')


def folder(name: str, data_dir: str) -> pathlib.Path:
  """Where the dataset of a name lies, built or not. Raises ValueError for a name that cannot be.

  What a builder from elsewhere has built is found by what lies there, its newest version first.
  """
  root = pathlib.Path(data_dir).expanduser()
  dataset = name.partition('/')[0]
  if dataset not in BUILDERS and (versions := _versions(root / name)):
    return versions[-1]
  return root / full_name(name) / str(builder_class(dataset).VERSION)


def _versions(path: pathlib.Path) -> list[pathlib.Path]:
  """The finished versions of a dataset, oldest first."""
  return sorted(
      (version for version in path.glob('[0-9]*.[0-9]*.[0-9]*')
       if re.fullmatch(r'\d+\.\d+\.\d+', version.name) and is_complete(version)),
      key=lambda version: [int(number) for number in version.name.split('.')])


def is_complete(path: pathlib.Path) -> bool:
  """Whether a complete dataset is there: it is renamed into place when all of it is written."""
  return (path / 'dataset_info.json').is_file() and (path / 'features.json').is_file()


def built(data_dir: str) -> list[str]:
  """The names of all datasets that can be opened, sorted."""
  root = pathlib.Path(data_dir).expanduser()
  found = {version.parent for pattern in ('[!.]*', '[!.]*/*') for path in root.glob(pattern)
           for version in _versions(path)}
  names = sorted(path.relative_to(root).as_posix() for path in found)
  return [name for name in names if _can_be(name) and is_complete(folder(name, data_dir))]


def _can_be(name: str) -> bool:
  try:
    return name.partition('/')[0] not in BUILDERS or full_name(name) == name
  except ValueError:
    return False


def build_command(name: str, data_dir: str) -> str:
  """What a user types to build a dataset."""
  dataset, _, corpus = name.partition('/')
  if dataset in WITH_CORPORA:
    dataset_flags = f'--dataset={dataset} --source=DIR --name={corpus}'
  else:
    dataset_flags = f'--dataset={name}'
  data_flag = '' if data_dir == 'data' else f' --data_dir={data_dir}'
  return f'./run //binaries:prepare_data {dataset_flags}{data_flag}'


def damaged(name: str, data_dir: str, reason: object) -> ValueError:
  """The error for a dataset that was complete when it was built and is so no longer."""
  command = build_command(name, data_dir) + ' --overwrite'
  return ValueError(f'the dataset {name!r} is damaged ({reason}): build it again with `{command}`.')


def open_split(name: str, data_dir: str, split: str) -> Any:
  """The records of a split as a TFDS data source: `len` and `[i]`.

  Raises FileNotFoundError when the dataset was never built, ValueError when it is damaged or has no
  such split.
  """
  path = folder(name, data_dir)
  if not is_complete(path):
    there = ', '.join(map(file_name.printable, built(data_dir))) or 'none'
    raise FileNotFoundError(
        f'the dataset {name!r} is not built in {data_dir!r}: run '
        f'`{build_command(name, data_dir)}`. Built there: {there}.')
  try:
    builder = _open(str(path.resolve()), (path / 'dataset_info.json').stat().st_mtime_ns)
  except Exception as error:  # Whatever TFDS meets in a description that is not its own.
    raise damaged(name, data_dir, error) from error
  if split not in builder.info.splits:
    raise ValueError(
        f'the dataset {name!r} has no split {split!r}: it has {", ".join(builder.info.splits)}.')
  for file in builder.info.splits[split].filepaths:
    if not pathlib.Path(file).is_file():
      raise damaged(name, data_dir, f'its file {str(file)!r} is missing')
  return builder.as_data_source(split=split)


@functools.lru_cache(maxsize=32)
def _open(path: str, modified: int) -> Any:
  """Opens what was built; `modified` keeps an older build's description from being used."""
  del modified
  import tensorflow_datasets as tfds  # Here, so that who only asks for a path does not wait for it.
  return tfds.builder_from_directory(path)


def document_names(name: str, data_dir: str) -> dict[int, str]:
  """The name of every document by its id: for files the path below the folder."""
  with (folder(name, data_dir) / 'documents.jsonl').open(encoding='utf-8') as file:
    lines = (json.loads(line) for line in file)
    return {line['id']: line['name'] for line in lines}


def report(name: str, data_dir: str) -> dict[str, Any]:
  """What went into a dataset when it was built (see packed_builder.report).

  Raises ValueError for a report whose fields have the names of an earlier version.
  """
  found = json.loads((folder(name, data_dir) / 'report.json').read_text(encoding='utf-8'))
  if 'filtered' not in found:
    command = build_command(name, data_dir) + ' --overwrite'
    raise ValueError(
        f'the report of {name!r} was written by an earlier version, though its records can be '
        f'trained on: for a new report build it again with `{command}`.')
  return found
