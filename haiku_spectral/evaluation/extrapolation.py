"""Does a model trained at T bytes go on well, and even better, far beyond T?

For each factor f = 1, 2, 4, ... the bytes at document positions [fT/2, fT) are scored twice:
- full context: the state is streamed from the document's start;
- cut context: windows of T bytes at stride T/4 that start from the initial state in the middle of
  the document; only their last T/4 bytes count, so that the context is 3/4 T to T bytes.
The window at the document's start sees the same context either way: factor 1 is the reference.

Shapes: F factors, O octaves of positions; T is the training length in bytes.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.evaluation import bootstrap, report, streaming
from haiku_spectral.evaluation import plan as plan_lib
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.requirement import require

FULL, CUT = 'full', 'cut'


class _Sums:
  """Sums over one document."""

  def __init__(self, plan: plan_lib.Plan, length: int) -> None:
    self.plan = plan
    self.end = plan.end(length)
    factors = plan.max_factor.bit_length()
    self.factors = np.zeros((factors, 3))  # [F, (bytes, nats full, nats cut)]
    self.octaves = np.zeros((plan.limit.bit_length() + 1, 2))  # [O, (bytes, nats full)]

  def add(self, positions: np.ndarray, nll: np.ndarray, context: str) -> None:
    """Adds losses, [n] nats, at some positions of the document, [n]."""
    if context == FULL:
      octave = plan_lib.floor_log2(positions) + 1
      np.add.at(self.octaves, octave, np.stack([np.ones_like(nll), nll], axis=-1))
    index = self.plan.factor_index(positions)
    counted = (index >= 0) & (positions < self.end)
    if context == CUT:
      np.add.at(self.factors[:, 2], index[counted], nll[counted])
      return
    np.add.at(self.factors[:, 0], index[counted], 1)
    np.add.at(self.factors[:, 1], index[counted], nll[counted])
    # From the document's start to T the two contexts are one.
    same = counted & (index == 0)
    self.factors[0, 2] += nll[same].sum()


class _Key(NamedTuple):
  """Which bytes a sequence scores."""

  document: int
  start: int  # Position in the document of the sequence's first byte.
  context: str


def _sequences(plan: plan_lib.Plan, index: int, data: bytes) -> Iterator[streaming.Sequence]:
  """The document as a stream, then as windows cut off from their context."""
  yield streaming.Sequence(_Key(index, 0, FULL), vocab.BOUNDARY, data[:plan.limit])
  for start, end in plan.windows(len(data)):
    yield streaming.Sequence(_Key(index, start, CUT), data[start - 1], data[start:end])


def check(
    *, train_length: int, max_factor: int, batch_size: int, chunk: int, prefix: str = ''
) -> None:
  """Raises ValueError for values that `evaluate` does not allow; `prefix` goes before their names.
  """
  require(train_length >= 4 and train_length % 4 == 0, 'train_length', train_length,
          'a multiple of 4')
  require(max_factor >= 1 and max_factor & (max_factor - 1) == 0, prefix + 'max_factor',
          max_factor, 'a power of two (1, 2, 4, ...)')
  require(batch_size >= 1, prefix + 'batch_size', batch_size, '1 or more')
  require(0 <= chunk <= train_length, prefix + 'chunk', chunk,
          f'1 to the training length {train_length}, or 0 for that')


class Measurement(NamedTuple):
  """What one model's loss was on each document."""

  plan: plan_lib.Plan
  factors: np.ndarray  # [N, F, 3] float64 (bytes, nats full, nats cut)
  octaves: np.ndarray  # [N, O, 2] float64 (bytes, nats full)
  lengths: tuple[int, ...]  # Of all documents, also of those that reach no factor.


