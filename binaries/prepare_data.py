"""Builds a dataset for training: the text in the repository, your own folder, or a corpus.

  python -m binaries.prepare_data --dataset=starter
  python -m binaries.prepare_data --dataset=text_folder --source=DIR --name=books
  python -m binaries.prepare_data --dataset=agent_transcripts --source=DIR --name=teacher
  python -m binaries.prepare_data --dataset=turkish_web --manual_dir=DIR --workers=8
  python -m binaries.prepare_data --dataset=tiny_shakespeare --source=input.txt
  python -m binaries.prepare_data --imports=my_package.my_dataset_builder --dataset=my
  python -m binaries.prepare_data --list

The same command resumes an interrupted build.
"""

import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags, logging

from binaries import command_line, flag_types, progress_bar
from datasets import registry

_DATASET = flags.DEFINE_string('dataset', 'starter', 'Dataset to build, by its name in --list.')
_DATA_DIR = flag_types.define_data_dir()
_OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces a dataset that is already built.')
_LIST = flags.DEFINE_bool('list', False, 'Lists all datasets, and which of them are built.')
_IMPORTS = flags.DEFINE_list(
    'imports', [], 'Modules with your own builders, separated by commas.')

_SOURCE = flag_types.define_path(
    'source', '', 'text_folder: folder of UTF-8 text files. agent_transcripts: folder of sessions. '
    'Corpora of a single file: that file.')
_NAME = flags.DEFINE_string('name', '', 'text_folder, agent_transcripts: name of the new dataset.')
_EXTENSIONS = flags.DEFINE_list(
    'extensions', [], 'text_folder: extensions of files to use, as in .txt,.py (default: all).')
_INVALID = flags.DEFINE_string(
    'invalid', 'skip', 'text_folder: what to do with files that are not UTF-8 text: skip (and '
    'count), replace (invalid bytes with U+FFFD) or fail.')
_VALIDATION = flag_types.define_float(
    'validation', 0.05, 'text_folder, agent_transcripts: share of the documents in the validation '
    'split.', upper=1.0)
_TEST = flag_types.define_float(
    'test', 0.05, 'text_folder: share of the documents in the test split.', upper=1.0)

_MANUAL_DIR = flag_types.define_path('manual_dir', '', 'Corpora: folder of the source files.')
_MIRROR = flag_types.define_path(
    'mirror', '', 'Corpora: folder with a subfolder of source files named like each dataset.')
_ON_ERROR = flags.DEFINE_string(
    'on_error', 'skip', 'Corpora: what to do with damaged input: skip (and count) or refuse.')
_MAX_BYTES = flag_types.define_integer(
    'max_bytes', None, 'Corpora: stops after so many bytes of clean text per split (default: all).',
    lower=1, upper=2**63 - 1)
_WORKERS = flag_types.define_integer(
    'workers', 1, 'Corpora: number of processes.', lower=1, upper=4096)
_BEAM = flags.DEFINE_list(
    'beam', None, 'Corpora: builds with an Apache Beam pipeline with these options, as in '
    '--runner=DirectRunner; see //binaries:prepare_data_beam (default: without Beam).')
_EVALUATION = flag_types.define_paths(
    'evaluation', 'Corpora: evaluation text; documents that overlap with it are filtered: built '
    'datasets, files or folders, separated by commas.')
_NFC = flags.DEFINE_bool(
    'nfc', None, 'Corpora: converts text to Unicode normal form C (default: by the dataset).')
_CONTROL = flags.DEFINE_bool(
    'control', None, 'Corpora: removes control characters (default: by the dataset).')
_MINIMAL_BYTES = flag_types.define_integer(
    'minimal_bytes', None, 'Corpora: filters documents with fewer bytes (default: by the dataset).')
_LANGUAGE = flags.DEFINE_string(
    'language', None, 'Corpora: filters documents in any other language, as in tr (default: by the '
    'dataset).')
_EXACT = flags.DEFINE_bool(
    'exact_duplicates', None, 'Corpora: filters copies of a document (default: by the dataset).')
_NEAR = flags.DEFINE_bool(
    'near_duplicates', None, 'Corpora: filters near-duplicates (default: by the dataset).')

_FOLDER_FLAGS = ('name', 'extensions', 'invalid', 'validation', 'test')
_RULES = ('nfc', 'control', 'minimal_bytes', 'language', 'exact_duplicates', 'near_duplicates')
_CORPUS_FLAGS = ('manual_dir', 'mirror', 'on_error', 'max_bytes', 'workers', 'beam', 'evaluation',
                 *_RULES)


class ProgressBars:
  """One bar per stage: size, speed and time left."""

  def __init__(self) -> None:
    self._bar: Any = None

  def start(self, stage: str, total: int) -> Callable[[int], object]:
    """Opens the bar of a stage; returns what advances it by some bytes."""
    self.close()
    self._bar = progress_bar.of_bytes(stage, total)
    return self._bar.update

  def close(self) -> None:
    if self._bar is not None:
      self._bar.close()


