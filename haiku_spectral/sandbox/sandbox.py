"""Runs jobs in parallel, each isolated from all others, and reports how each ended.

  with sandbox.Sandbox() as box:
    box.run('def f(x): return x + 1', 'f', (41,)).value  # 42
"""

import collections
import concurrent.futures
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from haiku_spectral.sandbox import literals, result, runtime, selftest, worker

ATTEMPTS = 3  # Of a job whose interpreter was lost.
AHEAD = 4  # Jobs that wait for each worker.
MAX_SOURCE = 1 << 20  # Bytes of UTF-8.
MAX_MESSAGE = 64 << 20  # Bytes of a job, its arguments included.


class _Own(threading.local):
  """What each thread of the pool has for itself."""

  def __init__(self) -> None:
    self.workers: dict[int, worker.Worker] = {}  # By seed.


class Sandbox:
  """A pool of warm interpreters, two per core when there are two seeds; a context manager.

  Each interpreter passes the self-test before it is given a job, and entering tests the first: a
  sandbox that does not hold raises Unavailable, and nothing runs.
  """

  def __init__(self, kind: str = 'bwrap', *, workers: int | None = None,
               hash_seeds: Sequence[int] = (0, 1)) -> None:
    if kind not in worker.KINDS:
      raise ValueError(f'sandbox {kind!r}: there are {", ".join(worker.KINDS)}.')
    if not hash_seeds or not all(type(seed) is int and 0 <= seed < 1 << 32 for seed in hash_seeds):
      raise ValueError(f'hash_seeds={hash_seeds!r}: give integers from 0 to {(1 << 32) - 1}.')
    if workers is not None and workers < 1:
      raise ValueError(f'workers={workers}: give at least 1, or None for one per core.')
    self._kind, self._seeds = kind, tuple(hash_seeds)
    self._count = workers or len(os.sched_getaffinity(0))
    self._own = _Own()
    self._workers: list[worker.Worker] = []
    self._threads: concurrent.futures.ThreadPoolExecutor | None = None

  def __enter__(self) -> Self:
    """Starts the pool and tests it; raises Unavailable."""
    runtime.check_machine()
    self._threads = concurrent.futures.ThreadPoolExecutor(self._count, 'sandbox')
    try:
      self._threads.submit(self._worker, self._seeds[0]).result()
    except BaseException:
      self.__exit__(None, None, None)
      raise
    return self

  def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
               trace: TracebackType | None) -> None:
    """Ends all interpreters and what runs in them."""
    threads, self._threads = self._threads, None
    for each in list(self._workers):
      each.kill()
    if threads:
      threads.shutdown(cancel_futures=True)
    while self._workers:
      self._workers.pop().close()

  def run(self, source: str, function: str, args: tuple = (),
          limits: result.Limits = result.LIMITS, hash_seed: int = 0) -> result.ExecResult:
    """A single job."""
    return next(self.map([result.Job(source, function, args, limits, hash_seed)]))

  def map(self, jobs: Iterable[result.Job]) -> Iterator[result.ExecResult]:
    """All jobs, on all workers; the results come in the order of the jobs.

    Raises ValueError for a job that cannot be one: other seeds, arguments that do not cross. What
    is wrong with the code that a job runs is a result.
    """
    waiting: collections.deque[concurrent.futures.Future[result.ExecResult]] = collections.deque()
    try:
      for job in jobs:
        waiting.append(self._submit(job))
        if len(waiting) >= AHEAD * self._count:
          yield waiting.popleft().result()
      while waiting:
        yield waiting.popleft().result()
    finally:
      for future in waiting:
        future.cancel()

  def _submit(self, job: result.Job) -> concurrent.futures.Future[result.ExecResult]:
    if self._threads is None:
      raise RuntimeError('a Sandbox runs jobs inside its `with` block')
    if job.hash_seed not in self._seeds:
      raise ValueError(f'hash_seed={job.hash_seed!r}: this sandbox has {self._seeds}.')
    message = literals.dumps((job.source, job.function, tuple(job.args))).encode('ascii')
    if len(message) > MAX_MESSAGE:
      raise ValueError(f'A job of {len(message)} bytes: {MAX_MESSAGE} are allowed.')
    return self._threads.submit(self._run, job, message)

  def _run(self, job: result.Job, message: bytes) -> result.ExecResult:
    """In a thread of the pool. A job is innocent of a lost interpreter: it has another try."""
    if problem := _unreadable(job.source):
      return result.ExecResult(status=result.Status.SYNTAX, error=problem)
    for _ in range(ATTEMPTS):
      try:
        return self._worker(job.hash_seed).run(message, job.limits)
      except (worker.Lost, result.Unavailable) as error:
        reason = str(error)
        self._dismiss(job.hash_seed)
    return result.ExecResult(status=result.Status.INFRASTRUCTURE, error=reason)

  def _worker(self, seed: int) -> worker.Worker:
    """This thread's."""
    own = self._own.workers
    if self._threads and seed not in own:
      started = worker.Worker(self._kind, seed)
      self._workers.append(started)  # So that the sandbox can be closed meanwhile.
      try:
        selftest.check(started)
      except BaseException:
        started.close()
        self._workers.remove(started)
        raise
      own[seed] = started
    if not self._threads:  # It may have been closed meanwhile.
      raise worker.Lost('the sandbox is closed')
    return own[seed]

  def _dismiss(self, seed: int) -> None:
    if lost := self._own.workers.pop(seed, None):
      lost.close()
      self._workers.remove(lost)


def _unreadable(source: str) -> str:
  """Why a source is none, if it is not."""
  try:
    size = len(source.encode('utf-8'))
  except UnicodeEncodeError as error:
    return f'SyntaxError: the source is not UTF-8: {error.reason} at character {error.start}'
  if size > MAX_SOURCE:
    return f'SyntaxError: the source has {size} bytes: {MAX_SOURCE} are allowed'
  return ''
