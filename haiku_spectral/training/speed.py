"""How fast a training goes, and what its time is spent on."""

import collections
import contextlib
import math
import pathlib
import time
from collections.abc import Iterator
from typing import NamedTuple

import jax
from jax.sharding import Mesh

from haiku_spectral.parallel import hardware

DATA, CHECKPOINT = 'data', 'checkpoint'
PROFILED = 3  # Steps.


class Speeds(NamedTuple):
  """Since the speed was last taken; nan where nothing was measured. Seconds are per step."""

  tokens_per_second: float = math.nan  # Of the steps alone; a token is a byte.
  step: float = math.nan  # From the end of a step to that of the next: data and compute.
  data: float = math.nan  # Waiting for a batch and placing it on the devices.
  compute: float = math.nan  # The rest: the devices work, or the host does not keep up.
  checkpoint: float = math.nan  # What saving keeps the training from going on, beside the steps.


class Speed:
  """Measures the training steps alone, and what is done between them."""

  def __init__(self) -> None:
    self._bytes, self._steps, self._seconds = 0, 0, 0.0
    self._last: float | None = None
    self._waits: collections.defaultdict[str, float] = collections.defaultdict(float)

  def step_done(self, size: int) -> None:
    """A step of so many bytes has ended now."""
    now = time.perf_counter()
    if self._last is not None:
      self._bytes += size
      self._steps += 1
      self._seconds += now - self._last
    self._last = now

  def pause(self) -> None:
    """Something else is done now: the time until the next step has ended does not count."""
    self._last = None

  @contextlib.contextmanager
  def waits(self, reason: str) -> Iterator[None]:
    """What is done in the block is waited for: DATA, within a step, or CHECKPOINT."""
    counts = reason != DATA or self._last is not None
    start = time.perf_counter()
    yield
    if counts:
      self._waits[reason] += time.perf_counter() - start

  def take(self) -> Speeds:
    """The speeds since they were last taken."""
    found = Speeds()
    if self._seconds:
      step, data, checkpoint = (
          seconds / self._steps
          for seconds in (self._seconds, self._waits[DATA], self._waits[CHECKPOINT]))
      found = Speeds(self._bytes / self._seconds, step, data, step - data, checkpoint)
    self._bytes, self._steps, self._seconds = 0, 0, 0.0
    self._waits.clear()
    return found


def utilisation(flops_per_second: float, mesh: Mesh, precision: str) -> float:
  """MFU: model operations per second over what the vendor says of the devices; nan if unknown."""
  device = hardware.of_kind(mesh.devices.flat[0].device_kind)
  if device is None:
    return math.nan
  return flops_per_second / (mesh.size * device.rate(precision))


class Profiler:
  """Writes a trace of a few steps, for TensorBoard or Perfetto."""

  def __init__(self, folder: pathlib.Path | None, first: int) -> None:
    """`first` is the first step that is profiled; without a folder none is."""
    self._folder, self._first, self._running = folder, first, False

  def reached(self, step: int) -> None:
    """A step begins."""
    if self._folder and step == self._first:
      jax.profiler.start_trace(str(self._folder))
      self._running = True
    elif step >= self._first + PROFILED:
      self.close()

  def close(self) -> None:
    """Writes what was traced."""
    if self._running:
      jax.profiler.stop_trace()
      self._running = False
