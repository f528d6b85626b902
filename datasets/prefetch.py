"""Reading ahead while the model computes."""

import collections
import concurrent.futures
from types import TracebackType
from typing import Self

from datasets import pipeline


class Prefetcher:
  """Iterates over batches in order, some of which background threads have read already.

  Holds at most `buffer` batches. An error of a thread is raised where its batch is asked for.
  `close` ends the threads; use it as a context manager.
  """

  def __init__(
      self, batches: pipeline.RandomAccess, start_step: int = 0, *, buffer: int = 4,
      threads: int = 1,
  ) -> None:
    self._batches = batches
    self._next = start_step
    self._executor = concurrent.futures.ThreadPoolExecutor(threads, 'prefetch')
    self._pending: collections.deque[concurrent.futures.Future] = collections.deque()
    for _ in range(buffer):
      self._read_ahead()

  def _read_ahead(self) -> None:
    if self._next < len(self._batches):
      self._pending.append(self._executor.submit(self._batches.__getitem__, self._next))
      self._next += 1

  def __iter__(self) -> Self:
    """Iterates over what is left."""
    return self

  def __next__(self) -> pipeline.Batch:
    """The next batch; waits for it if it must."""
    if not self._pending:
      raise StopIteration
    batch = self._pending.popleft().result()
    self._read_ahead()
    return batch

  def close(self) -> None:
    """Ends the threads and forgets what was read ahead."""
    self._pending.clear()
    self._executor.shutdown(cancel_futures=True)

  def __enter__(self) -> Self:
    """Closes at the end of the block."""
    return self

  def __exit__(
      self, kind: type[BaseException] | None, error: BaseException | None,
      traceback: TracebackType | None,
  ) -> None:
    """Closes, whatever happened."""
    self.close()


def iterate(
    batches: pipeline.RandomAccess, start_step: int = 0, *, buffer: int = 4, threads: int = 1
) -> Prefetcher:
  """Batches start_step, start_step + 1, ... read ahead by background threads."""
  return Prefetcher(batches, start_step, buffer=buffer, threads=threads)
