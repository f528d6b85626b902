"""From the name in a mixture to a dataset on disk.

'starter' and 'text_folder/books' are names: a builder, and for some builders the name of a corpus.
A dataset lies in DATA_DIR/NAME/VERSION.
"""

import functools
import importlib
import json
import pathlib
from typing import Any

BUILDERS = {
    'starter': 'datasets.starter.starter_dataset_builder',
    'text_folder': 'datasets.text_folder.text_folder_dataset_builder',
}
WITH_CORPORA = ('text_folder',)  # Builders of which there may be several, each with a name.


def builder_module(dataset: str) -> Any:
  """The module with `Builder`, imported when it is first needed."""
  if dataset not in BUILDERS:
    raise ValueError(f'there is no dataset {dataset!r}: give {" or ".join(BUILDERS)}.')
  return importlib.import_module(BUILDERS[dataset])


def folder(name: str, data_dir: str) -> pathlib.Path:
  """Where the dataset of a name lies, built or not. Raises ValueError for a name that cannot be."""
  dataset, _, corpus = name.partition('/')
  module = builder_module(dataset)
  if bool(corpus) != (dataset in WITH_CORPORA) or '/' in corpus:
    wanted = f'{dataset}/NAME' if dataset in WITH_CORPORA else dataset
    raise ValueError(f'the dataset name {name!r} is not allowed: give {wanted!r}.')
  return pathlib.Path(data_dir).expanduser() / name / str(module.Builder.VERSION)


def is_whole(path: pathlib.Path) -> bool:
  """Whether a finished dataset is there: it is renamed into place when all of it is written."""
  return (path / 'dataset_info.json').is_file() and (path / 'features.json').is_file()


def built(data_dir: str) -> list[str]:
  """The names of all datasets that can be opened, sorted."""
  root = pathlib.Path(data_dir).expanduser()
  names = []
  for dataset in BUILDERS:
    corpora = sorted(root.glob(f'{dataset}/*')) if dataset in WITH_CORPORA else [root / dataset]
    names += [path.relative_to(root).as_posix() for path in corpora]
  return sorted(name for name in names if is_whole(folder(name, data_dir)))


def build_command(name: str, data_dir: str) -> str:
  """What a user types to build a dataset."""
  dataset, _, corpus = name.partition('/')
  corpus_flags = f' --source=DIR --name={corpus}' if corpus else ''
  data_flag = '' if data_dir == 'data' else f' --data_dir={data_dir}'
  return f"make //binaries:prepare_data ARGS='--dataset={dataset}{corpus_flags}{data_flag}'"


def damaged(name: str, data_dir: str, reason: object) -> ValueError:
  """The error for a dataset that was whole and is so no longer."""
  command = build_command(name, data_dir).removesuffix("'") + " --overwrite'"
  return ValueError(f'the dataset {name!r} is damaged ({reason}): build it again with `{command}`.')


def open_split(name: str, data_dir: str, split: str) -> Any:
  """The records of a split as a TFDS data source: `len` and `[i]`.

  Raises FileNotFoundError when the dataset was never built, ValueError when it is damaged or has no
  such split.
  """
  path = folder(name, data_dir)
  if not is_whole(path):
    there = ', '.join(built(data_dir)) or 'none'
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
  with (folder(name, data_dir) / 'documents.jsonl').open() as file:
    lines = (json.loads(line) for line in file)
    return {line['id']: line['name'] for line in lines}


def report(name: str, data_dir: str) -> dict[str, Any]:
  """What went into a dataset when it was built (see packed_builder.report)."""
  return json.loads((folder(name, data_dir) / 'report.json').read_text())
