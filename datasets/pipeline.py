"""Batches as a pure function of the step: `batches(...)[k]` needs nothing of the batches before.

Shapes: B rows on this host, T segment (bytes).

A global batch has two kinds of rows. Rows 0 .. carried_rows - 1 walk, each in a lane of its own: a
sequence of spans, all over the mixture, each of which is read from its beginning to its end, so
that the state may be carried from step to step. A row starts anew with every span, and in every
segment in which a document begins; rows come to their spans' ends at different steps. The other
rows are cold: a window each.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from datasets import mixture, packing, windows
from haiku_spectral import config, vocab


class Batch(NamedTuple):
  """What one host reads in one step."""

  inputs: np.ndarray  # [B, T] int32 ids
  targets: np.ndarray  # [B, T] int32 the next id of each input; PAD (not scored) if there is none.
  fresh: np.ndarray  # [B] bool: does not continue the row of the batch before: reset its state.
  sources: np.ndarray  # [B] int32 index into the mixture's names.


class Document(NamedTuple):
  """A held-out document."""

  id: int
  data: bytes


class RandomAccess(Protocol):
  """Batches by number, 0 to len - 1."""

  def __len__(self) -> int:
    """The number of batches."""
    ...

  def __getitem__(self, step: int) -> Batch:
    """The batch of a step."""
    ...


class Batches:
  """The batches of one host, without end. Use `batches` to make it."""

  def __init__(
      self, data_config: config.DataConfig, records: Sequence[windows.Records],
      weights: Sequence[float], *, segment: int, walked: int, seed: Sequence[int], host: int,
      hosts: int,
  ) -> None:
    self._config, self._segment, self._walked = data_config, segment, walked
    self._rows = _host_rows(data_config.batch_size, host, hosts)
    self._span = data_config.segment * data_config.span  # Bytes.
    self._cold = [windows.Windows(source, segment) for source in records]
    self._spans = [windows.Windows(source, self._span) for source in records]
    self._cold_order = mixture.mix([len(w) for w in self._cold], weights, seed=(*seed, 0))
    self._span_order = mixture.mix([len(w) for w in self._spans], weights, seed=(*seed, 1))

  def __len__(self) -> int:
    """Without end: the largest length that Python knows."""
    return sys.maxsize

  def __getitem__(self, step: int) -> Batch:
    """The rows of this host at a step."""
    if step < 0:
      raise IndexError(f'steps are counted from 0, got {step}.')
    return _stack([self._walking_row(step, row) if row < self._config.carried_rows
                   else self._cold_row(step, row) for row in self._rows])

  def _cold_row(self, step: int, row: int) -> tuple[np.ndarray, bool, int]:
    carried = self._config.carried_rows
    number = step * (self._config.batch_size - carried) + row - carried
    source, window = self._cold_order[number]
    return self._cold[source].ids(window, 0, self._segment), True, source

  def _walking_row(self, step: int, row: int) -> tuple[np.ndarray, bool, int]:
    carried, span = self._config.carried_rows, self._span
    # Rows start evenly spread over the span, the first one the farthest, so that spans begin in the
    # order in which they are numbered: then the mixture's shares are kept at every step.
    ahead = (carried - 1 - row) * self._config.span // carried * self._config.segment
    lane_span, start = divmod(self._walked + step * self._segment + ahead, span)
    source, window = self._span_order[lane_span * carried + row]
    # The span at the end of a split may be short: it is read again rather than its padding.
    readable = self._spans[source].parts(window, self._segment) * self._segment
    ids = self._spans[source].ids(window, start % readable, self._segment)
    # A walk that begins, begins again, or may not go on where it was with segments of this length.
    fresh = start % readable == 0 or (step == 0 and (not self._walked or readable < span))
    return ids, fresh or bool((ids[:-1] == vocab.BOUNDARY).any()), source


class EvaluationBatches:
  """A fixed list of cold windows of a held-out split. Use `evaluation_batches` to make it."""

  def __init__(
      self, data_config: config.DataConfig, records: Sequence[windows.Records],
      weights: Sequence[float], *, limit: int | None, host: int, hosts: int,
  ) -> None:
    self._config = data_config
    self._rows = _host_rows(data_config.batch_size, host, hosts)
    self._windows = [windows.Windows(source, data_config.segment) for source in records]
    self._chosen = mixture.spread(
        [len(w) for w in self._windows], weights,
        None if limit is None else limit * data_config.batch_size)

  def __len__(self) -> int:
    """The number of batches; the last one may be filled with PAD."""
    return -(-len(self._chosen) // self._config.batch_size)

  def __getitem__(self, index: int) -> Batch:
    """The rows of this host in one batch."""
    if not 0 <= index < len(self):
      raise IndexError(f'there are {len(self)} batches, got {index}.')
    first = index * self._config.batch_size
    return _stack([self._row(first + row) for row in self._rows])

  def __iter__(self) -> Iterator[Batch]:
    """All batches in order."""
    return (self[index] for index in range(len(self)))

  def _row(self, number: int) -> tuple[np.ndarray, bool, int]:
    segment = self._config.segment
    if number >= len(self._chosen):  # Rows that fill the last batch: nothing in them is scored.
      return np.full(segment + 1, vocab.PAD, np.int32), True, 0
    source, window = self._chosen[number]
    return self._windows[source].ids(window, 0, segment), True, source


def _host_rows(batch_size: int, host: int, hosts: int) -> range:
  if hosts < 1 or batch_size % hosts or not 0 <= host < hosts:
    raise ValueError(
        f'a batch of {batch_size} rows cannot be shared by {hosts} hosts (host {host}): give a '
        'config.data.batch_size that is a multiple of the number of hosts.')
  share = batch_size // hosts
  return range(host * share, (host + 1) * share)


def _stack(rows: Sequence[tuple[np.ndarray, bool, int]]) -> Batch:
  ids = np.stack([ids for ids, _, _ in rows])  # [B, T + 1]
  return Batch(
      inputs=ids[:, :-1].copy(),
      targets=ids[:, 1:].copy(),
      fresh=np.array([fresh for _, fresh, _ in rows]),
      sources=np.array([source for _, _, source in rows], np.int32),
  )


def _open(
    data_config: config.DataConfig, data_dir: str, split: str
) -> tuple[list[windows.Records], list[float]]:
  shares = config.parse_mixture(data_config.mixture)
  records = [windows.Records(name, data_dir=data_dir, split=split) for name in shares]
  return records, list(shares.values())


def batches(
    data_config: config.DataConfig, *, data_dir: str, split: str = 'train', seed: Sequence[int],
    host: int = 0, hosts: int = 1, segment: int | None = None, walked: int = 0,
) -> Batches:
  """The batches of a stage of training: [k] is what this host reads at its step k.

  Every window is read once before any is read again. Host h reads rows h B/H to (h + 1) B/H - 1 of
  the same global batch, whatever the number H of hosts. `segment` may be shorter than the config's,
  which then still says how long a span is. Rows go on where they are after `walked` bytes.
  """
  records, weights = _open(data_config, data_dir, split)
  return Batches(data_config, records, weights, segment=segment or data_config.segment,
                 walked=walked, seed=seed, host=host, hosts=hosts)


def evaluation_batches(
    data_config: config.DataConfig, *, data_dir: str, split: str = 'validation',
    limit: int | None = None, host: int = 0, hosts: int = 1,
) -> EvaluationBatches:
  """At most `limit` batches (None: the whole split) of cold windows, the same ones each time.

  With a limit, sources share the rows by weight. The last batch may be filled with rows of PAD.
  """
  records, weights = _open(data_config, data_dir, split)
  return EvaluationBatches(data_config, records, weights, limit=limit, host=host, hosts=hosts)


def documents(
    name: str, *, data_dir: str, split: str, limit: int | None = None
) -> Iterator[Document]:
  """The documents of a split in the order of the stream; of each at most `limit` bytes."""
  records = windows.Records(name, data_dir=data_dir, split=split)
  return (Document(*document) for document in packing.unpack(records.stream(), limit=limit))
