"""Builds a dataset for training: the text that the repository ships, or a folder of your own.

  python -m binaries.prepare_data --dataset=starter
  python -m binaries.prepare_data --dataset=text_folder --source=DIR --name=books
"""

import functools
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import tqdm
from absl import flags, logging

from binaries import command_line
from datasets import registry

_DATASET = flags.DEFINE_string('dataset', 'starter', 'starter or text_folder.')
_DATA_DIR = flags.DEFINE_string('data_dir', 'data', 'Where datasets are kept.')
_OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Build again what is already there.')
_SOURCE = flags.DEFINE_string('source', '', 'text_folder: the folder of UTF-8 files.')
_NAME = flags.DEFINE_string('name', '', 'text_folder: what the corpus is called.')
_EXTENSIONS = flags.DEFINE_list(
    'extensions', [], 'text_folder: only files with these extensions (".txt,.py").')
_INVALID = flags.DEFINE_string(
    'invalid', 'skip', 'text_folder: what becomes of files that are not UTF-8 text: '
    'skip (and count), replace (the wrong bytes by U+FFFD) or fail.')
_VALIDATION = flags.DEFINE_float('validation', 0.05, 'text_folder: share of the documents.')
_TEST = flags.DEFINE_float('test', 0.05, 'text_folder: share of the documents.')

_FOLDER_FLAGS = ('source', 'name', 'extensions', 'invalid', 'validation', 'test')


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


def _corpus() -> tuple[str, dict[str, Any]]:
  """The dataset's name and the arguments of its builder, from the flags."""
  dataset = _DATASET.value
  module = registry.builder_module(dataset)
  if dataset not in registry.WITH_CORPORA:
    given = [name for name in _FOLDER_FLAGS if flags.FLAGS[name].present]
    if given:
      raise ValueError(f'--{given[0]} belongs to --dataset=text_folder, not to {dataset!r}.')
    return dataset, {}
  for name in ('source', 'name'):
    if not flags.FLAGS[name].value:
      raise ValueError(f'--dataset={dataset} needs --{name} (see --help).')
  config = module.TextFolderConfig(
      name=_NAME.value, source=_SOURCE.value, extensions=tuple(_EXTENSIONS.value),
      invalid=_INVALID.value, validation=_VALIDATION.value, test=_TEST.value)
  return f'{dataset}/{_NAME.value}', {'config': config}


def _print_summary(name: str, report: dict[str, Any], place: str) -> None:
  print(f'{name}: {place}')
  for split, numbers in report['splits'].items():
    print(f'  {split:<11}{numbers["documents"]:>9,} documents {numbers["bytes"]:>15,} bytes '
          f'{numbers["records"]:>9,} records')
  for reason, count in report['rejected'].items():
    print(f'  left out: {count:,} x {reason}')
  for line in report['first_rejected']:
    print(f'    {line["file"]}: {line["reason"]}')
  if sum(report['rejected'].values()) > len(report['first_rejected']):
    print('    ...')


def main(argv: Sequence[str]) -> int:
  """Builds what the flags ask for and says what went in."""
  del argv
  logging.set_verbosity(logging.ERROR)  # What TFDS logs is for its developers.
  from datasets import preparation  # Here, so that --help and wrong flags answer at once.

  name, arguments = _corpus()
  builder = registry.builder_module(_DATASET.value).Builder
  bars = ProgressBars()
  start = time.monotonic()
  try:
    fresh, report = preparation.prepare(
        name, functools.partial(_make, builder, arguments), data_dir=_DATA_DIR.value,
        overwrite=_OVERWRITE.value, progress=bars.start)
  finally:
    bars.close()
  place = str(registry.folder(name, _DATA_DIR.value))
  if not fresh:
    print(f'{name} is already built; --overwrite builds it again.', file=sys.stderr)
  _print_summary(name, report, place)
  if fresh:
    print(f'  built in {time.monotonic() - start:.1f} s')
  return 0


def _make(builder: Any, arguments: dict[str, Any], data_dir: str) -> Any:
  return builder(data_dir=data_dir, **arguments)


if __name__ == '__main__':
  command_line.run(main)
