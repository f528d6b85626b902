"""Measures what the documentation claims: prints tables, writes report.md, results.json and plots.

  python -m binaries.benchmark --suite=decode --out=runs/benchmarks
  python -m binaries.benchmark --suite=data --gigabytes=5
  python -m binaries.benchmark --suite=quality --run_dir=runs/a,runs/b --out=runs/quality

Run it on a quiet machine: every number is a median, but of this run alone.
"""

import dataclasses
import pathlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from absl import flags

from binaries import command_line, flag_types, text_sources
from datasets import synthetic
from datasets.starter import starter_dataset_builder
from haiku_spectral import config as configs
from haiku_spectral.benchmarks import (
  coordinates,
  data,
  decode,
  processes,
  quality,
  report,
  sandboxed_jobs,
  train,
)
from haiku_spectral.benchmarks import settings as settings_lib
from haiku_spectral.benchmarks import subject as subject_lib
from haiku_spectral.storage import atomic_file

LANGUAGES = {'Turkish': 'turkish', 'English': 'english', 'code': 'code'}  # Folders of `starter`.


def _run_stage(stage: str, folder: str, kind: str, **sizes: int) -> dict[str, Any]:
  return processes.run_json([
      sys.executable, '-m', 'binaries.corpus_stage', f'--stage={stage}', f'--folder={folder}',
      f'--format={kind}', *(f'--{name}={value}' for name, value in sizes.items())])


def _documents(config: configs.Config, split: str, limit: int) -> Iterator[bytes]:
  """The first documents of a config's data, `limit` bytes in all."""
  return text_sources.first_bytes(
      list(configs.parse_mixture(config.data.mixture)), data_dir=DATA_DIR.value, split=split,
      limit=limit)


class Suite(NamedTuple):
  """What is measured, by name, and what is drawn of it."""

  sections: Mapping[str, Callable[[Any, settings_lib.Settings], report.Section]]
  draw: Callable[[Mapping[str, report.Section], pathlib.Path], list[pathlib.Path]] = (
      lambda sections, folder: [])
  loads: bool = True  # The sections are given the model of --run_dir.


SUITES = {
    'decode': Suite(decode.SECTIONS, decode.draw),
    'data': Suite(data.sections(synthetic.FORMATS, _run_stage), loads=False),
    'sandbox': Suite(sandboxed_jobs.SECTIONS, loads=False),
    'train': Suite(train.SECTIONS, train.draw),
    'width': Suite(coordinates.SECTIONS, coordinates.draw),
    'quality': Suite(quality.sections(_documents), quality.draw, loads=False),
}
SUITE = flags.DEFINE_enum('suite', 'decode', list(SUITES), 'What is measured.')
SECTIONS = flags.DEFINE_list(
    'sections', [], 'Sections of the suite, separated by commas (default: all).')
RUN_DIR = flag_types.define_path(
    'run_dir', '', 'Folder of a training run; empty: the preset tiny with random parameters. Suite '
    'quality: folders of runs, separated by commas.')
DATA_DIR = flag_types.define_path(
    'data_dir', 'data', 'Suite quality: folder of the built datasets.')
OUT = flag_types.define_path('out', 'runs/benchmarks', 'Folder of the report.')
REPEATS = flag_types.define_integer(
    'repeats', None, 'Repetitions of each measurement; the median is reported (default: 3).',
    lower=1)
GIGABYTES = flag_types.define_float(
    'gigabytes', None, 'Suite data: GB of synthetic text, all formats together (default: 1).',
    lower=0.001)
QUICK = flags.DEFINE_bool('quick', False, 'Uses small sizes, to check that everything runs.')


def _settings() -> settings_lib.Settings:
  chosen = settings_lib.QUICK if QUICK.value else settings_lib.Settings()
  return dataclasses.replace(
      chosen, run_dir=RUN_DIR.value, repeats=REPEATS.value or chosen.repeats,
      gigabytes=GIGABYTES.value or chosen.gigabytes)


def _held_out_texts() -> dict[str, bytes]:
  """Text of each language that no training reads."""
  texts = dict.fromkeys(LANGUAGES, b'')
  for entry in starter_dataset_builder.manifest():
    for language, folder in LANGUAGES.items():
      if entry.split != 'train' and entry.file.startswith(folder + '/'):
        texts[language] += entry.path.read_bytes()
  return texts


def main(argv: Sequence[str]) -> None:
  """Measures section by section; the report grows with each."""
  del argv
  suite = SUITES[SUITE.value]
  names = SECTIONS.value or list(suite.sections)
  if unknown := sorted(set(names) - set(suite.sections)):
    raise ValueError(f'--sections={unknown[0]} is not allowed: give some of '
                     f'{", ".join(suite.sections)}.')
  settings, folder = _settings(), pathlib.Path(OUT.value)
  atomic_file.check_folder(folder, what='The report', flag='--out')
  subject = subject_lib.load(settings.run_dir, _held_out_texts()) if suite.loads else None
  sections: dict[str, report.Section] = {}
  for name in names:
    command_line.tell(f'measuring {name} ...')
    sections[name] = suite.sections[name](subject, settings)
    print(report.markdown(sections[name]) + '\n', flush=True)
    paths = report.write(folder, f'Suite {SUITE.value}', report.machine(), sections)
  print('Written:', ', '.join(map(str, [*paths, *suite.draw(sections, folder)])))


if __name__ == '__main__':
  command_line.run(main)
