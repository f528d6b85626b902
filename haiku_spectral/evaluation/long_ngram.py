"""Byte n-grams of any order up to 7, for sentences: a baseline stronger than trigrams.

The smoothing is that of `ngram` (Witten-Bell). Counts lie in sorted arrays of the n-grams that
occur, 12 bytes each and order, so the text is limited and not the order.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

MAX_BYTES = 1 << 25  # Counted by default.
ORDER = 5  # Bytes of context.


class Table(NamedTuple):
  """The n-grams of one length that occur, as big-endian numbers, sorted."""

  grams: np.ndarray  # [G] uint64
  counts: np.ndarray  # [G] int64
  contexts: np.ndarray  # [C] uint64: all but the last byte.
  seen: np.ndarray  # [C] int64: n-grams with this context.
  distinct: np.ndarray  # [C] int64: different ones.


def count(
    documents: Iterable[bytes], *, order: int = ORDER, max_bytes: int = MAX_BYTES
) -> list[Table]:
  """The tables for contexts of 0 to `order` bytes, of at most `max_bytes` of text."""
  if not 0 <= order <= 7:
    raise ValueError(f'order={order} is not allowed: give 0 to 7 bytes of context.')
  taken, size = [], 0
  for data in documents:
    taken.append(np.frombuffer(data[:max_bytes - size], np.uint8))
    size += taken[-1].size
    if size >= max_bytes:
      break
  return [_table([_grams(data, length) for data in taken]) for length in range(1, order + 2)]


def _grams(data: np.ndarray, length: int) -> np.ndarray:  # [N] -> [N - length + 1] uint64
  count = max(data.size - length + 1, 0)
  grams = np.zeros(count, np.uint64)
  for place in range(length):
    grams = (grams << np.uint64(8)) | data[place:place + count]
  return grams


def _table(parts: list[np.ndarray]) -> Table:
  every = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
  grams, counts = np.unique(every, return_counts=True)
  contexts, first, distinct = np.unique(
      grams >> np.uint64(8), return_index=True, return_counts=True)
  seen = np.add.reduceat(counts, first) if grams.size else counts
  return Table(grams, counts, contexts, seen, distinct)


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
  """The value of each wanted key; 0 for one that does not occur."""
  if not keys.size:
    return np.zeros(wanted.size, np.int64)
  place = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
  return np.where(keys[place] == wanted, values[place], 0)


def nats(tables: list[Table], texts: Iterable[bytes]) -> dict[bytes, float]:
  """The negative log-likelihood of each different text, whose first bytes have shorter contexts."""
  different = [text for text in set(texts) if text]
  data = np.frombuffer(b''.join(different), np.uint8)
  sizes = np.array([len(text) for text in different], np.int64)
  starts = np.cumsum(sizes) - sizes
  place = np.arange(data.size) - np.repeat(starts, sizes)  # In its text.
  probability = np.full(data.size, 1 / 256)
  for length, table in enumerate(tables, 1):
    inside = np.flatnonzero(place >= length - 1)
    grams = _grams(data, length)[inside - (length - 1)]
    followed = _look_up(table.grams, table.counts, grams)
    contexts = grams >> np.uint64(8)
    seen = _look_up(table.contexts, table.seen, contexts)
    # A context that was never seen leaves all to the shorter one.
    distinct = np.where(seen == 0, 1, _look_up(table.contexts, table.distinct, contexts))
    probability[inside] = (followed + distinct * probability[inside]) / (seen + distinct)
  sums = np.add.reduceat(-np.log(probability), starts) if different else np.zeros(0)
  return {b'': 0.0, **dict(zip(different, sums.tolist(), strict=True))}
