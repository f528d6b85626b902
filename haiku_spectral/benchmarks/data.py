"""The suite `data`: the cost of building and reading a corpus, and of waiting for batches.

Each stage of a synthetic corpus runs in a process of its own, because a peak of memory never falls.
What runs it is handed in: it needs the datasets, which this package does not know.
"""

import functools
import pathlib
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from haiku_spectral.benchmarks.report import Row, Section
from haiku_spectral.benchmarks.settings import Settings

MB = 10**6
# (stage, folder, format, **sizes) -> what was measured. The stages: write, build, read, train.
RunStage = Callable[..., dict[str, Any]]


def sections(
    kinds: Sequence[str], run_stage: RunStage
) -> dict[str, Callable[[Any, Settings], Section]]:
  """The sections of the suite, over formats by their names."""
  return {'formats': functools.partial(formats, kinds, run_stage),
          'wait': functools.partial(wait, run_stage)}


def formats(
    kinds: Sequence[str], run_stage: RunStage, subject: None, settings: Settings
) -> Section:
  """Speed and memory of building and reading each format."""
  del subject
  share = int(settings.gigabytes * 1e9) // len(kinds)
  rows: list[Row] = []
  for kind in kinds:
    with tempfile.TemporaryDirectory(prefix='corpus-') as folder:
      run_stage('write', folder, kind, num_bytes=share)
      source = [path.stat().st_size for path in pathlib.Path(folder, 'source').iterdir()]
      built = run_stage('build', folder, kind)
      read = run_stage('read', folder, kind, window_bytes=min(share, settings.window_bytes))
    rows.append({
        'format': kind, 'files': len(source), 'source, MB': sum(source) / MB,
        'text, MB': built['bytes'] / MB,
        'build, MB/s': built['bytes'] / built['seconds'] / MB, 'build peak, MB': built['peak'] / MB,
        'read, MB/s': read['bytes'] / read['seconds'] / MB,
        'windows, MB/s': read['window_bytes'] / read['window_seconds'] / MB,
        'read peak, MB': read['peak'] / MB})
  return Section(
      'Building and reading a corpus, by format',
      f'{settings.gigabytes:g} GB of synthetic text in all: random words, without duplicates or '
      'control characters, in normal form C. Each measurement in a new process, with its peak of '
      'resident memory, Python included. Read once in order, and '
      f'{settings.window_bytes / MB:,.0f} MB of it in random windows of 1 KiB.', rows)


def wait(run_stage: RunStage, subject: None, settings: Settings) -> Section:
  """The time in which training waits for its batches."""
  del subject
  with tempfile.TemporaryDirectory(prefix='corpus-') as folder:
    run_stage('write', folder, 'parquet', num_bytes=int(settings.gigabytes * 1e9) // 20)
    run_stage('build', folder, 'parquet')
    found = run_stage('train', folder, 'parquet', steps=settings.steps)
  rows: list[Row] = [{
      'preset': 'tiny', 'steps': found['steps'], 'median step, ms': 1000 * found['step'],
      'longest wait, ms': 1000 * found['longest'],
      'waiting, % of the time': 100 * found['waits'] / found['seconds']}]
  return Section(
      'Time in which training waits for its batches',
      'The training loop, with batches read ahead by one thread: the time from asking for a batch '
      'to having it, over the time of the steps, without those that compile.', rows)
