"""Continuous batching: texts of any length are generated together, and come and go on their own.

Each text is what it would be alone. A row that becomes free is taken by the next request while the
others go on: its prompt is prefilled by itself, and the context joins the batch at its clock.
"""

import collections
import itertools
from collections.abc import Callable
from typing import NamedTuple

import jax

from haiku_spectral import vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import loop, prefill, sampling
from haiku_spectral.decoding.generation import Request
from haiku_spectral.decoding.one_by_one import ONE_BY_ONE
from haiku_spectral.decoding.row import Row


class _Waiting(NamedTuple):
  """A request that is not in the batch yet."""

  ticket: int
  row: Row
  key: jax.Array
  prompt: bytes
  context: context_lib.Context | None


class Scheduler:
  """Generates the texts of requests in the rows of one batch, first come, first served."""

  def __init__(
      self,
      decoder: decoder_lib.Decoder,
      config: sampling.SamplingConfig,
      *,
      rows: int,
      decode: loop.Decode = ONE_BY_ONE,
      on_bytes: Callable[[int, bytes], None] = lambda ticket, data: None,
  ) -> None:
    if rows < 1:
      raise ValueError(f'rows={rows} is not allowed: give 1 or more.')
    self._on_bytes = on_bytes
    self._numbers = itertools.count()
    self._waiting: collections.deque[_Waiting] = collections.deque()
    self._tickets = [-1] * rows  # Whose text a row is.
    empty = context_lib.empty(decoder.model, rows, decoder.dtype)
    self._batch = loop.Batch(
        decoder, decoder.to_cache(empty), [None] * rows, loop.row_keys(jax.random.key(0), rows),
        config, decode)
    self.results: dict[int, bytes] = {}  # By ticket.

  def submit(
      self, request: Request, prompt: bytes = b'', context: context_lib.Context | None = None
  ) -> int:
    """Queues a request; returns its ticket.

    The prompt follows the context, of one row, or begins a new document.
    """
    row = Row(request.num_bytes, request.stops, may_end=self._batch.config.end_of_document)
    ticket = next(self._numbers)
    self._waiting.append(_Waiting(ticket, row, request.key, prompt, context))
    return ticket

  @property
  def idle(self) -> bool:
    """Whether nothing is left to do."""
    return not self._waiting and not any(self._batch.rows)

  def step(self) -> None:
    """Lets waiting requests in, then generates a few bytes in each row."""
    batch = self._batch
    batch.cache = batch.decoder.reserve(batch.cache)
    for number, row in enumerate(batch.rows):
      if row is None and self._waiting:
        self._admit(number, self._waiting.popleft())
    if not batch.ended:
      for number, data in batch.step():
        self._on_bytes(self._tickets[number], data)
    for number, row in enumerate(batch.rows):
      if row and row.ended:
        self.results[self._tickets[number]] = bytes(row.text)
        batch.rows[number] = None

  def run(self) -> dict[int, bytes]:
    """Steps until nothing is left to do; returns the texts by ticket."""
    while not self.idle:
      self.step()
    return self.results

  def _admit(self, number: int, waiting: _Waiting) -> None:
    """Prefills a prompt and puts its context into a row."""
    batch, decoder = self._batch, self._batch.decoder
    start = waiting.context or prefill.begin(decoder.model, decoder.params, dtype=decoder.dtype)
    context = prefill.extend(
        decoder.model, decoder.params, start, vocab.encode(waiting.prompt)[None])
    joining = decoder.to_cache(context, batch.cache.clock + batch.cache.filled)
    batch.cache = decoder.insert(batch.cache, joining, number)
    batch.keys = batch.keys.at[number].set(jax.random.fold_in(waiting.key, 0))
    batch.rows[number], self._tickets[number] = waiting.row, waiting.ticket
