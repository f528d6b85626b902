"""Graceful shutdown: SIGTERM and SIGINT become a flag that a program asks for where it can save."""

import contextlib
import os
import signal
import types
from collections.abc import Iterator

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interruption:
  """Which signal came, if one did."""

  def __init__(self, announcement: str) -> None:
    self.received: signal.Signals | None = None
    self._announcement = announcement

  def __call__(self) -> bool:
    """Whether to stop as soon as the state is saved."""
    return self.received is not None

  @property
  def reason(self) -> str:
    """The signal's name; empty when none came."""
    return self.received.name if self.received else ''

  def receive(self, number: int, frame: types.FrameType | None) -> None:
    """Notes the first signal. A second SIGINT is from somebody who will not wait."""
    del frame
    if self.received and number == signal.SIGINT:
      raise KeyboardInterrupt
    self.received = signal.Signals(number)
    # Not print: the signal may have come in the middle of one.
    if self._announcement:
      os.write(2, f'\n{self.received.name}: {self._announcement}\n'.encode())


@contextlib.contextmanager
def caught(announcement: str = '') -> Iterator[Interruption]:
  """Turns SIGTERM and SIGINT into a flag for as long as the `with` block lasts.

  The first one is acknowledged on stderr with its name and the announcement, if there is one.
  Compilation and a running step cannot be interrupted: a long program has to ask for the flag
  often. For the main thread only, as Python's signals are.
  """
  interruption = Interruption(announcement)
  previous = {number: signal.signal(number, interruption.receive) for number in SIGNALS}
  try:
    yield interruption
  finally:
    for number, handler in previous.items():
      signal.signal(number, handler)
