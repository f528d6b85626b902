"""Continuous batching: texts of any length are written together, and come and go on their own.

Each text is what it would be alone. A place that becomes free is taken by the next request while
the others go on: its prompt is read by itself, and the context joins the batch at its clock.
"""

import collections
import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import generate, prefill, sampling


class Request(NamedTuple):
  """A text to be written."""

  prompt: bytes
  num_bytes: int
  key: jax.Array  # As for `generate`, whose first row this would be.
  stops: Sequence[bytes] = ()
  context: context_lib.Context | None = None  # What to read the prompt behind; else a new document.


class Scheduler:
  """Writes the texts of requests in `places` rows of one batch, first come, first served."""

  def __init__(
      self,
      decoder: decoder_lib.Decoder,
      config: sampling.SamplingConfig,
      *,
      places: int,
      steps: int = generate.STEPS,
      on_bytes: Callable[[int, bytes], None] = lambda ticket, data: None,
  ) -> None:
    if places < 1:
      raise ValueError(f'places={places} is not allowed: give 1 or more.')
    self._decoder = decoder
    self._config = config
    self._steps = steps
    self._on_bytes = on_bytes
    self._tickets = itertools.count()
    self._waiting: collections.deque[tuple[int, Request]] = collections.deque()
    self._rows: list[tuple[int, generate.Row] | None] = [None] * places
    self._keys = generate.row_keys(jax.random.key(0), places)
    self._running = decoder.to_cache(context_lib.empty(decoder.model, places, decoder.dtype))
    self.results: dict[int, bytes] = {}  # By ticket.

  def submit(self, request: Request) -> int:
    """Queues a request; returns its ticket."""
    if request.num_bytes < 0:
      raise ValueError(f'num_bytes={request.num_bytes} is not allowed: give 0 or more.')
    ticket = next(self._tickets)
    self._waiting.append((ticket, request))
    return ticket

  @property
  def idle(self) -> bool:
    """Whether nothing is left to do."""
    return not self._waiting and not any(self._rows)

  def step(self) -> None:
    """Lets waiting requests in, then writes a few bytes in each row."""
    self._running = self._decoder.reserve(self._running)
    for place, row in enumerate(self._rows):
      if not row and self._waiting:
        self._admit(place, *self._waiting.popleft())
    limit = max((row.left for _, row in filter(None, self._rows)), default=0)
    before = self._running.filled
    self._running, written = generate.write(
        self._decoder, self._running, self._config, self._keys, limit, steps=self._steps)
    count = self._running.filled - before
    ids, log_probs = np.asarray(written.ids), np.asarray(written.log_probs)
    for place, held in enumerate(self._rows):
      if not held:
        continue
      ticket, text = held
      if shown := text.feed(ids[place, :count], log_probs[place, :count]):
        self._on_bytes(ticket, shown)
      if text.ended:
        self.results[ticket] = bytes(text.text)
        self._rows[place] = None

  def run(self) -> dict[int, bytes]:
    """Writes until nothing is left to do; returns the texts by ticket."""
    while not self.idle:
      self.step()
    return self.results

  def _admit(self, place: int, ticket: int, request: Request) -> None:
    """Reads a prompt and puts its context into a place."""
    row = generate.Row(request.stops, request.num_bytes, may_end=self._config.end_of_document)
    self._rows[place] = ticket, row
    decoder, running = self._decoder, self._running
    past = request.context or prefill.begin(decoder.model, decoder.params, dtype=decoder.dtype)
    context = prefill.read(
        decoder.model, decoder.params, past, vocab.encode(request.prompt)[np.newaxis])
    joining = decoder.to_cache(context, running.clock + running.filled)
    self._running = decoder.insert(running, joining, place)
    self._keys = self._keys.at[place].set(jax.random.fold_in(request.key, 0))
