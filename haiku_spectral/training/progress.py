"""What a person sees while a model trains: a bar on a terminal, a line now and then in a log."""

import math
import sys
import time

import tqdm

from haiku_spectral.training import loss

LOG_INTERVAL_SECONDS = 15.0


class Progress:
  """Shows step, loss, bits per byte, speed and time left, on stderr."""

  def __init__(self, *, step: int, steps: int):
    self._first, self._steps = step, steps
    self._start = time.monotonic()
    self._last_line = self._start
    self._bar = tqdm.tqdm(
        total=steps, initial=step, unit='step', dynamic_ncols=True, file=sys.stderr,
        disable=not sys.stderr.isatty())

  def step_done(self, step: int) -> None:
    """`step` steps are done."""
    if not self._bar.disable:
      self._bar.update(step - self._bar.n)

  def show(self, step: int, nats_per_byte: float, *, tokens_per_second: float) -> None:
    """Shows the latest loss and speed, if it is known; a token is a byte."""
    text = f'loss {nats_per_byte:.3f}, {loss.bits_per_byte(nats_per_byte):.3f} bits/byte'
    if math.isfinite(tokens_per_second):
      text += f', {tokens_per_second:,.0f} tokens/s'
    now = time.monotonic()
    if not self._bar.disable:
      self._bar.set_postfix_str(text, refresh=False)
    elif now - self._last_line > LOG_INTERVAL_SECONDS:
      self._last_line = now
      left = (self._steps - step) * (now - self._start) / max(step - self._first, 1)
      text += f', {tqdm.tqdm.format_interval(left)} left'
      print(f'step {step}/{self._steps}: {text}', file=sys.stderr, flush=True)

  def say(self, text: str) -> None:
    """Prints a line on stdout without breaking the bar."""
    with tqdm.tqdm.external_write_mode(file=sys.stdout):
      print(text, flush=True)

  def close(self) -> None:
    """Leaves the bar as it stands."""
    self._bar.close()
