"""How likely continuations are behind their contexts, and whether greedy decoding would give them.

Each pair is read from the start of a document, in chunks, so that contexts may have any length.

Shapes: B rows of a device call, T bytes of a chunk.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.modules import spectral_gpt


class Likelihood(NamedTuple):
  """Of a continuation."""

  log_prob: float  # Nats: the sum over its bytes.
  greedy: bool  # Each of its bytes is the most likely one; so it is for one of no bytes.


class _Chunk(NamedTuple):
  """What is scored of some pairs in one device call."""

  inputs: np.ndarray  # [B, T] int32
  targets: np.ndarray  # [B, T] int32
  counted: np.ndarray  # [B, T] bool: a byte of the continuation.


def score(
    model: spectral_gpt.Model,
    params: Any,
    pairs: Sequence[tuple[bytes, bytes]],  # (context, continuation)
    *,
    batch_size: int = 8,
    chunk: int = 256,
    dtype: DTypeLike = jnp.float32,
    on_progress: Callable[[int], None] | None = None,
) -> list[Likelihood]:
  """The likelihood of each continuation, in order.

  `params` are in `dtype`, which is also that of the state. All calls have one shape. `on_progress`
  gets the bytes of pairs that are done, contexts included.
  """
  sums, misses = np.zeros(len(pairs)), np.zeros(len(pairs), int)
  order = sorted(range(len(pairs)), key=lambda i: -len(pairs[i][0]) - len(pairs[i][1]))
  for start in range(0, len(order), batch_size):
    rows = order[start:start + batch_size]
    state = model.initial_state(batch_size, dtype)
    for cut in _chunks([pairs[i] for i in rows], batch_size, chunk):
      log_probs, hits, state = _step(model, params, state, cut.inputs, cut.targets)
      if cut.counted.any():
        sums[rows] += np.where(cut.counted, log_probs, 0).sum(axis=1, dtype=np.float64)[:len(rows)]
        misses[rows] += (cut.counted & ~np.asarray(hits)).sum(axis=1)[:len(rows)]
    if on_progress:
      on_progress(sum(len(pairs[i][0]) + len(pairs[i][1]) for i in rows))
  return [Likelihood(float(total), not count) for total, count in zip(sums, misses, strict=True)]


def _chunks(pairs: list[tuple[bytes, bytes]], batch_size: int, chunk: int) -> Iterator[_Chunk]:
  texts = [context + continuation for context, continuation in pairs]
  last = np.full((batch_size, 1), vocab.BOUNDARY, np.int32)
  for start in range(0, max(map(len, texts)), chunk):
    targets = np.full((batch_size, chunk), vocab.PAD, np.int32)
    counted = np.zeros((batch_size, chunk), bool)
    for row, (text, (context, _)) in enumerate(zip(texts, pairs, strict=True)):
      ids = vocab.encode(text[start:start + chunk])
      targets[row, :ids.size] = ids
      counted[row, max(len(context) - start, 0):ids.size] = True
    inputs = np.concatenate([last, targets[:, :-1]], axis=1)
    last = targets[:, -1:]
    yield _Chunk(inputs, targets, counted)


@functools.partial(jax.jit, static_argnums=0, donate_argnums=2)
def _step(
    model: spectral_gpt.Model, params: Any, state: Any,
    inputs: jax.Array, targets: jax.Array,  # [B, T] int32 twice
) -> tuple[jax.Array, jax.Array, Any]:  # [B, T] float32 nats, [B, T] bool, the state
  logits, state = model.apply(params, inputs, state)
  log_probs = jax.nn.log_softmax(logits, axis=-1)
  chosen = jnp.take_along_axis(log_probs, targets[..., None], axis=-1)[..., 0]
  return chosen, jnp.argmax(logits, axis=-1) == targets, state
