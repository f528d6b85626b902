"""Measures what the README claims, prints tables and writes report.md, results.json and pictures.

  python -m binaries.benchmark --suite=decode --out=runs/benchmarks
  python -m binaries.benchmark --suite=data --gigabytes=5

Leave the machine to it: every number is a median, but only of this run.
"""

import dataclasses
import os
import pathlib
import platform
import sys
from collections.abc import Sequence
from typing import Any

import jax
from absl import flags

from binaries import command_line, flag_types
from binaries.benchmarks import data, decode, executor, report
from binaries.benchmarks import settings as settings_lib
from binaries.benchmarks import subject as subject_lib

SUITES: dict[str, Any] = {
    'decode': decode, 'data': data, 'sandbox': executor}  # Modules.
SUITE = flags.DEFINE_enum('suite', 'decode', list(SUITES), 'What is measured.')
SECTIONS = flags.DEFINE_list('sections', [], 'Only these sections of it.')
RUN_DIR = flag_types.define_path('run_dir', '', 'Folder of a run; empty: tiny, not trained.')
OUT = flag_types.define_path('out', 'runs/benchmarks', 'Folder of the report.')
REPEATS = flag_types.define_integer(
    'repeats', None, 'Rounds per measurement, of which the median counts (default: 3).', lower=1)
GIGABYTES = flag_types.define_float(
    'gigabytes', None, 'data: text of all formats together, in GB (default: 1).', lower=0.001)
QUICK = flags.DEFINE_bool('quick', False, 'Small sizes: to see that everything runs.')


def _settings() -> settings_lib.Settings:
  chosen = settings_lib.QUICK if QUICK.value else settings_lib.Settings()
  return dataclasses.replace(
      chosen, run_dir=RUN_DIR.value, repeats=REPEATS.value or chosen.repeats,
      gigabytes=GIGABYTES.value or chosen.gigabytes)


def main(argv: Sequence[str]) -> None:
  """Measures section by section; the report grows with each."""
  del argv
  suite = SUITES[SUITE.value]
  names = SECTIONS.value or list(suite.SECTIONS)
  if unknown := sorted(set(names) - set(suite.SECTIONS)):
    raise ValueError(f'--sections={unknown[0]} is not allowed: give some of '
                     f'{", ".join(suite.SECTIONS)}.')
  settings, folder = _settings(), pathlib.Path(OUT.value)
  subject = subject_lib.load(settings.run_dir)
  machine = {'cores': os.cpu_count(), 'device': jax.devices()[0].device_kind,
             'python': platform.python_version(), 'jax': jax.__version__}
  sections: dict[str, report.Section] = {}
  for name in names:
    print(f'measuring {name} ...', file=sys.stderr)
    sections[name] = suite.SECTIONS[name](subject, settings)
    print(report.markdown(sections[name]) + '\n', flush=True)
    paths = report.write(folder, f'Suite {SUITE.value}', machine, sections)
  print('Written:', ', '.join(map(str, [*paths, *suite.draw(sections, folder)])))


if __name__ == '__main__':
  command_line.run(main)
