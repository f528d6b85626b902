"""Reading other ids in each row of a batch, of any lengths.

Shapes: B rows.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import prefill
from haiku_spectral.decoding.context import Context
from haiku_spectral.modules import spectral_gpt

_CHUNKS = 16, 4, 1  # Ids in one call: few programs, few calls.


def read(decoder: decoder_lib.Decoder, context: Context, ids: Sequence[np.ndarray]) -> Context:
  """The context after each row has read its own ids [T of the row] on top of it.

  All rows take part in each call; those that have fewer ids left stay where they were.
  """
  left = list(ids)
  for size in _CHUNKS:
    while any(row.size >= size for row in left):
      takes = np.array([row.size >= size for row in left])
      chunk = np.zeros((len(left), size), np.int32)
      for place in np.flatnonzero(takes):
        chunk[place], left[place] = left[place][:size], left[place][size:]
      after = prefill.read(decoder.model, decoder.params, context, chunk, chunk=size)
      context = _where(takes, after, context)
  return context


@jax.jit
def _where(takes: jax.Array, after: Context, before: Context) -> Context:  # [B] bool
  """Each row from one of two contexts."""

  def choose(axis: int) -> Any:
    return lambda one, other: jnp.where(
        takes.reshape(takes.shape + (1,) * (one.ndim - axis - 1)), one, other)

  return Context(
      jax.tree.map(choose(spectral_gpt.BATCH_AXIS), after.state, before.state),
      *map(choose(0), after[1:], before[1:]))
