"""Builds a dataset for training: the text that is shipped, a folder of your own, a corpus.

  python -m binaries.prepare_data --dataset=starter
  python -m binaries.prepare_data --dataset=text_folder --source=DIR --name=books
  python -m binaries.prepare_data --dataset=turkish_web --manual_dir=DIR --workers=8
  python -m binaries.prepare_data --imports=my_package.my_dataset_builder --dataset=my
  python -m binaries.prepare_data --list

A build that was cut off goes on where it was when it is begun again with the same flags.
"""

import dataclasses
import functools
import pathlib
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import tqdm
from absl import flags, logging

from binaries import command_line, flag_types
from datasets import registry

_DATASET = flags.DEFINE_string('dataset', 'starter', 'What is built, as --list names it.')
_DATA_DIR = flag_types.define_path('data_dir', 'data', 'Folder of the built datasets.')
_OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Build again what is already there.')
_LIST = flags.DEFINE_bool('list', False, 'Say which datasets there are, and which are built.')
_IMPORTS = flags.DEFINE_list('imports', [], 'Modules with builders of your own.')

_SOURCE = flag_types.define_path('source', '', 'text_folder: the folder of UTF-8 files.')
_NAME = flags.DEFINE_string('name', '', 'text_folder: what the corpus is called.')
_EXTENSIONS = flags.DEFINE_list(
    'extensions', [], 'text_folder: only files with these extensions (".txt,.py").')
_INVALID = flags.DEFINE_string(
    'invalid', 'skip', 'text_folder: what becomes of files that are not UTF-8 text: '
    'skip (and count), replace (the wrong bytes by U+FFFD) or fail.')
_VALIDATION = flag_types.define_float(
    'validation', 0.05, 'text_folder: share of the documents for validation.', upper=1.0)
_TEST = flag_types.define_float(
    'test', 0.05, 'text_folder: share of the documents for the test split.', upper=1.0)

_MANUAL_DIR = flag_types.define_path('manual_dir', '', 'Corpora: the folder of the source files.')
_MIRROR = flag_types.define_path(
    'mirror', '', 'Corpora: a folder of folders of source files, each called as its dataset.')
_ON_ERROR = flags.DEFINE_string(
    'on_error', 'skip', 'Corpora: what becomes of broken input: skip (and count) or refuse.')
_MAX_BYTES = flag_types.define_integer(
    'max_bytes', None, 'Corpora: bytes of clean text per split after which to stop (default: all).',
    lower=1, upper=2**63 - 1)
_WORKERS = flag_types.define_integer(
    'workers', 1, 'Corpora: number of processes.', lower=1, upper=4096)
_BEAM = flags.DEFINE_list(
    'beam', None, 'Corpora: run as an Apache Beam pipeline with these options '
    '("--runner=DirectRunner"; see //binaries:prepare_data_beam).')
_EVALUATION = flag_types.define_paths(
    'evaluation', 'Corpora: text that may not be trained on: built datasets, files or folders.')
_NFC = flags.DEFINE_bool('nfc', None, 'Corpora: Unicode normal form C.')
_CONTROL = flags.DEFINE_bool('control', None, 'Corpora: take out control characters.')
_MINIMAL_BYTES = flag_types.define_integer(
    'minimal_bytes', None, 'Corpora: size in bytes below which documents are left out.')
_LANGUAGE = flags.DEFINE_string('language', None, 'Corpora: leave out other ones ("tr").')
_EXACT = flags.DEFINE_bool('exact_duplicates', None, 'Corpora: leave out equal documents.')
_NEAR = flags.DEFINE_bool('near_duplicates', None, 'Corpora: leave out nearly equal documents.')

_FOLDER_FLAGS = ('source', 'name', 'extensions', 'invalid', 'validation', 'test')
_RULES = ('nfc', 'control', 'minimal_bytes', 'language', 'exact_duplicates', 'near_duplicates')
_CORPUS_FLAGS = ('manual_dir', 'mirror', 'on_error', 'max_bytes', 'workers', 'beam', 'evaluation',
                 *_RULES)


class ProgressBars:
  """One bar per stage: how much, how fast, how long still."""

  def __init__(self) -> None:
    self._bar: Any = None

  def start(self, stage: str, total: int) -> Callable[[int], object]:
    """Opens the bar of a stage; returns what advances it by some bytes."""
    self.close()
    self._bar = tqdm.tqdm(
        desc=stage, total=total, unit='B', unit_scale=True,
        mininterval=command_line.BAR_SECONDS)
    return self._bar.update

  def close(self) -> None:
    if self._bar is not None:
      self._bar.close()


