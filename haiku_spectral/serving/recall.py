"""What a text repeats: for each byte, the longest context that it has followed before, and where.

The model's exact memory keeps no positions, so they are found again in the text itself: what is
reported is the last place where the same bytes stood behind the same context, byte by byte, for the
orders of the model's tables. Like these, an index of fixed size forgets what it has overwritten; it
never reports what is not there.

Shapes: N bytes of a piece.
"""

from collections.abc import Sequence

import numpy as np

SLOTS = 1 << 17  # Places that are kept per order.
SHORTEST = 8  # Shorter contexts recur by chance: " and the".
_PIECE = 1 << 15
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class Recall:
  """The bytes of a text so far, and where they stand."""

  def __init__(self, orders: Sequence[int]) -> None:
    self._orders = [order for order in sorted(orders) if order >= SHORTEST]
    self._places = {order: np.full(SLOTS, -1, np.int64) for order in self._orders}
    self._text = np.zeros(1024, np.uint8)
    self.size = 0

  def extend(self, data: bytes) -> np.ndarray:  # [N, 2] int32
    """Appends bytes; for each: bytes of the longest context that recurs, and the distance back.

    Both are 0 where nothing recurs.
    """
    pieces = [data[start:start + _PIECE] for start in range(0, len(data), _PIECE)]
    return np.concatenate([np.zeros((0, 2), np.int32), *map(self._extend, pieces)])

  def _extend(self, data: bytes) -> np.ndarray:
    self._append(data)
    found = np.zeros((len(data), 2), np.int32)
    for order in self._orders:
      ends = np.arange(max(self.size - len(data), order), self.size)
      if not ends.size:
        continue
      before = self._last_places(order, ends)
      recurs = np.flatnonzero(before >= 0)
      recurs = recurs[self._equal(before[recurs], ends[recurs], order)]
      rows = ends[recurs] - (self.size - len(data))
      found[rows, 0], found[rows, 1] = order, ends[recurs] - before[recurs]
    return found

  def _append(self, data: bytes) -> None:
    needed = self.size + len(data)
    if needed > len(self._text):
      self._text = np.concatenate(
          [self._text, np.zeros(max(needed, 2 * len(self._text)) - len(self._text), np.uint8)])
    self._text[self.size:needed] = np.frombuffer(data, np.uint8)
    self.size = needed

  def _last_places(self, order: int, ends: np.ndarray) -> np.ndarray:
    """Where contexts and followers that end at `ends` have perhaps stood before; -1: nowhere."""
    hashes = np.zeros(len(ends), np.uint64)
    for back in range(order, -1, -1):
      hashes = (hashes ^ self._text[ends - back]) * _MULTIPLIER
      hashes ^= hashes >> np.uint64(29)
    slots = (hashes % np.uint64(SLOTS)).astype(np.int64)
    places = self._places[order]
    before = places[slots]
    by_slot = np.argsort(slots, kind='stable')  # Those of the same piece come after the table's.
    same = np.flatnonzero(slots[by_slot][1:] == slots[by_slot][:-1])
    before[by_slot[same + 1]] = ends[by_slot[same]]
    places[slots] = ends
    return before

  def _equal(self, left: np.ndarray, right: np.ndarray, order: int) -> np.ndarray:
    """Whether the context and follower that end at two places are the same bytes."""
    equal = left >= order
    for back in range(order + 1):
      equal &= self._text[np.maximum(left - back, 0)] == self._text[right - back]
    return equal
