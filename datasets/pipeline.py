"""Batches as a pure function of the step: `batches(...)[k]` needs nothing of the batches before.

Shapes: B rows on this host, T segment (bytes), H history (bytes).

A global batch has two kinds of rows. Rows 0 .. stateful_rows - 1 are stateful (truncated
back-propagation through time): each reads a sequence of chunks of segments, all over the mixture,
and every chunk from its beginning to its end, so that the state may be carried from step to step.
The state of such a row is reset where a chunk begins, and in every segment in which a document
begins; rows come to their chunks' ends at different steps. What stands before a chunk, up to
`history` bytes, comes with its first batch. The other rows are stateless: a window each.
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
  reset: np.ndarray  # [B] bool: does not continue the row of the batch before: reset its state.
  sources: np.ndarray  # [B] int32 index into the mixture's names.
  stream_start: np.ndarray  # [B, T] bool: a document begins with this input.
  # The ids before the inputs of stateful rows where they are reset, padded with PAD on the left;
  # all PAD elsewhere. None unless the config's `history` is above 0.
  history: np.ndarray | None = None  # [B, H] int32
  history_start: np.ndarray | None = None  # [B, H] bool: a stream begins with this id.


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


class _Row(NamedTuple):
  """One row of a batch."""

  ids: np.ndarray  # [T + 1] int32
  reset: bool
  source: int
  history: np.ndarray | None = None  # [H] int32; None: all PAD.


class Batches:
  """The batches of one host, without end. Use `batches` to make it."""

  def __init__(
      self, data_config: config.DataConfig, records: Sequence[windows.Records],
      weights: Sequence[float], *, segment: int, offset: int, seed: Sequence[int], host: int,
      hosts: int,
  ) -> None:
    self._config, self._segment, self._offset = data_config, segment, offset
    self._rows = _host_rows(data_config.batch_size, host, hosts)
    self._chunk = data_config.segment * data_config.chunk_segments  # Bytes.
    self._windows = [windows.Windows(source, segment) for source in records]
    self._chunks = [windows.Windows(source, self._chunk) for source in records]
    self._window_order = mixture.mix([len(w) for w in self._windows], weights, seed=(*seed, 0))
    self._chunk_order = mixture.mix([len(w) for w in self._chunks], weights, seed=(*seed, 1))

  def __len__(self) -> int:
    """Without end: the largest length that Python knows."""
    return sys.maxsize

  def __getitem__(self, step: int) -> Batch:
    """The rows of this host at a step."""
    if step < 0:
      raise IndexError(f'steps are counted from 0, got {step}.')
    return _stack([self._stateful_row(step, row) if row < self._config.stateful_rows
                   else self._stateless_row(step, row) for row in self._rows], self._config.history)

  def _stateless_row(self, step: int, row: int) -> _Row:
    stateful = self._config.stateful_rows
    number = step * (self._config.batch_size - stateful) + row - stateful
    source, window = self._window_order[number]
    return _Row(self._windows[source].ids(window, 0, self._segment), True, source)

  def _stateful_row(self, step: int, row: int) -> _Row:
    stateful, chunk = self._config.stateful_rows, self._chunk
    # Rows start evenly spread over a chunk, the first one the farthest, so that chunks begin in the
    # order in which they are numbered: then the mixture's shares are kept at every step.
    ahead = (stateful - 1 - row) * self._config.chunk_segments // stateful * self._config.segment
    number, start = divmod(self._offset + step * self._segment + ahead, chunk)
    source, index = self._chunk_order[number * stateful + row]
    # The chunk at the end of a split may be short: it is read again rather than its padding.
    readable = self._chunks[source].count_slices(index, self._segment) * self._segment
    ids = self._chunks[source].ids(index, start % readable, self._segment)
    # A chunk that begins, begins again, or may not go on where it was with segments of this length.
    reset = start % readable == 0 or (step == 0 and (not self._offset or readable < chunk))
    history = None
    if reset and self._config.history:
      history = self._chunks[source].before(index, start % readable, self._config.history)
    return _Row(ids, reset, source, history)


class EvaluationBatches:
  """A fixed list of windows of a held-out split, all stateless. Use `evaluation_batches`."""

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

  def _row(self, number: int) -> _Row:
    segment = self._config.segment
    if number >= len(self._chosen):  # Rows that fill the last batch: nothing in them is scored.
      return _Row(np.full(segment + 1, vocab.PAD, np.int32), True, 0)
    source, window = self._chosen[number]
    return _Row(self._windows[source].ids(window, 0, segment), True, source)


def _host_rows(batch_size: int, host: int, hosts: int) -> range:
  if hosts < 1 or batch_size % hosts or not 0 <= host < hosts:
    raise ValueError(
        f'a batch of {batch_size} rows cannot be shared by {hosts} hosts (host {host}): give a '
        'config.data.batch_size that is a multiple of the number of hosts.')
  share = batch_size // hosts
  return range(host * share, (host + 1) * share)


def _stack(rows: Sequence[_Row], history: int = 0) -> Batch:
  ids = np.stack([row.ids for row in rows])  # [B, T + 1]
  inputs = ids[:, :-1].copy()
  before = None
  if history:
    before = np.full((len(rows), history), vocab.PAD, np.int32)
    for place, row in zip(before, rows, strict=True):
      place[:] = vocab.PAD if row.history is None else row.history
  return Batch(
      inputs=inputs,
      targets=ids[:, 1:].copy(),
      reset=np.array([row.reset for row in rows]),
      sources=np.array([row.source for row in rows], np.int32),
      stream_start=inputs == vocab.BOUNDARY,
      history=before,
      history_start=None if before is None else _stream_start(before),
  )


def _stream_start(history: np.ndarray) -> np.ndarray:  # [B, H] -> [B, H] bool
  """Where a stream begins: with a document, or with the first id behind the padding."""
  padded = np.pad(history == vocab.PAD, [(0, 0), (1, 0)])[:, :-1]
  return (history == vocab.BOUNDARY) | (padded & (history != vocab.PAD))


def _open(
    data_config: config.DataConfig, data_dir: str, split: str
) -> tuple[list[windows.Records], list[float]]:
  shares = config.parse_mixture(data_config.mixture)
  records = [windows.Records(name, data_dir=data_dir, split=split) for name in shares]
  return records, list(shares.values())


def batches(
    data_config: config.DataConfig, *, data_dir: str, split: str = 'train', seed: Sequence[int],
    host: int = 0, hosts: int = 1, segment: int | None = None, offset: int = 0,
) -> Batches:
  """The batches of a stage of training: [k] is what this host reads at its step k.

  Every window is read once before any is read again. Host h reads rows h B/H to (h + 1) B/H - 1 of
  the same global batch, whatever the number H of hosts. `segment` may be shorter than the config's,
  which then still says how long a chunk is. Rows go on where they are after `offset` bytes.
  """
  records, weights = _open(data_config, data_dir, split)
  return Batches(data_config, records, weights, segment=segment or data_config.segment,
                 offset=offset, seed=seed, host=host, hosts=hosts)


def evaluation_batches(
    data_config: config.DataConfig, *, data_dir: str, split: str = 'validation',
    limit: int | None = None, host: int = 0, hosts: int = 1,
) -> EvaluationBatches:
  """At most `limit` batches (None: the whole split) of stateless windows, the same ones each time.

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