def _plan() -> tuple[str, Callable[[str], Any]]:
  """The dataset's full name, and what makes its builder in a folder, from the flags."""
  dataset, _, corpus = _DATASET.value.partition('/')
  builder = registry.builder_class(dataset)
  if dataset in registry.WITH_CORPORA:
    _refuse(_CORPUS_FLAGS, 'a corpus, not to --dataset=text_folder')
    config = {'config': _text_folder()}
    return f'{dataset}/{_NAME.value}', functools.partial(_make, builder, None, config)
  _refuse(_FOLDER_FLAGS, f'--dataset=text_folder, not to {dataset!r}')
  name = registry.full_name(_DATASET.value)
  from datasets import streaming_builder  # Here, so that wrong names are told at once.

  if not issubclass(builder, streaming_builder.StreamingBuilder):
    _refuse(_CORPUS_FLAGS, f'a corpus, not to {dataset!r}')
    return name, functools.partial(_make, builder, None, {})
  if _MANUAL_DIR.value and _MIRROR.value:
    raise ValueError('--manual_dir and --mirror both say where the source files are: give one.')
  folder = str(pathlib.Path(_MIRROR.value, dataset)) if _MIRROR.value else _MANUAL_DIR.value
  options = streaming_builder.Options(
      folder=folder, on_error=_ON_ERROR.value, max_bytes=_MAX_BYTES.value, workers=_WORKERS.value,
      beam=None if _BEAM.value is None else tuple(_BEAM.value),
      evaluation=tuple(map(_evaluation_place, _EVALUATION.value)))
  corpus = name.partition('/')[2]
  return name, functools.partial(_make, builder, options, {'config': corpus} if corpus else {})


def _refuse(names: Sequence[str], belongs: str) -> None:
  for name in names:
    if flags.FLAGS[name].present:
      raise ValueError(f'--{name} belongs to {belongs}.')


def _text_folder() -> Any:
  for name in ('source', 'name'):
    if not flags.FLAGS[name].value:
      raise ValueError(f'--dataset=text_folder needs --{name} (see --help).')
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


def _print_summary(name: str, report: dict[str, Any], place: str) -> None:
  print(f'{name}: {place}')
  if 'source_files' in report:
    print(f'  read       {report["documents_in"]:>9,} documents {report["bytes_in"]:>15,} bytes '
          f'{report["source_files"]:>9,} files')
  for split, numbers in report['splits'].items():
    print(f'  {split:<11}{numbers["documents"]:>9,} documents {numbers["bytes"]:>15,} bytes '
          f'{numbers["records"]:>9,} records')
  across = report.get('copies_across_splits', 0)
  for count, which in ((report['copies'] - across, 'the same'), (across, 'another')):
    if count:
      print(f'  copies: {count:,} x the text of another document of {which} split')
  for licence, numbers in report.get('licences', {}).items():
    print(f'  {numbers["documents"]:>20,} documents {numbers["bytes"]:>15,} bytes '
          f'{licence or "of unknown licence"}')
  for step, count in report.get('changed', {}).items():
    print(f'  changed: {count:,} x {step}')
  for kind in ('filtered', 'tolerated'):
    for reason, count in report.get(kind, {}).items():
      print(f'  {kind}: {count:,} x {reason}')
    listed = report.get(f'first_{kind}', [])
    for line in listed:
      print(f'    {line["file"]}: {line["reason"]}')
    if sum(report.get(kind, {}).values()) > len(listed):
      print('    ...')


def main(argv: Sequence[str]) -> int:
  """Builds what the flags ask for and says what went in."""
  del argv
  logging.set_verbosity(logging.ERROR)  # What TFDS logs is for its developers.
  for module in _IMPORTS.value:
    registry.add(module)
  if _LIST.value:
    _print_list()
    return 0
  name, make = _plan()
  from datasets import preparation  # Here, so that --help and wrong flags answer at once.

  bars = ProgressBars()
  start = time.monotonic()
  try:
    fresh, report = preparation.prepare(
        name, make, data_dir=_DATA_DIR.value, overwrite=_OVERWRITE.value, progress=bars.start)
  finally:
    bars.close()
  place = str(registry.folder(name, _DATA_DIR.value))
  if not fresh:
    print(f'{name} is already built; --overwrite builds it again.', file=sys.stderr)
  _print_summary(name, report, place)
  if fresh:
    print(f'  built in {time.monotonic() - start:.1f} s')
  return 0


if __name__ == '__main__':
  command_line.run(main)
