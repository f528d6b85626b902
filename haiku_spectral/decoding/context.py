"""What a model holds of everything that it has read: of fixed size, however much that was.

Shapes: B rows, V the 260 ids of the vocabulary, R recent ids.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.modules import spectral_gpt

RECENT = 256  # Ids kept for the repetition penalty: its longest window.


class Context(NamedTuple):
  """The past of B rows, of any lengths."""

  state: spectral_gpt.State  # [L, B, ...] leaves.
  logits: jax.Array  # [B, V] float32: the prediction of the next byte.
  position: jax.Array  # [B] int32: ids read, the boundary at the start included.
  recent: jax.Array  # [B, R] int32: the last ids read, the newest last; PAD before the start.


def empty(model: spectral_gpt.Model, batch_size: int, dtype: DTypeLike = jnp.float32) -> Context:
  """Nothing read yet, not even a document's start: `logits` mean nothing."""
  return Context(
      model.initial_state(batch_size, dtype),
      jnp.zeros((batch_size, vocab.SIZE), jnp.float32),
      jnp.zeros(batch_size, jnp.int32),
      jnp.full((batch_size, RECENT), vocab.PAD, jnp.int32),
  )


def repeat(context: Context, count: int) -> Context:
  """`count` copies of a context of one row, as one batch: one past, many continuations."""

  def tile(axis: int) -> Any:
    return lambda leaf: jnp.repeat(leaf, count, axis=axis)

  return Context(
      jax.tree.map(tile(spectral_gpt.BATCH_AXIS), context.state),
      *map(tile(0), context[1:]))


def stack(contexts: Sequence[Context]) -> Context:
  """Contexts of one row each, of any lengths, as one batch."""
  states, *others = zip(*contexts, strict=True)

  def join(axis: int) -> Any:
    return lambda *leaves: jnp.concatenate(leaves, axis=axis)

  return Context(
      jax.tree.map(join(spectral_gpt.BATCH_AXIS), *states),
      *(join(0)(*leaves) for leaves in others))


def row(context: Context, number: int) -> Context:
  """One row of a batch, as a context of one row."""

  def take(axis: int) -> Any:
    return lambda leaf: lax.slice_in_dim(leaf, number, number + 1, axis=axis)

  return Context(
      jax.tree.map(take(spectral_gpt.BATCH_AXIS), context.state), *map(take(0), context[1:]))


def remember(recent: jax.Array, ids: jax.Array) -> jax.Array:  # [B, R], [B, T] -> [B, R]
  """The last R ids of both together."""
  return jnp.concatenate([recent, ids], axis=1)[:, -recent.shape[1]:]
