"""What a longer context is worth: the loss on the same bytes with the context cut to each length.

The last part of every document is scored. For a context of C bytes it is cut into windows of C
bytes; each is scored with the C bytes before it as context, from the initial state. So a byte has C
to 2C - 1 bytes of context, and every byte is read twice. Last comes the whole context: one stream
from the document's start. Compressors get the same windows: what a window costs is the compressed
size of its context and itself, less that of its context.

How much the context beyond C bytes still changes the predictions is their effective remembrance
(EffRem: arXiv 2507.02782): the total variation distance between the distributions with the whole
context and with C bytes of it, here the mean over samples of all bytes.

Shapes: R runs, N documents, C contexts (the whole one is the last), S samples, V ids.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.evaluation import bootstrap, compressors, context_report, streaming
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.requirement import require

LENGTHS = (1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18)
SAMPLES = 4096  # Bytes of all documents, about, whose whole distributions are compared.


class Window(NamedTuple):
  """Bytes [first, end) of a document, scored with the context [start, first)."""

  document: int
  context: int  # Number of the context's length.
  start: int
  first: int
  end: int

  @property
  def skipped(self) -> int:
    """Bytes of the document that are not predicted: the first one of a cut context is only read."""
    return self.start + 1 if self.start else 0

  @property
  def size(self) -> int:
    """Bytes that are predicted, those of the context included."""
    return self.end - self.skipped


class Plan(NamedTuple):
  """What is scored of which documents with which contexts."""

  documents: tuple[bytes, ...]  # [N]
  firsts: tuple[int, ...]  # [N] position of the first byte that is scored.
  lengths: tuple[int, ...]  # [C - 1] bytes, ascending; the whole context comes after them.

  @property
  def scored(self) -> np.ndarray:  # [N]
    """Bytes that are scored of each document."""
    return np.array([len(data) - first for data, first in
                     zip(self.documents, self.firsts, strict=True)])

  @property
  def every(self) -> int:
    """Samples are the scored positions that are multiples of it."""
    return max(1, int(self.scored.sum()) // SAMPLES)

  def samples_before(self, position: int) -> int:
    """How many positions before this one would be samples, if all were scored."""
    return -(-position // self.every)

  @property
  def samples(self) -> np.ndarray:  # [N]
    """How many samples each document has."""
    return np.array([self.samples_before(len(data)) - self.samples_before(first)
                     for data, first in zip(self.documents, self.firsts, strict=True)])

  def windows(self) -> list[Window]:
    """All windows, the longest first: then the rows of a batch end at about the same time."""
    found = []
    for document, (data, first) in enumerate(zip(self.documents, self.firsts, strict=True)):
      for context, length in enumerate(self.lengths):
        found += [Window(document, context, max(0, start - length), start,
                         min(start + length, len(data)))
                  for start in range(first, len(data), length)]
      found.append(Window(document, len(self.lengths), 0, first, len(data)))
    return sorted(found, key=lambda window: -window.size)

  def work(self) -> int:
    """Bytes that are predicted, the unit of progress."""
    return sum(window.size for window in self.windows())


def check(*, lengths: Sequence[int], last_part: float, prefix: str = '') -> None:
  """Raises ValueError for what `make_plan` does not allow; `prefix` goes before the names."""
  require(bool(lengths) and min(lengths) >= 1, prefix + 'contexts', list(lengths),
          'one or more lengths in bytes, from 1 on')
  require(0 < last_part <= 0.5, prefix + 'last_part', last_part,
          'a fraction above 0, at most 0.5: what is before is the context')


def make_plan(
    documents: Sequence[bytes], *, lengths: Sequence[int] = LENGTHS, last_part: float = 0.25
) -> Plan:
  """A plan for the last part (a fraction) of each document.

  Contexts that are longer than what is before the scored part, in every document, are the whole
  one, and left out. Raises ValueError for values that are not allowed and when nothing is left.
  """
  check(lengths=lengths, last_part=last_part)
  firsts = tuple(len(data) - max(1, round(last_part * len(data))) for data in documents)
  longest = max(firsts, default=0)
  shorter = tuple(sorted({length for length in lengths if length < longest}))
  if not shorter:
    raise ValueError(
        f'No document is long enough: before its last part the longest of {len(documents)} has '
        f'{longest} bytes, but the shortest context is to have {min(lengths)}. Give longer '
        'documents, or shorter contexts.')
  return Plan(tuple(documents), firsts, shorter)


class Measured(NamedTuple):
  """What one run's predictions of the scored parts are worth, and how they differ."""

  nats: np.ndarray  # [N, C] float64, sums over bytes.
  remembrance: np.ndarray  # [N, C] float64, sums of EffRem over the samples.


