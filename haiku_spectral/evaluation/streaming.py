"""Negative log-likelihood of sequences of any length, in chunks, with memory that does not grow.

The rows of a device call are streams. Each stream takes one sequence, chunk after chunk, with the
state carried; when its sequence ends, its state is reset and the next one takes its place. Every
call has the one shape [B, T]: one compilation, whatever the lengths are.

Shapes: B streams, T chunk, N bytes of a sequence, S samples, V ids.
"""

import functools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.modules import spectral_gpt


class Sequence(NamedTuple):
  """What a stream takes from the initial state: the id `first`, then `data` but its last byte."""

  key: Any  # Whatever tells its scores from others'.
  first: int  # The id before data[0]: a byte, or vocab.BOUNDARY at a document's start.
  data: bytes  # [N] What is predicted.
  place: int = 0  # Position of data[0] in its document.


class Scores(NamedTuple):
  """The loss on some consecutive bytes of a sequence."""

  key: Any
  start: int  # Index in the sequence's data of the first byte scored.
  nll: np.ndarray  # [n <= T] float32 nats, of data[start : start + n].
  samples: np.ndarray  # [S, V] float32 log-probabilities, at every so many bytes of the document.


class _Stream:
  """The place of one sequence in the batch."""

  def __init__(self) -> None:
    self.sequence: Sequence | None = None
    self.start = 0

  def refill(self, source: Iterator[Sequence]) -> None:
    """Takes the next sequence that is not empty when this one has ended."""
    while self.sequence is None or self.start >= len(self.sequence.data):
      self.sequence = next(source, None)
      self.start = 0
      if self.sequence is None:
        return


class _Chunk(NamedTuple):
  """One device call's worth of all streams; PAD where one has nothing left."""

  inputs: np.ndarray  # [B, T] int32
  targets: np.ndarray  # [B, T] int32
  reset: np.ndarray  # [B] bool: the stream starts a sequence.
  sampled: np.ndarray  # [B, S] int32 indices in the chunk.
  parts: list[tuple[int, Any, int, int, int]]  # (row, key, start, bytes, samples): what is scored.


def _gather(streams: list[_Stream], chunk: int, every: int) -> _Chunk:
  """Cuts the next `chunk` bytes off every stream."""
  inputs = np.full((len(streams), chunk), vocab.PAD, np.int32)
  targets = inputs.copy()
  reset = np.zeros(len(streams), bool)
  sampled = np.zeros((len(streams), -(-chunk // every) if every else 0), np.int32)
  parts = []
  for row, stream in enumerate(streams):
    if stream.sequence is None:
      continue
    key, first, data, place = stream.sequence
    ids = vocab.encode(data[stream.start:stream.start + chunk])
    targets[row, :ids.size] = ids
    inputs[row, 1:ids.size] = ids[:-1]
    inputs[row, 0] = data[stream.start - 1] if stream.start else first
    reset[row] = stream.start == 0
    at = np.arange(-(place + stream.start) % every, ids.size, every) if every else sampled[row]
    sampled[row, :at.size] = at
    parts.append((row, key, stream.start, ids.size, at.size))
    stream.start += ids.size
  return _Chunk(inputs, targets, reset, sampled, parts)


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=3)
def _step(
    model: spectral_gpt.Model,
    dtype: DTypeLike,
    params: Any,
    state: Any,
    inputs: jax.Array,  # [B, T] int32
    targets: jax.Array,  # [B, T] int32
    reset: jax.Array,  # [B] bool
    sampled: jax.Array,  # [B, S] int32
) -> tuple[jax.Array, jax.Array, Any]:  # [B, T] nats, [B, S, V] log-probabilities, the new state.
  """Resets rows where they start, then scores the targets of the chunk."""
  # Where no row starts, nothing of the state is copied.
  state = jax.lax.cond(
      jnp.any(reset),
      lambda: spectral_gpt.reset(state, reset, model.initial_state(inputs.shape[0], dtype)),
      lambda: state)
  logits, state = model.apply(params, inputs, state)
  log_probs = jax.nn.log_softmax(logits, axis=-1)
  nll = -jnp.take_along_axis(log_probs, targets[..., None], axis=-1)[..., 0]
  return nll, jnp.take_along_axis(log_probs, sampled[..., None], axis=1), state


def score(
    model: spectral_gpt.Model,
    params: Any,
    sequences: Iterable[Sequence],
    *,
    batch_size: int,
    chunk: int,
    every: int = 0,
    dtype: DTypeLike = jnp.float32,
) -> Iterator[Scores]:
  """Yields the loss on every byte of every sequence, as it comes.

  Scores of one sequence come in order; those of different sequences are interleaved. Takes
  sequences from the iterator only when a stream is free, so that it holds `batch_size` of them.
  `dtype` is that of the parameters and of the state. `every`: positions of a document that are
  multiples of it are samples, whose whole distributions are yielded too; 0: none is.
  """
  source = iter(sequences)
  streams = [_Stream() for _ in range(batch_size)]
  state = model.initial_state(batch_size, dtype)
  waiting: tuple[jax.Array, jax.Array, _Chunk] | None = None
  while True:
    for stream in streams:
      stream.refill(source)
    cut = _gather(streams, chunk, every)
    if cut.parts:
      nll, samples, state = _step(
          model, dtype, params, state, cut.inputs, cut.targets, cut.reset, cut.sampled)
    # Fetch the results of the call before while the device works on this one.
    if waiting:
      values, drawn = map(np.asarray, waiting[:2])
      for row, key, start, size, count in waiting[2].parts:
        yield Scores(key, start, values[row, :size], drawn[row, :count])
    if not cut.parts:
      return
    waiting = nll, samples, cut
