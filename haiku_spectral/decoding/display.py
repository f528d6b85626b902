"""Showing what is written while it is written."""

import io
import os
import time
from typing import TextIO

from haiku_spectral import vocab

# A model may write what a terminal takes for a command; people see a picture of it instead.
_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in '\n\t'}
_CONTROLS |= {127: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)


class Display:
  """Prints the first sample as its bytes come, the others after it."""

  def __init__(self, stream: TextIO) -> None:
    if isinstance(stream, io.TextIOWrapper):
      stream.reconfigure(errors='replace')
    self._stream = stream
    self._text = vocab.TextStream()
    self._first: tuple[float, int] | None = None  # Time and size of the first bytes.
    self._last = 0.0
    self._bytes = 0
    self.closed = False  # Whoever reads has gone away (`| head`).

  def show(self, data: bytes) -> None:
    """Prints bytes that were not written by the model: the prompt."""
    self._print(self._text.feed(data))

  def feed(self, row: int, data: bytes) -> None:
    """Takes the next bytes of a sample."""
    self._last = time.monotonic()
    self._bytes += len(data)
    self._first = self._first or (self._last, self._bytes)
    if row == 0:
      self._print(self._text.feed(data))

  def close(self, texts: list[bytes]) -> None:
    """Ends the first sample and prints the others, with headings. `texts` are all samples."""
    self._print(self._text.close() + '\n')
    for number, text in enumerate(texts[1:], start=2):
      self._print(f'\n--- sample {number} of {len(texts)} ---\n')
      self._print(text.decode(errors='replace') + '\n')

  def speed(self) -> str:
    """Bytes and bytes per second, without the first call, which compiles."""
    if self._first is None or self._last == self._first[0]:
      return f'{self._bytes:,} bytes'
    rate = (self._bytes - self._first[1]) / (self._last - self._first[0])
    return f'{self._bytes:,} bytes, {rate:,.0f} bytes/s'

  def _print(self, text: str) -> None:
    if self.closed:
      return
    try:
      self._stream.write(text.translate(_CONTROLS) if self._stream.isatty() else text)
      self._stream.flush()
    except BrokenPipeError:
      self.closed = True
      # The interpreter flushes once more at its end: let that go nowhere.
      os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
