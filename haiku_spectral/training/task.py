"""What a training is given, and what it returns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import haiku as hk
import jax

from haiku_spectral.modules import spectral_gpt

Stop = Callable[[], bool]  # Whether to stop as soon as the state can be saved.
Report = Callable[[str], None]  # Shows the user a line.
Scalars = Mapping[str, float | jax.Array]


class Hook(NamedTuple):
  """A measurement of one's own, made every so many steps (0: only at the end of a phase)."""

  name: str  # The kind of its rows in the metrics.
  every: int
  # (step, params, stop) -> scalars; None when it gave up because `stop()` said so.
  call: Callable[[int, hk.Params, Stop], Scalars | None]


class Batches(Protocol):
  """Batches one after the other, without end, prefetched or not."""

  def __next__(self) -> Any:
    """The next batch."""
    ...

  def close(self) -> None:
    """Ends the prefetching."""
    ...


class Task(NamedTuple):
  """What is trained, on what, and what it is measured by. Batches are `datasets.pipeline.Batch`es
  or anything with the same inputs, targets, reset, sources and stream_start."""

  model: spectral_gpt.Model
  batches_from: Callable[[int], Batches]  # Step -> the batches of that step and on.
  heldout: Iterable[Any]  # The same finite batches whenever it is iterated.
  # The place in the data that a checkpoint of a step notes, as JSON. When a run goes on from there,
  # `verify` raises a ValueError unless the data are still the same.
  reading: Callable[[int], Mapping[str, Any]] = lambda step: {}
  verify: Callable[[int, Mapping[str, Any]], None] = lambda step, reading: None
  hooks: Sequence[Hook] = ()
  flops_per_byte: Callable[[int], float] = lambda segment: 0.0  # Of a training step.
  properties: Callable[[hk.Params], Scalars] = lambda params: {}  # Measured with the held-out loss.


class Outcome(NamedTuple):
  """How a training ended."""

  step: int
  finished: bool  # False when it was stopped before.
  heldout_loss: float  # Nats per byte, of this process's last evaluation; nan if there was none.
