"""The suite `data`: what building and reading a corpus costs, and whether training waits for it."""

import pathlib
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from binaries.benchmarks import corpus, processes
from binaries.benchmarks.report import Row, Section
from binaries.benchmarks.settings import Settings
from binaries.benchmarks.subject import Subject

MB = 10**6


def _stage(stage: str, folder: str, kind: str, **settings: int) -> dict[str, Any]:
  return processes.run_json([
      sys.executable, '-m', 'binaries.benchmarks.corpus_stages', f'--stage={stage}',
      f'--folder={folder}', f'--format={kind}',
      *(f'--{name}={value}' for name, value in settings.items())])


def formats(subject: Subject, settings: Settings) -> Section:
  """How fast is each format built and read, and in how much memory?"""
  del subject
  share = int(settings.gigabytes * 1e9) // len(corpus.FORMATS)
  rows: list[Row] = []
  for kind in corpus.FORMATS:
    with tempfile.TemporaryDirectory(prefix='corpus-') as folder:
      _stage('write', folder, kind, num_bytes=share)
      source = sum(path.stat().st_size for path in pathlib.Path(folder, 'source').iterdir())
      built = _stage('build', folder, kind)
      read = _stage('read', folder, kind, window_bytes=min(share, settings.window_bytes))
    rows.append({
        'format': kind, 'source, MB': source / MB, 'text, MB': built['bytes'] / MB,
        'build, MB/s': built['bytes'] / built['seconds'] / MB, 'build peak, MB': built['peak'] / MB,
        'read, MB/s': read['bytes'] / read['seconds'] / MB,
        'windows, MB/s': read['window_bytes'] / read['window_seconds'] / MB,
        'read peak, MB': read['peak'] / MB})
  return Section(
      'Building and reading a corpus, by format',
      f'{settings.gigabytes:g} GB of random words in all, {corpus.SHARDS} files of each format, '
      'without equal documents or control characters, in normal form C; one process, fresh for '
      'each measurement, and its resident memory at its peak, Python included. Read once in order, '
      f'and {settings.window_bytes / MB:,.0f} MB of it in random windows of 1 KiB.', rows)


def wait(subject: Subject, settings: Settings) -> Section:
  """Does training wait for its batches?"""
  del subject
  with tempfile.TemporaryDirectory(prefix='corpus-') as folder:
    _stage('write', folder, 'parquet', num_bytes=int(settings.gigabytes * 1e9) // 20)
    _stage('build', folder, 'parquet')
    found = _stage('train', folder, 'parquet', steps=settings.steps)
  rows: list[Row] = [{
      'preset': 'tiny', 'steps': found['steps'], 'median step, ms': 1000 * found['step'],
      'longest wait, ms': 1000 * found['longest'],
      'waiting, % of the time': 100 * found['waits'] / found['seconds']}]
  return Section(
      'What training waits for its batches',
      'The loop of a training itself, batches read ahead by one thread; the time in which it asks '
      'for a batch, over the time of its steps, after those that compile.', rows)


SECTIONS: dict[str, Callable[[Subject, Settings], Section]] = {'formats': formats, 'wait': wait}


def draw(sections: Mapping[str, Section], folder: pathlib.Path) -> list[pathlib.Path]:
  """There is nothing to draw."""
  del sections, folder
  return []