def measure(
    model: spectral_gpt.Model,
    params: Any,
    documents: Iterable[tuple[Any, bytes]],  # (name, bytes) of held-out documents.
    *,
    train_length: int,
    max_factor: int = 64,
    batch_size: int = 8,
    chunk: int = 0,
    dtype: DTypeLike = jnp.float32,
    on_progress: Callable[[int], None] | None = None,
) -> Measurement:
  """Scores documents with full and cut context at each factor of the training length.

  `params` are in `dtype`, which is also that of the state. `chunk` is the bytes per row of a device
  call (0: T). Documents are taken as they are needed; what is held at a time are `batch_size` of
  them and a few numbers for each. `on_progress` gets bytes scored, `plan.Plan.work` in all.

  Raises ValueError for values that are not allowed, and when no document reaches a factor.
  """
  check(train_length=train_length, max_factor=max_factor, batch_size=batch_size, chunk=chunk)
  chunk = chunk or train_length
  plan = plan_lib.Plan(train_length, max_factor)
  sums: list[_Sums] = []
  lengths: list[int] = []

  def sequences() -> Iterator[streaming.Sequence]:
    for _, data in documents:
      lengths.append(len(data))
      if plan.factors(len(data)):
        sums.append(_Sums(plan, len(data)))
        yield from _sequences(plan, len(sums) - 1, data)

  for key, start, nll, _ in streaming.score(
      model, params, sequences(), batch_size=batch_size, chunk=chunk, dtype=dtype):
    offsets = start + np.arange(nll.size)
    scored = offsets >= (train_length - plan.stride if key.context == CUT else 0)
    sums[key.document].add(key.start + offsets[scored], nll[scored].astype(np.float64), key.context)
    if on_progress:
      on_progress(nll.size)
  if not sums:
    raise ValueError(_too_short(lengths, train_length))
  return Measurement(
      plan, np.stack([document.factors for document in sums]),
      np.stack([document.octaves for document in sums]), tuple(lengths))


def evaluate(*args: Any, **kwargs: Any) -> report.Report:
  """What `measure` finds for one model, as a report; arguments and errors are its own."""
  return summarize([measure(*args, **kwargs)])


def _too_short(lengths: list[int], train_length: int) -> str:
  if not lengths:
    return 'There are no held-out documents: give another split or dataset.'
  return (
      f'No document is long enough: the longest of {len(lengths)} has {max(lengths)} bytes, which '
      f'is {max(lengths) / train_length:.2g}x the training length {train_length}. Factor f needs '
      '3/4 of f x the training length. Give longer documents, or a model trained at shorter '
      'segments.')


def summarize(runs: Sequence[Measurement]) -> report.Report:
  """The mean over runs that differ in their seed, all measured on the same documents."""
  plan, lengths = runs[0].plan, runs[0].lengths
  every = np.stack([run.factors for run in runs])  # [R, N, F, 3]
  table = every.mean(axis=0)
  octaves = np.mean([run.octaves for run in runs], axis=0)  # [N, O, 2]
  factors = []
  for index in range(table.shape[1]):
    there = table[:, index, 0] > 0
    if not there.any():
      break
    factors.append(_factor(plan, index, table[there, index], every[:, there, index]))
  scored = [min(length, plan.limit) for length in lengths if plan.factors(length)]
  return report.Report(
      train_length=plan.train_length, max_factor=plan.max_factor, documents=len(table),
      skipped=len(lengths) - len(table), longest=max(scored), bytes=sum(scored), runs=len(runs),
      bits_per_byte=bootstrap.estimate(octaves.sum(axis=1), _full_bits),
      factors=tuple(factors),
      octaves=tuple(
          report.Octave(start=2**(i - 1) if i else 0, end=2**i, bytes=int(count),
                        bits_per_byte=nats / count / math.log(2))
          for i, (count, nats) in enumerate(octaves.sum(axis=0)) if count),
  )


def _factor(
    plan: plan_lib.Plan, index: int,
    rows: np.ndarray,  # [n, 3] sums of the documents that reach the factor, mean over runs.
    every: np.ndarray,  # [R, n, 3] the same of each run.
) -> report.Factor:
  start = 2**index * plan.train_length // 2
  return report.Factor(
      factor=2**index, start=start, reach=start + int(rows[:, 0].max()),
      documents=len(rows), bytes=int(rows[:, 0].sum()),
      full=bootstrap.estimate(rows, _full_bits), cut=bootstrap.estimate(rows, _cut_bits),
      gain=bootstrap.estimate(rows, _gain_bits),
      gain_over_runs=(
          bootstrap.over_runs(_gain_bits(every.sum(axis=1))) if len(every) > 1 else None),
  )


def _full_bits(sums: np.ndarray) -> np.ndarray:  # [..., 2 or more] -> [...]
  return sums[..., 1] / sums[..., 0] / math.log(2)


def _cut_bits(sums: np.ndarray) -> np.ndarray:  # [..., 3] -> [...]
  return sums[..., 2] / sums[..., 0] / math.log(2)


def _gain_bits(sums: np.ndarray) -> np.ndarray:  # [..., 3] -> [...]
  return (sums[..., 2] - sums[..., 1]) / sums[..., 0] / math.log(2)
