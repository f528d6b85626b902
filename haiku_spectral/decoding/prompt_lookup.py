"""Draft tokens from the text itself: what followed when the last few bytes stood there before.

Source: Saxena, "Prompt lookup decoding" (2023).
"""

from collections.abc import Sequence

ORDERS = (12, 8, 5, 3)  # Bytes that must agree, the most first.


class PromptLookup:
  """Where each run of bytes was last seen. One entry per order for each byte of the text."""

  def __init__(self, orders: Sequence[int] = ORDERS) -> None:
    self._places: dict[int, dict[bytes, int]] = {order: {} for order in orders}
    self._text = bytearray()

  def feed(self, data: bytes) -> None:
    """Takes the next bytes of the text."""
    for byte in data:
      for order, places in self._places.items():
        if len(self._text) >= order:
          places[bytes(self._text[-order:])] = len(self._text)
      self._text.append(byte)

  def draft(self, byte: int, count: int) -> bytes:
    """`count` bytes that might follow when `byte` comes next; none where there is no precedent."""
    for order, places in self._places.items():
      last = bytes(self._text[max(len(self._text) + 1 - order, 0):]) + bytes([byte])
      if (place := places.get(last)) is not None:
        followed = self._text[place:place + count] + bytes([byte])
        # A precedent that runs into the present repeats itself.
        return bytes(followed[i % len(followed)] for i in range(count))
    return b''
