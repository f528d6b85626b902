"""Continuous batching: texts of any length are generated together, and come and go on their own.

Each text is what it would be alone. A row that becomes free is taken by the next request while the
others go on: its prompt is prefilled by itself, a chunk between two steps of the others, and the
context joins the batch at its clock.

Shapes: V the 260 ids of the vocabulary.
"""

import collections
import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import loop, prefill, sampling
from haiku_spectral.decoding.generation import Request
from haiku_spectral.decoding.one_by_one import ONE_BY_ONE
from haiku_spectral.decoding.row import Row
from haiku_spectral.requirement import require


@dataclasses.dataclass
class _Entry:
  """A request, and how far it has come."""

  ticket: int
  row: Row
  key: jax.Array  # Of its row.
  config: sampling.SamplingConfig
  ids: np.ndarray  # [N] int32: those of the prompt that are not in the context yet.
  context: context_lib.Context | None  # None: before the start of a document.
  logits: bool  # Whether `on_logits` is called.


class Callbacks(NamedTuple):
  """Who is told what, in this order; the first argument is always the ticket."""

  on_prefill: Callable[[int, np.ndarray], None] = lambda ticket, log_probs: None  # Of its ids.
  # Of the ids that a step has chosen: [n, V], and the row that took them.
  on_logits: Callable[[int, Row, jax.Array], None] = lambda ticket, row, logits: None
  on_bytes: Callable[[int, Row, bytes], None] = lambda ticket, row, data: None
  # The text is complete or was cancelled. The context is that behind the prompt; None: the prompt
  # was not prefilled to its end.
  on_end: Callable[[int, Row, context_lib.Context | None], None] = lambda ticket, row, prompt: None


