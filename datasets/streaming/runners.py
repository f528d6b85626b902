"""Ways to run tasks that do not depend on each other; each makes a work unit.

A runner takes a function and its tasks and yields the results in the order of the tasks; `advance`
is called with the bytes of work that was done.
"""

import collections
import concurrent.futures
import functools
import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

Advance = Callable[[int], object]
Function = Callable[..., dict[str, Any]]  # (task) or (task, advance) -> result


class Runner(Protocol):
  """Runs a function over tasks."""

  def __call__(
      self, function: Function, tasks: Sequence[Any], advance: Advance
  ) -> Iterator[dict[str, Any]]:
    """The results in the order of the tasks; those that are not asked for may not be computed."""
    ...


def serial(
    function: Function, tasks: Sequence[Any], advance: Advance
) -> Iterator[dict[str, Any]]:
  """One after the other, in this process."""
  return (function(task, advance) for task in tasks)


def processes(
    function: Function, tasks: Sequence[Any], advance: Advance, *, workers: int
) -> Iterator[dict[str, Any]]:
  """In parallel, at most two per process ahead of the result that is asked for."""
  with concurrent.futures.ProcessPoolExecutor(
      workers, mp_context=multiprocessing.get_context('spawn'),
      initializer=_follow_parent) as pool:
    waiting = iter(tasks)
    running = collections.deque(
        (task, pool.submit(function, task)) for task in itertools.islice(waiting, 2 * workers))
    try:
      while running:
        task, future = running.popleft()
        result = future.result()
        advance(task.size)
        running.extend((task, pool.submit(function, task)) for task in itertools.islice(waiting, 1))
        yield result
    finally:
      pool.shutdown(cancel_futures=True)


def _follow_parent() -> None:
  """Ends this process when its parent is killed: it would wait for ever, or write on.

  An interrupt, which the parent gets as well, ends it without a traceback.
  """
  signal.signal(signal.SIGINT, signal.SIG_DFL)
  parent = multiprocessing.parent_process()

  def wait() -> None:
    if parent is not None:
      parent.join()
      os._exit(1)

  threading.Thread(target=wait, daemon=True).start()


def beam(
    function: Function, tasks: Sequence[Any], advance: Advance, *, options: Sequence[str]
) -> Iterator[dict[str, Any]]:
  """As an Apache Beam pipeline. The workers must see the folders of the tasks under their names."""
  try:
    import apache_beam
    from apache_beam.options import pipeline_options
  except ImportError as error:
    raise ValueError(
        'Apache Beam is not installed: run `./run //binaries:prepare_data_beam`, which has an '
        'environment of its own.') from error
  with apache_beam.Pipeline(options=pipeline_options.PipelineOptions(list(options))) as pipeline:
    _ = (pipeline | apache_beam.Create(list(tasks)) | apache_beam.Reshuffle()
         | apache_beam.Map(functools.partial(_run, function)))
  for task in tasks:
    yield function(task)  # It is made: this only reads its result.
    advance(task.size)


def _run(function: Function, task: Any) -> None:
  function(task)


def choose(*, workers: int, options: Sequence[str] | None) -> Runner:
  """The runner that a user asked for: Beam with some options, or a number of processes."""
  if options is not None:
    return functools.partial(beam, options=tuple(options))
  return serial if workers == 1 else functools.partial(processes, workers=workers)
