"""The suite `sandbox`: what it costs to run code where it can do no harm."""

import pathlib
import statistics
import time
from collections.abc import Callable, Mapping

from binaries.benchmarks import timing
from binaries.benchmarks.report import Row, Section
from binaries.benchmarks.settings import Settings
from binaries.benchmarks.subject import Subject
from haiku_spectral.sandbox import result, sandbox, worker

WORKERS = 2
SOURCE = 'def f(x):\n  return x + 1'


def _round(box: sandbox.Sandbox, jobs: int) -> list[result.ExecResult]:
  return list(box.map(result.Job(SOURCE, 'f', (number,)) for number in range(jobs)))


def runs(subject: Subject, settings: Settings) -> Section:
  """How many jobs a second, and how long until the first?"""
  del subject
  rows: list[Row] = []
  for kind in worker.KINDS:
    start = time.perf_counter()
    with sandbox.Sandbox(kind, workers=WORKERS) as box:
      started = time.perf_counter() - start
      outcomes = _round(box, settings.jobs)
      seconds = [timing.seconds(lambda: _round(box, settings.jobs))
                 for _ in range(settings.repeats)]
    rows.append({
        'kind': kind, 'jobs/s': settings.jobs / statistics.median(seconds),
        'slowest round, jobs/s': settings.jobs / max(seconds), 'start and self-test, ms':
        1000 * started, 'CPU of a job, ms': 1000 * statistics.median(
            outcome.cpu_seconds for outcome in outcomes)})
  return Section(
      'Sandboxed jobs',
      f'{WORKERS} warm interpreters, {settings.jobs} trivial jobs a round, median of '
      f'{settings.repeats} rounds after one that does not count.', rows)


SECTIONS: dict[str, Callable[[Subject, Settings], Section]] = {'runs': runs}


def draw(sections: Mapping[str, Section], folder: pathlib.Path) -> list[pathlib.Path]:
  """There is nothing to draw."""
  del sections, folder
  return []
