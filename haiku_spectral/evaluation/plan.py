"""Which bytes of which documents an evaluation of extrapolation scores.

T is the training length in bytes.
"""

import heapq
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from haiku_spectral.requirement import require


class Plan(NamedTuple):
  """Which bytes of a document count for which factor."""

  train_length: int  # T
  max_factor: int

  @property
  def stride(self) -> int:
    """Bytes that a window scores: its last ones. The others are its context."""
    return self.train_length // 4

  @property
  def limit(self) -> int:
    """Bytes of a document that are scored."""
    return self.train_length * self.max_factor

  def factors(self, length: int) -> int:
    """How many of 1, 2, 4, ... a document of `length` bytes reaches.

    It reaches f when it holds at least half of the positions [fT/2, fT).
    """
    count = 0
    while 2**count <= self.max_factor and 4 * length >= 3 * 2**count * self.train_length:
      count += 1
    return count

  def end(self, length: int) -> int:
    """One past the last position that counts for a factor."""
    count = self.factors(length)
    return min(length, 2**(count - 1) * self.train_length) if count else 0

  def factor_index(self, positions: np.ndarray) -> np.ndarray:  # [n] -> [n]; -1 below T/2
    """The number of the factor whose range holds each position."""
    return floor_log2(positions // (self.train_length // 2))

  def work(self, length: int) -> int:
    """Bytes that are scored, both contexts together: the unit of progress."""
    if not self.factors(length):
      return 0
    return min(length, self.limit) + sum(end - start for start, end in self.windows(length))

  def windows(self, length: int) -> Iterator[tuple[int, int]]:
    """The windows [start, end) that cut the context, without the one at the document's start."""
    end, context = self.end(length), self.train_length - self.stride
    for start in range(self.stride, end - context, self.stride):
      yield start, min(start + self.train_length, end)


def floor_log2(values: np.ndarray) -> np.ndarray:
  """Exact floor(log2(v)) for integers v >= 1; -1 for 0."""
  return np.frexp(values)[1] - 1


def longest(
    documents: Iterable[tuple[Any, bytes]], *, count: int, limit: int
) -> list[tuple[Any, bytes]]:
  """The `count` longest documents, each cut to `limit` bytes; among equals the first to come.

  Long contexts come only in long documents. Holds `count` documents of the stream at a time.
  """
  require(count >= 1, 'max_documents', count, '1 or more')
  heap: list[tuple[int, int, Any, bytes]] = []
  for order, (name, data) in enumerate(documents):
    entry = (min(len(data), limit), -order, name, data[:limit])
    if len(heap) < count:
      heapq.heappush(heap, entry)
    else:
      heapq.heappushpop(heap, entry)
  return [(name, data) for _, _, name, data in sorted(heap, key=lambda e: (-e[0], -e[1]))]
