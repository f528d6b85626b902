"""Texts behind the rows of one context.

  Generation(decoder, context, Request(num_bytes, key), SamplingConfig()).run().texts

Shapes: B rows.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import jax
import numpy as np

from haiku_spectral.decoding import constraint as constraint_lib
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import loop, prefill, sampling
from haiku_spectral.decoding.automaton import Automaton
from haiku_spectral.decoding.one_by_one import ONE_BY_ONE
from haiku_spectral.decoding.row import Row


class Request(NamedTuple):
  """What is to be generated."""

  num_bytes: int  # At most.
  key: jax.Array  # PRNG key; row r of a batch has fold_in(key, r).
  stops: Sequence[bytes] = ()  # The text ends before the first of these.


class Generation:
  """A text for each row of a context: up to so many bytes, a stop string or the document's end.

  The same key gives the same texts, however the loop is cut into calls. With a constraint, a text
  follows it. Raises ValueError for values that are not allowed.
  """

  def __init__(
      self, decoder: decoder_lib.Decoder, context: context_lib.Context, request: Request,
      config: sampling.SamplingConfig, *, constraint: Automaton | None = None,
      decode: loop.Decode = ONE_BY_ONE,
  ) -> None:
    count = context.logits.shape[0]
    self._start = context
    self.rows = [Row(request.num_bytes, request.stops, may_end=config.end_of_document)
                 for _ in range(count)]
    states = constraint_lib.start_states(constraint, context.recent) if constraint else None
    self._batch = loop.Batch(
        decoder, decoder.to_cache(context), self.rows, loop.row_keys(request.key, count), config,
        decode, constraint=constraint, states=states)

  def run(
      self, on_bytes: Callable[[int, bytes], None] = lambda row, data: None,
      should_stop: Callable[[], bool] = lambda: False,
  ) -> Self:
    """See `loop.Batch.run`."""
    self._batch.run(on_bytes, should_stop)
    return self

  @property
  def texts(self) -> list[bytes]:
    """One for each row, without the stop string."""
    return [bytes(row.text) for row in self.rows]

  @property
  def log_probs(self) -> list[np.ndarray]:
    """For each byte of each text, in nats: the model's own, untempered."""
    return [np.array(row.log_probs[:len(row.text)]) for row in self.rows]

  def context(self, number: int = 0) -> context_lib.Context:
    """The context (of one row) after exactly the text of a row: nothing that was not shown.

    The boundary at the end of a document is in it, too: what comes next begins a new one; before
    the boundary, the same key would draw it again and end at once.
    """
    row, batch = self.rows[number], self._batch
    decoder, cache = batch.decoder, batch.cache
    if len(self.rows) == 1 and row.num_ids >= cache.clock:
      return decoder.from_cache(decoder.roll_back(cache, row.num_ids - cache.clock))
    # Another row went on, or what might have become a stop string began in the block before.
    start = context_lib.row(self._start, number)
    return prefill.extend(decoder.model, decoder.params, start, row.ids[np.newaxis])
