"""A document while it is read in pieces."""


class Held:
  """Pieces of a document, forgotten as soon as it is too large: then only its size is known."""

  def __init__(self, limit: int) -> None:
    self._limit = limit
    self._parts: list[bytes] = []
    self.size = 0

  def add(self, part: bytes) -> None:
    self.size += len(part)
    if self.size <= self._limit:
      self._parts.append(part)
    else:
      self._parts.clear()

  def take(self) -> tuple[bytes, int]:
    """All of it, or nothing if it is too large, and its size; what is added next begins another."""
    data, size = b''.join(self._parts), self.size
    self._parts.clear()
    self.size = 0
    return data, size
