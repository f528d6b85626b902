"""The loop that writes: several bytes for each device call, checks between calls on the host.

Row r's choice at position n uses the key fold_in(fold_in(key, r), n), n counting from the start of
the document. So the bytes do not depend on how the loop is cut into calls, nor on whether the
context was saved and restored in between.

Shapes: B rows, S bytes at most in one device call.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.config import ModelConfig
from haiku_spectral.decoding import candidates, prefill, sampling, stopping
from haiku_spectral.decoding import constraint as constraint_lib
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib

STEPS = 16


class Generation(NamedTuple):
  """What was written."""

  texts: list[bytes]  # One for each row, without the stop string.
  context: context_lib.Context  # One row: all of its text read, and nothing that was not shown.
  log_probs: list[np.ndarray]  # For each byte of each text, in nats: the model's own, untempered.


class Written(NamedTuple):
  """What one device call chose."""

  ids: jax.Array  # [B, S] int32: PAD beyond the limit.
  log_probs: jax.Array  # [B, S] float32: nats.
  finite: jax.Array  # [] bool: whether all logits are.
  places: jax.Array  # [B] int32: where each row is in the constraint.


def row_keys(key: jax.Array, count: int) -> jax.Array:  # [B] keys
  """A key for each row."""
  return jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(count))


def write(
    decoder: decoder_lib.Decoder,
    running: decoder_lib.Cache,
    config: sampling.SamplingConfig,
    keys: jax.Array,  # [B]
    limit: int,
    *,
    steps: int = STEPS,
    constraint: tuple[constraint_lib.Automaton, jax.Array, jax.Array] | None = None,
) -> tuple[decoder_lib.Cache, Written]:
  """Chooses and reads up to `limit` ids in each row, fewer at a block's end: see `filled`.

  `constraint` is an automaton, the place of each row in it [B], and the bytes that each row may
  still write [B]. One program for any limit up to `steps`.
  """
  running = decoder.reserve(running)
  limit = min(limit, steps, decoder_lib.BLOCK - running.filled)
  block, written = _write(
      decoder.config, config, steps, decoder.decode_params, running.block, running.filled, keys,
      limit, constraint)
  return running._replace(block=block, filled=running.filled + limit), written


@decoder_lib.jit(static_argnums=(0, 1, 2), donate_argnums=4)
def _write(
    model: ModelConfig,
    config: sampling.SamplingConfig,
    steps: int,
    params: Any,
    block: decoder_lib.Block,
    filled: jax.Array | int,  # [] int32
    keys: jax.Array,  # [B]
    limit: jax.Array | int,  # [] int32, at most `steps`
    constraint: tuple | None,
) -> tuple[decoder_lib.Block, Written]:
  batch_size = keys.shape[0]
  automaton, places, left = constraint or (None, jnp.zeros(batch_size, jnp.int32), None)

  def step(carry: tuple) -> tuple:
    count, block, ids, log_probs, places = carry
    at = filled + count
    logits = jax.lax.dynamic_index_in_dim(block.logits, at, axis=1, keepdims=False)
    row_keys = jax.vmap(jax.random.fold_in)(keys, block.position + at)
    allowed, rules = logits, config
    if automaton:
      allowed = constraint_lib.mask(
          automaton, places, logits, left - count, end_of_document=config.end_of_document)
      # Where no byte is possible the constraint ends the text, whatever the rules say.
      rules = dataclasses.replace(config, end_of_document=True)
    chosen = sampling.choose(row_keys, allowed, decoder_lib.recent(block, at), rules)
    if automaton:
      places = constraint_lib.advance(automaton, places, chosen)
    log_prob = jnp.take_along_axis(candidates.log_probs(logits), chosen[:, None], axis=1)
    block = decoder_lib.step(model, params, block, chosen[:, None], at)
    ids = jax.lax.dynamic_update_slice(ids, chosen[:, None], (0, count))
    log_probs = jax.lax.dynamic_update_slice(log_probs, log_prob, (0, count))
    return count + 1, block, ids, log_probs, places

  ids = jnp.full((batch_size, steps), vocab.PAD, jnp.int32)
  carry = jnp.zeros((), jnp.int32), block, ids, jnp.zeros(ids.shape), places
  _, block, ids, log_probs, places = jax.lax.while_loop(
      lambda carry: carry[0] < limit, step, carry)
  logits = jax.lax.dynamic_index_in_dim(block.logits, filled + limit, axis=1)
  return block, Written(ids, log_probs, jnp.all(jnp.isfinite(logits)), places)


class Row:
  """The text of one row as it grows, until it ends."""

  def __init__(self, stops: Sequence[bytes], num_bytes: int, *, may_end: bool = True) -> None:
    self._matcher = stopping.StopMatcher(stops)
    self._may_end = may_end
    self.left = num_bytes  # Bytes that it may still read.
    self.text = bytearray()
    self.log_probs: list[float] = []
    self.ended = num_bytes == 0
    self.document_ended = False  # The model drew the boundary behind the text, and read it.

  def feed(self, ids: np.ndarray, log_probs: np.ndarray) -> bytes:  # [n], [n]
    """Takes what was chosen; returns the bytes that can be shown now."""
    if self.ended:
      return b''
    ids = ids[:self.left]
    self.left -= len(ids)
    self.log_probs.extend(log_probs[:len(ids)].tolist())
    ends = np.flatnonzero(ids == vocab.BOUNDARY)
    shown = self._matcher.feed(vocab.decode(ids[:ends[0]] if ends.size else ids))
    self.text += shown
    self.ended = self._matcher.matched is not None
    if self.ended or not (ends.size or self.left == 0):
      return shown
    # A boundary that only the constraint has forced does not begin a new document.
    self.document_ended = bool(ends.size) and self._may_end
    return shown + self.close()

  def close(self) -> bytes:
    """Ends the row; returns what was held back."""
    self.ended = True
    held = self._matcher.close()
    self.text += held
    return held

  @property
  def read(self) -> int:
    """Ids behind the prompt that belong to the row: its bytes, and the boundary at its end."""
    return len(self.text) + self.document_ended


def generate(
    decoder: decoder_lib.Decoder,
    context: context_lib.Context,
    *,
    num_bytes: int,
    config: sampling.SamplingConfig,
    key: jax.Array,
    stops: Sequence[bytes] = (),
    constraint: constraint_lib.Automaton | None = None,
    place: int = 0,
    steps: int = STEPS,
    on_bytes: Callable[[int, bytes], None] = lambda row, data: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generation:
  """Writes up to `num_bytes` bytes in each row, or up to a stop string or the document's end.

  `on_bytes` gets (row, bytes) as they come: the bytes of a row in order, none that could be part of
  a stop string. `should_stop` is asked after every `steps` bytes. The same key gives the same
  bytes whatever `steps` is. What is written follows the `constraint`, from `place` on. With several
  rows, those that ended early have read on in the context that is returned.

  Raises ValueError when the model's logits are not finite, or for values that are not allowed.
  """
  if num_bytes < 0:
    raise ValueError(f'num_bytes={num_bytes} is not allowed: give 0 or more.')
  count = context.logits.shape[0]
  rows = [Row(stops, num_bytes, may_end=config.end_of_document) for _ in range(count)]
  keys, places = row_keys(key, count), jnp.full(count, place, jnp.int32)
  kept = Kept(0, context)
  running = decoder.to_cache(context)
  done = 0
  while not all(row.ended for row in rows) and not should_stop():
    if running.filled == decoder_lib.BLOCK and len(rows) == 1:
      kept = kept.renew(decoder, running, done, rows[0])
    left = jnp.full(count, num_bytes - done)
    running, written = write(
        decoder, running, config, keys, num_bytes - done, steps=steps,
        constraint=(constraint, places, left) if constraint else None)
    size = running.clock + running.filled - done
    done, places = done + size, written.places
    check_finite(written.finite, done)
    ids, log_probs = np.asarray(written.ids), np.asarray(written.log_probs)
    for number, row in enumerate(rows):
      if shown := row.feed(ids[number, :size], log_probs[number, :size]):
        on_bytes(number, shown)
  for number, row in enumerate(rows):
    if shown := row.close():
      on_bytes(number, shown)
  context = (decoder.from_cache(running) if len(rows) > 1
             else kept.after(decoder, running, done, rows[0]))
  texts = [bytes(row.text) for row in rows]
  scores = [np.array(row.log_probs[:len(row.text)]) for row in rows]
  return Generation(texts, context, scores)


class Kept(NamedTuple):
  """The context of one row at a place that what was shown has reached: from there it can be read
  again. Only needed where a stop string, or what might become one, goes over a block's start."""

  read: int  # Ids behind the prompt.
  context: context_lib.Context

  def renew(
      self, decoder: decoder_lib.Decoder, running: decoder_lib.Cache, done: int, row: Row
  ) -> 'Kept':
    """Called before the block, which is full, is folded."""
    if row.read < done - running.filled:
      return self
    if row.read == done:  # The block's start can be sought.
      return self
    return Kept(row.read, self.after(decoder, running, done, row))

  def after(
      self, decoder: decoder_lib.Decoder, running: decoder_lib.Cache, done: int, row: Row
  ) -> context_lib.Context:
    """The context after exactly what the row has: nothing that was not shown.

    With the boundary read, whoever goes on begins a new document; before it, the same key would
    draw it again and end at once.
    """
    start = done - running.filled
    if row.read >= start:
      return decoder.from_cache(decoder.roll_back(running, row.read - start))
    ids = vocab.encode(bytes(row.text))[np.newaxis, self.read:row.read]
    return prefill.read(decoder.model, decoder.params, self.context, ids)


def check_finite(finite: bool | jax.Array, count: int) -> None:
  """Raises ValueError when the model has failed."""
  if not finite:
    raise ValueError(
        f'The model gave logits that are not finite after {count} bytes: its training diverged, or '
        'the precision is too low. Try an earlier checkpoint or --precision=float32.')