def _plan() -> tuple[str, Callable[[str], Any]]:
  """The dataset's full name, and what makes its builder in a folder, from the flags."""
  dataset, _, corpus = _DATASET.value.partition('/')
  builder = registry.builder_class(dataset)
  if dataset in registry.WITH_CORPORA:
    _refuse(_CORPUS_FLAGS, f'a corpus, not to --dataset={dataset}')
    config = {'config': _text_folder() if dataset == 'text_folder' else _transcripts()}
    return f'{dataset}/{_NAME.value}', functools.partial(_make, builder, None, config)
  _refuse(_FOLDER_FLAGS, f'--dataset=text_folder, not to {dataset!r}')
  name = registry.full_name(_DATASET.value)
  from datasets import streaming_builder  # Here, so that wrong names are refused at once.

  if not issubclass(builder, streaming_builder.StreamingBuilder):
    _refuse((*_CORPUS_FLAGS, 'source'), f'a corpus, not to {dataset!r}')
    return name, functools.partial(_make, builder, None, {})
  folder = _source_folder(dataset, builder)
  options = streaming_builder.Options(
      folder=folder, on_error=_ON_ERROR.value, max_bytes=_MAX_BYTES.value, workers=_WORKERS.value,
      beam=None if _BEAM.value is None else tuple(_BEAM.value),
      evaluation=tuple(map(_evaluation_place, _EVALUATION.value)))
  corpus = name.partition('/')[2]
  return name, functools.partial(_make, builder, options, {'config': corpus} if corpus else {})


def _source_folder(dataset: str, builder: Any) -> str:
  """The folder of the source files; '' to download them."""
  given = [name for name in ('source', 'manual_dir', 'mirror') if flags.FLAGS[name].value]
  if len(given) > 1:
    raise ValueError(f'--{given[0]} and --{given[1]} both say where the source files are: give '
                     'one.')
  if _SOURCE.value:
    corpus, file = getattr(builder, 'CORPUS', None), pathlib.Path(_SOURCE.value)
    names = {name for part in corpus.files.values() for name in part} if corpus else set()
    if len(names) != 1:
      raise ValueError(f'--source belongs to --dataset=text_folder and corpora of a single file, '
                       f'not to {dataset!r}.')
    if {file.name} != names or not file.is_file():
      raise ValueError(f'--source={_SOURCE.value} is not allowed: give the path of a file '
                       f'{names.pop()!r}.')
    return str(file.parent)
  return str(pathlib.Path(_MIRROR.value, dataset)) if _MIRROR.value else _MANUAL_DIR.value


def _refuse(names: Sequence[str], belongs: str) -> None:
  for name in names:
    if flags.FLAGS[name].present:
      raise ValueError(f'--{name} belongs to {belongs}.')


def _require(dataset: str) -> None:
  for name in ('source', 'name'):
    if not flags.FLAGS[name].value:
      raise ValueError(f'--dataset={dataset} needs --{name} (see --help).')


def _transcripts() -> Any:
  _require('agent_transcripts')
  _refuse(('extensions', 'invalid', 'test'), '--dataset=text_folder, not to agent_transcripts')
  return registry.builder_module('agent_transcripts').TranscriptsConfig(
      name=_NAME.value, source=_SOURCE.value, validation=_VALIDATION.value)


def _text_folder() -> Any:
  _require('text_folder')
  return registry.builder_module('text_folder').TextFolderConfig(
      name=_NAME.value, source=_SOURCE.value, extensions=tuple(_EXTENSIONS.value),
      invalid=_INVALID.value, validation=_VALIDATION.value, test=_TEST.value)


def _evaluation_place(name: str) -> str:
  """The folder of a built dataset, or the path as it is."""
  built = name in registry.built(_DATA_DIR.value)
  return str(registry.folder(name, _DATA_DIR.value)) if built else name


def _make(builder: Any, options: Any, arguments: dict[str, Any], data_dir: str) -> Any:
  made = builder(data_dir=data_dir, **arguments)
  if options is not None:
    given = {name: flags.FLAGS[name].value for name in _RULES}
    chosen = {name: value for name, value in given.items() if value is not None}
    made.options = dataclasses.replace(options, rules=dataclasses.replace(made.rules(), **chosen))
  return made


def _print_list() -> None:
  built = registry.built(_DATA_DIR.value)
  names = [name for dataset in registry.BUILDERS for name in (
      [f'{dataset}/{corpus}' for corpus in registry.corpora(dataset)] or [dataset])]
  for name in sorted({*names, *built}):
    print(f'{name:<34}{"built  " if name in built else "       "}{_about(name)}'.rstrip())


def _about(name: str) -> str:
  dataset, _, corpus = name.partition('/')
  if dataset not in registry.BUILDERS or dataset in registry.WITH_CORPORA:
    return 'a folder of your own' if name in registry.WITH_CORPORA else ''
  builder = registry.builder_class(dataset)(
      data_dir=_DATA_DIR.value, **({'config': corpus} if corpus else {}))
  about = (getattr(builder, which, str)() for which in ('licence', 'homepage'))
  return '  '.join(filter(None, about))


def main(argv: Sequence[str]) -> int:
  """Builds the dataset that the flags describe, and prints its report."""
  del argv
  logging.set_verbosity(logging.ERROR)  # What TFDS logs is for its developers.
  for module in _IMPORTS.value:
    registry.add(module)
  if _LIST.value:
    _print_list()
    return 0
  name, make = _plan()
  from datasets import build_report, preparation  # Here, so that wrong flags are refused at once.

  bars = ProgressBars()
  start = time.monotonic()
  try:
    fresh, report = preparation.prepare(
        name, make, data_dir=_DATA_DIR.value, overwrite=_OVERWRITE.value, progress=bars.start)
  finally:
    bars.close()
  if not fresh:
    command_line.tell(f'{name} is already built; --overwrite builds it again.')
  print(build_report.to_text(name, report, registry.folder(name, _DATA_DIR.value)))
  if fresh:
    print(f'  built in {time.monotonic() - start:.1f} s')
  return 0


if __name__ == '__main__':
  command_line.run(main)