class Scheduler:
  """Generates the texts of requests in the rows of one batch, first come, first served."""

  def __init__(
      self,
      decoder: decoder_lib.Decoder,
      config: sampling.SamplingConfig,
      *,
      rows: int,
      callbacks: Callbacks | None = None,
  ) -> None:
    """Without `callbacks` the texts are kept in `results`."""
    require(rows >= 1, 'rows', rows, '1 or more')
    self.results: dict[int, bytes] = {}  # By ticket.
    self._config = config
    self._callbacks = callbacks or Callbacks(on_end=self._keep)
    self._numbers = itertools.count()
    self._waiting: collections.deque[_Entry] = collections.deque()
    self._entries: list[_Entry | None] = [None] * rows  # Whose text a row is.
    empty = context_lib.empty(decoder.model, rows, decoder.dtype)
    shared = dataclasses.replace(config, temperature=1.0, top_p=1.0, min_p=0.0)
    self._batch = loop.Batch(
        decoder, decoder.to_cache(empty), [None] * rows, loop.row_keys(jax.random.key(0), rows),
        shared, ONE_BY_ONE, rules=sampling.row_rules([config] * rows))

  def submit(
      self, request: Request, prompt: bytes | np.ndarray = b'',
      context: context_lib.Context | None = None,
      config: sampling.SamplingConfig | None = None, *, row: int = 0, logits: bool = False,
      first: bool = False,
  ) -> int:
    """Queues a request; returns its ticket.

    The prompt, bytes or ids [N], follows the context, of one row, or begins a new document.
    Temperature, top_p and min_p of `config` are for this text alone; the other rules are those of
    all texts. The text is that of `row` in a batch with the request's key. With `first` it is the
    next to be let in; a text of no bytes needs no free row, it only makes a context.
    """
    text = Row(request.num_bytes, request.stops, may_end=self._config.end_of_document)
    ids = vocab.encode(prompt) if isinstance(prompt, bytes) else prompt
    entry = _Entry(next(self._numbers), text, jax.random.fold_in(request.key, row),
                   config or self._config, ids, context, logits)
    if first:
      self._waiting.appendleft(entry)
    else:
      self._waiting.append(entry)
    return entry.ticket

  def cancel(self, ticket: int) -> None:
    """Ends a text where it is; its row is free for the next one."""
    for waiting in [each for each in self._waiting if each.ticket == ticket]:
      self._waiting.remove(waiting)
      waiting.row.close()
      self._callbacks.on_end(ticket, waiting.row, None)
    for number, entry in enumerate(self._entries):
      if entry and entry.ticket == ticket:
        if data := entry.row.close():
          self._callbacks.on_bytes(ticket, entry.row, data)
        self._leave(number, entry)

  @property
  def waiting(self) -> int:
    """Requests that have no row yet."""
    return len(self._waiting)

  @property
  def idle(self) -> bool:
    """Whether nothing is left to do."""
    return not self._waiting and not any(self._entries)

  def step(self) -> None:
    """Lets waiting requests in, then generates a few bytes in each row."""
    batch = self._batch
    batch.cache = batch.decoder.reserve(batch.cache)
    self._admit()
    if not batch.ended:
      self._generate()
    for number, entry in enumerate(self._entries):
      if entry and entry.row.ended:
        self._leave(number, entry)

  def run(self) -> dict[int, bytes]:
    """Steps until nothing is left to do; returns the texts by ticket."""
    while not self.idle:
      self.step()
    return self.results

  @functools.cached_property
  def _start(self) -> context_lib.Context:
    """The context at the start of a document."""
    decoder = self._batch.decoder
    return prefill.begin(decoder.model, decoder.params, dtype=decoder.dtype)

  def _admit(self) -> None:
    """Prefills about one chunk in all, so that a long prompt does not keep the rows waiting."""
    budget = prefill.CHUNK
    while self._waiting and budget > 0:
      first = self._waiting[0]
      if None not in self._entries and not first.row.ended:
        return
      budget -= self._prefill(first)
      if not first.ids.size:
        self._waiting.popleft()
        self._join(first)

  def _prefill(self, entry: _Entry) -> int:
    """Brings an entry a chunk further; returns the number of ids."""
    decoder = self._batch.decoder
    ids, entry.ids = np.split(entry.ids, [prefill.CHUNK])
    entry.context, log_probs = prefill.score(
        decoder.model, decoder.params, entry.context or self._start, ids)
    if ids.size:
      self._callbacks.on_prefill(entry.ticket, log_probs)
    return ids.size

  def _join(self, entry: _Entry) -> None:
    """Puts a context into a free row; a text of no bytes ends at once."""
    batch, decoder = self._batch, self._batch.decoder
    if entry.row.ended:
      self._callbacks.on_end(entry.ticket, entry.row, entry.context)
      return
    number = self._entries.index(None)
    assert entry.context is not None  # It was prefilled.
    joining = decoder.to_cache(entry.context, batch.cache.clock + batch.cache.filled)
    batch.cache = decoder.insert(batch.cache, joining, number)
    batch.keys = batch.keys.at[number].set(entry.key)
    batch.rows[number], self._entries[number] = entry.row, entry
    self._set_rules()

  def _generate(self) -> None:
    """One device call."""
    batch = self._batch
    before = batch.cache.filled
    shown = batch.step()
    for number, entry in enumerate(self._entries):
      if entry and entry.logits:
        logits = batch.cache.block.logits[number, before:batch.cache.filled]
        self._callbacks.on_logits(entry.ticket, entry.row, logits)
    for number, data in shown:
      if entry := self._entries[number]:
        self._callbacks.on_bytes(entry.ticket, entry.row, data)

  def _leave(self, number: int, entry: _Entry) -> None:
    """Frees a row."""
    self._entries[number] = self._batch.rows[number] = None
    self._set_rules()
    self._callbacks.on_end(entry.ticket, entry.row, entry.context)

  def _set_rules(self) -> None:
    self._batch.rules = sampling.row_rules(
        [entry.config if entry else self._config for entry in self._entries])

  def _keep(self, ticket: int, row: Row, prompt: context_lib.Context | None) -> None:
    del prompt
    self.results[ticket] = bytes(row.text)
