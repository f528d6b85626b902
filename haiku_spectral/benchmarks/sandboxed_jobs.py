"""The suite `sandbox`: the cost of running untrusted code."""

import statistics
import time
from collections.abc import Callable

from haiku_spectral.benchmarks import timing
from haiku_spectral.benchmarks.report import Row, Section
from haiku_spectral.benchmarks.settings import Settings
from haiku_spectral.sandbox import result, sandbox, worker

WORKERS = 2
SOURCE = 'def f(x):\n  return x + 1'


def _round(box: sandbox.Sandbox, jobs: int) -> list[result.ExecResult]:
  return list(box.map(result.Job(SOURCE, 'f', (number,)) for number in range(jobs)))


def runs(subject: None, settings: Settings) -> Section:
  """Jobs per second, and the time until the first."""
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
        1000 * started, 'CPU per job, ms': 1000 * statistics.median(
            outcome.cpu_seconds for outcome in outcomes)})
  return Section(
      'Sandboxed jobs',
      f'{WORKERS} warm interpreters, {settings.jobs} trivial jobs per round, median of '
      f'{settings.repeats} rounds after one that warms up.', rows)


SECTIONS: dict[str, Callable[[None, Settings], Section]] = {'runs': runs}
