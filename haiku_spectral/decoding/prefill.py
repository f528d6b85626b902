"""Prefill in chunks: a prompt of any length becomes context in memory that does not depend on it.

Shapes: B rows, T ids of a chunk, N ids of a prompt.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import sampling
from haiku_spectral.modules import spectral_gpt

# Chunk sizes are CHUNK, CHUNK / 8, CHUNK / 64, ... 1: few shapes to compile, at most 7 calls of
# each but the largest.
CHUNK = 512
_RATIO = 8
_RAGGED_CHUNKS = 16, 4, 1  # Where rows have prompts of their own: few programs, few calls.


@functools.partial(jax.jit, static_argnums=0)
def _extend(
    model: spectral_gpt.Model, params: Any, context: context_lib.Context, ids: jax.Array
) -> context_lib.Context:  # ids: [B, T] int32
  """Appends one chunk."""
  logits, state = model.apply(params, ids, context.state)
  return context_lib.Context(
      state, logits[:, -1], context.position + ids.shape[1],
      context_lib.remember(context.recent, ids))


@functools.partial(jax.jit, static_argnums=0)
def _score(
    model: spectral_gpt.Model, params: Any, context: context_lib.Context, ids: jax.Array
) -> tuple[context_lib.Context, jax.Array]:  # ids: [1, T] int32 -> [T]
  """Appends one chunk and says how probable each of its ids was."""
  logits, state = model.apply(params, ids, context.state)
  before = jnp.concatenate([context.logits[:, None], logits[:, :-1]], axis=1)
  after = context_lib.Context(
      state, logits[:, -1], context.position + ids.shape[1],
      context_lib.remember(context.recent, ids))
  return after, sampling.log_prob(before[0], ids[0])


def _pieces(count: int, chunk: int) -> Iterator[slice]:
  """How `count` ids are cut into chunks."""
  size, start = chunk, 0
  while start < count:
    while size > count - start:
      size = max(size // _RATIO, 1)
    yield slice(start, start + size)
    start += size


def score(
    model: spectral_gpt.Model, params: Any, context: context_lib.Context,
    ids: np.ndarray,  # [N] int32
) -> tuple[context_lib.Context, np.ndarray]:  # [N] float32
  """`extend` of one row, and the model's log-probability of each id, in nats."""
  log_probs = [np.zeros(0, np.float32)]
  for piece in _pieces(len(ids), CHUNK):
    context, chunk = _score(model, params, context, ids[None, piece])
    log_probs.append(np.asarray(chunk))
  return context, np.concatenate(log_probs)


def extend(
    model: spectral_gpt.Model,
    params: Any,
    context: context_lib.Context,
    ids: np.ndarray,  # [B, N] int32, N >= 0
    *,
    chunk: int = CHUNK,
    on_progress: Callable[[int], None] | None = None,
) -> context_lib.Context:
  """The context with `ids` appended. `on_progress` gets ids per row, after each chunk."""
  if chunk < 1:
    raise ValueError(f'chunk={chunk} is not allowed: give 1 or more.')
  for piece in _pieces(ids.shape[1], chunk):
    context = _extend(model, params, context, ids[:, piece])
    if on_progress:
      # Waiting keeps the progress true and the queue of chunks on the device short.
      jax.block_until_ready(context.logits)
      on_progress(piece.stop - piece.start)
  return context


def extend_rows(
    model: spectral_gpt.Model, params: Any, context: context_lib.Context, ids: Sequence[np.ndarray]
) -> context_lib.Context:
  """The context with ids of its own, [T of the row] int32, appended to each row.

  All rows take part in each call; those that have fewer ids left stay where they were.
  """
  left = list(ids)
  for size in _RAGGED_CHUNKS:
    while any(row.size >= size for row in left):
      takes = np.array([row.size >= size for row in left])
      chunk = np.zeros((len(left), size), np.int32)
      for number in np.flatnonzero(takes):
        chunk[number], left[number] = left[number][:size], left[number][size:]
      context = context_lib.where(takes, _extend(model, params, context, chunk), context)
  return context


def begin(
    model: spectral_gpt.Model, params: Any, batch_size: int = 1, dtype: DTypeLike = jnp.float32
) -> context_lib.Context:
  """The context at the start of a document. `dtype` is that of the parameters and the state."""
  boundary = np.full((batch_size, 1), vocab.BOUNDARY, np.int32)
  return extend(model, params, context_lib.empty(model, batch_size, dtype), boundary)
