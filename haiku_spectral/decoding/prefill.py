"""Reading a prompt of any length in chunks: the memory it takes does not depend on the length.

Chunk sizes are `chunk`, chunk / 8, chunk / 64, ... 1: few shapes to compile, at most 7 calls of
each but the largest.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.modules import spectral_gpt

CHUNK = 512
_RATIO = 8


@functools.partial(jax.jit, static_argnums=0)
def _read(
    model: spectral_gpt.Model, params: Any, context: context_lib.Context, ids: jax.Array
) -> context_lib.Context:  # ids: [B, T] int32
  """Reads one chunk."""
  logits, state = model.apply(params, ids, context.state)
  return context_lib.Context(
      state, logits[:, -1], context.position + ids.shape[1],
      context_lib.remember(context.recent, ids))


def read(
    model: spectral_gpt.Model,
    params: Any,
    context: context_lib.Context,
    ids: np.ndarray,  # [B, N] int32, N >= 0
    *,
    chunk: int = CHUNK,
    on_progress: Callable[[int], None] | None = None,
) -> context_lib.Context:
  """The context after reading `ids` on top of it. `on_progress` is told of ids read per row."""
  if chunk < 1:
    raise ValueError(f'chunk={chunk} is not allowed: give 1 or more.')
  size, start = chunk, 0
  while start < ids.shape[1]:
    while size > ids.shape[1] - start:
      size = max(size // _RATIO, 1)
    context = _read(model, params, context, ids[:, start:start + size])
    start += size
    if on_progress:
      # Waiting keeps the progress true and the queue of chunks on the device short.
      jax.block_until_ready(context.logits)
      on_progress(size)
  return context


def begin(
    model: spectral_gpt.Model, params: Any, batch_size: int = 1, dtype: DTypeLike = jnp.float32
) -> context_lib.Context:
  """The context at the start of a document. `dtype` is that of the parameters and the state."""
  boundary = np.full((batch_size, 1), vocab.BOUNDARY, np.int32)
  return read(model, params, context_lib.empty(model, batch_size, dtype), boundary)
