"""Stop strings in a stream of bytes that comes in pieces of any size."""

from collections.abc import Iterable


class StopMatcher:
  """Lets bytes through up to the first stop string, which is not let through.

  The stop string that ends first wins; among those that end together, the longest. What could still
  become a stop string is held back. Cutting the stream in other places changes nothing.
  """

  def __init__(self, stops: Iterable[bytes] = ()) -> None:
    self._stops = tuple(stops)
    if b'' in self._stops:
      raise ValueError("stop='' is not allowed: give a stop string of at least one byte.")
    self._held = b''
    self.matched: bytes | None = None  # The stop string that was met.

  def feed(self, data: bytes) -> bytes:
    """Returns the bytes that are sure to come before any stop string."""
    if self.matched is not None:
      return b''
    seen = self._held + data
    matches = [(start + len(stop), start, stop)
               for stop in self._stops if (start := seen.find(stop)) >= 0]
    if matches:
      _, start, self.matched = min(matches)
      self._held = b''
      return seen[:start]
    held = max((_overlap(seen, stop) for stop in self._stops), default=0)
    self._held = seen[len(seen) - held:]
    return seen[:len(seen) - held]

  def close(self) -> bytes:
    """Returns what was held back: the stream has ended without a stop string."""
    held, self._held = self._held, b''
    return held


def _overlap(data: bytes, stop: bytes) -> int:
  """The length of the longest end of `data` that is a beginning of `stop`, but not all of it."""
  for size in range(min(len(stop) - 1, len(data)), 0, -1):
    if data.endswith(stop[:size]):
      return size
  return 0
