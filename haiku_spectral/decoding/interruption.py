"""Ctrl-C as a question that a loop asks between two steps."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def control_c() -> Iterator[Callable[[], bool]]:
  """Gives a function that says whether Ctrl-C was pressed; pressed again, it interrupts at once."""
  pressed = False

  def on_signal(number: int, frame: FrameType | None) -> None:
    nonlocal pressed
    del number, frame
    if pressed:
      raise KeyboardInterrupt
    pressed = True

  before = signal.signal(signal.SIGINT, on_signal)
  try:
    yield lambda: pressed
  finally:
    signal.signal(signal.SIGINT, before)
