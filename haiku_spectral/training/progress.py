"""What a person sees while a model trains: a bar on a terminal, a line now and then in a log."""

import collections
import math
import sys
import time

import tqdm

from haiku_spectral.training import loss

LOG_INTERVAL_SECONDS = 15.0
HISTORY = 12  # Losses that are drawn, and times from which the time left is told.
_BLOCKS = '▁▂▃▄▅▆▇█'


class Progress:
  """Shows step, loss and how it went of late, speed, skipped steps and time left, on stderr."""

  def __init__(self, *, step: int, steps: int, shown: bool = True):
    self._steps = steps
    self._start = time.monotonic()
    self._last_line = self._start
    self._losses: collections.deque[float] = collections.deque(maxlen=HISTORY)
    self._times = collections.deque([(self._start, step)], maxlen=HISTORY)
    self._bar = tqdm.tqdm(
        total=steps, initial=step, unit='step', dynamic_ncols=True, file=sys.stderr,
        disable=not (shown and sys.stderr.isatty()))
    self._shown = shown

  def step_done(self, step: int) -> None:
    """`step` steps are done."""
    if not self._bar.disable:
      self._bar.update(step - self._bar.n)

  def show(
      self, step: int, nats_per_byte: float, *, tokens_per_second: float, by_source: str = '',
      skipped: int = 0,
  ) -> None:
    """Shows the latest loss and speed, if it is known; a token is a byte.

    `by_source` tells the loss of each dataset; `skipped`: steps that the guards have skipped.
    """
    self._losses.append(nats_per_byte)
    text = (f'loss {nats_per_byte:.3f}, {loss.bits_per_byte(nats_per_byte):.3f} bits/byte'
            f'{by_source} {sparkline(self._losses)}')
    if math.isfinite(tokens_per_second):
      text += f', {tokens_per_second:,.0f} tokens/s'
    if skipped:
      text += f', {skipped:,} skipped'
    now = time.monotonic()
    self._times.append((now, step))
    if not self._bar.disable:
      self._bar.set_postfix_str(text, refresh=False)
    elif self._shown and now - self._last_line > LOG_INTERVAL_SECONDS:
      self._last_line = now
      text += f', {tqdm.tqdm.format_interval(self._seconds_left(now, step))} left'
      print(f'step {step}/{self._steps}: {text}', file=sys.stderr, flush=True)

  def _seconds_left(self, now: float, step: int) -> float:
    """At the speed of late: a step may take longer when segments have become longer."""
    then, before = self._times[0]
    return (self._steps - step) * (now - then) / max(step - before, 1)

  def say(self, text: str) -> None:
    """Prints a line on stdout without breaking the bar."""
    if self._shown:
      with tqdm.tqdm.external_write_mode(file=sys.stdout):
        print(text, flush=True)

  def close(self) -> None:
    """Leaves the bar as it stands."""
    self._bar.close()


def sparkline(values: collections.deque[float]) -> str:
  """Values as blocks of different heights, the least as the lowest; a dot where one is not finite.
  """
  finite = [value for value in values if math.isfinite(value)]
  least, span = min(finite, default=0.0), max(finite, default=0.0) - min(finite, default=0.0)
  top = len(_BLOCKS) - 1
  return ''.join(
      _BLOCKS[round((value - least) / span * top) if span else 0] if math.isfinite(value) else '·'
      for value in values)