def measure(
    model: spectral_gpt.Model,
    params: Any,
    plan: Plan,
    *,
    batch_size: int = 8,
    chunk: int = 1024,
    dtype: DTypeLike = jnp.float32,
    on_progress: Callable[[int], None] | None = None,
) -> Measured:
  """The model's loss on the scored part of each document with each context, and EffRem.

  `params` are in `dtype`, which is also that of the state. There is one device call per `chunk`
  bytes of at most `batch_size` rows: as many as the longest document leaves work for.
  """
  windows = plan.windows()
  rows = max(1, min(batch_size, plan.work() // windows[0].size))
  nats = np.zeros((len(plan.documents), len(plan.lengths) + 1))
  probs = [np.zeros((nats.shape[1], count, vocab.SIZE), np.float32) for count in plan.samples]
  for key, start, nll, log_probs in streaming.score(
      model, params, _sequences(plan, windows), batch_size=rows, chunk=chunk, every=plan.every,
      dtype=dtype):
    window = windows[key]
    scored = nll[max(0, window.first - window.skipped - start):]
    nats[window.document, window.context] += scored.sum(dtype=np.float64)
    # Of the samples of the chunk, those that are not in the window's context.
    drawn = log_probs[max(0, plan.samples_before(window.first)
                          - plan.samples_before(window.skipped + start)):]
    at = (plan.samples_before(max(window.first, window.skipped + start))
          - plan.samples_before(plan.firsts[window.document]))
    probs[window.document][window.context, at:at + len(drawn)] = np.exp(drawn)
    if on_progress:
      on_progress(nll.size)
  return Measured(nats, np.stack([
      np.abs(each - each[-1]).sum(axis=(1, 2), dtype=np.float64) / 2 for each in probs]))


def _sequences(plan: Plan, windows: Sequence[Window]) -> Iterator[streaming.Sequence]:
  """Windows with their number as the key."""
  for number, window in enumerate(windows):
    data = plan.documents[window.document]
    before = data[window.start] if window.start else vocab.BOUNDARY
    yield streaming.Sequence(number, before, data[window.skipped:window.end], window.skipped)


def compressor_bytes(
    plan: Plan, *, on_progress: Callable[[int], None] | None = None
) -> dict[str, np.ndarray]:  # name -> [N, C] float64 bytes, NaN where it was not measured.
  """What the scored parts cost with each compressor that can be run here.

  Programs of their own take long to start: they are measured with the whole context alone.
  """
  costs = {compressor.name: np.zeros((len(plan.documents), len(plan.lengths) + 1))
           for compressor in compressors.available()}
  for window in plan.windows():
    data = plan.documents[window.document]
    context, part = data[window.start:window.first], data[window.first:window.end]
    for compressor in compressors.available():
      at = window.document, window.context
      if compressor.program and window.context < len(plan.lengths):
        costs[compressor.name][at] = np.nan
      else:
        costs[compressor.name][at] += compressors.cost(compressor, context, part)
    if on_progress:
      on_progress(window.size)
  return costs


def summarize(
    plan: Plan, runs: Sequence[Measured],  # [R]
    costs: Mapping[str, np.ndarray],  # [N, C] bytes
    *,
    train_length: int,
    trained_context: int,
) -> context_report.Report:
  """The mean over runs that differ in their seed, and what compressors pay for the same bytes."""
  bits = np.stack([run.nats for run in runs]) / np.log(2)  # [R, N, C]
  remembrance = np.mean([run.remembrance for run in runs], axis=0)  # [N, C]
  scored = plan.scored
  total = int(scored.sum())
  longest = max(plan.firsts)
  rows = []
  for index, length in enumerate((*plan.lengths, longest)):
    # Per document: bytes, bits with the shortest context, bits with this one.
    sums = np.stack([scored, *bits.mean(axis=0)[:, [0, index]].T], axis=1)  # [N, 3]
    of_runs = bits.sum(axis=1) / total  # [R, C]
    several = len(runs) > 1
    rows.append(context_report.Row(
        context=length, whole=index == len(plan.lengths),
        bits_per_byte=bootstrap.estimate(sums, lambda sums: sums[..., 2] / sums[..., 0]),
        gain=bootstrap.estimate(sums, lambda sums: (sums[..., 1] - sums[..., 2]) / sums[..., 0]),
        over_runs=bootstrap.over_runs(of_runs[:, index]) if several else None,
        gain_over_runs=(
            bootstrap.over_runs(of_runs[:, 0] - of_runs[:, index]) if several else None),
        remembrance=bootstrap.estimate(
            np.stack([plan.samples, remembrance[:, index]], axis=1),
            lambda sums: sums[..., 1] / np.maximum(1, sums[..., 0])),
        compressors={name: None if np.isnan(cost := table[:, index].sum()) else 8 * cost / total
                     for name, table in costs.items()},
    ))
  return context_report.Report(
      train_length=train_length, trained_context=trained_context, documents=len(plan.documents),
      bytes=total, longest=max(map(len, plan.documents)), runs=len(runs), rows=tuple(rows),
      missing=tuple(compressors.missing()))
