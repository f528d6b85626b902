"""A document while it is read piece by piece."""


class Buffer:
  """Collects the pieces of a document up to a size; of a larger one it keeps the size alone."""

  def __init__(self, limit: int) -> None:
    self._limit = limit
    self._pieces: list[bytes] = []
    self.size = 0

  def add(self, piece: bytes) -> None:
    self.size += len(piece)
    if self.size <= self._limit:
      self._pieces.append(piece)
    else:
      self._pieces.clear()

  def take(self) -> tuple[bytes, int]:
    """The document, or b'' if it is too large, and its size; what is added next begins another."""
    data, size = b''.join(self._pieces), self.size
    self._pieces.clear()
    self.size = 0
    return data, size
