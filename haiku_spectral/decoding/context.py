"""A context: all that a model holds of the text so far, of fixed size however long that is.

Shapes: B rows, V the 260 ids of the vocabulary, R recent ids.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.modules import spectral_gpt

RECENT = 256  # Ids kept for the repetition penalty: its longest window.


class Context(NamedTuple):
  """The contexts of B rows, of any lengths."""

  state: spectral_gpt.State  # [L, B, ...] leaves.
  logits: jax.Array  # [B, V] float32: the prediction of the next byte.
  position: jax.Array  # [B] int32: ids so far, the boundary at the start included.
  recent: jax.Array  # [B, R] int32: the last ids, the newest last; PAD before the start.


def empty(model: spectral_gpt.Model, batch_size: int, dtype: DTypeLike = jnp.float32) -> Context:
  """Before the first id, not even a document's start: `logits` mean nothing."""
  return Context(
      model.initial_state(batch_size, dtype),
      jnp.zeros((batch_size, vocab.SIZE), jnp.float32),
      jnp.zeros(batch_size, jnp.int32),
      jnp.full((batch_size, RECENT), vocab.PAD, jnp.int32),
  )


def _map_rows(function: Callable[..., jax.Array], *contexts: Context) -> Context:
  """Applies `function` to leaves, given the axis of the rows as `axis`."""
  in_state = functools.partial(function, axis=spectral_gpt.BATCH_AXIS)
  states = jax.tree.map(in_state, *(context.state for context in contexts))
  return Context(states, *(
      function(*leaves, axis=0)
      for leaves in zip(*(context[1:] for context in contexts), strict=True)))


def repeat(context: Context, count: int) -> Context:
  """`count` copies of a context of one row, as one batch: one context, many continuations."""
  return _map_rows(lambda leaf, axis: jnp.repeat(leaf, count, axis=axis), context)


def stack(contexts: Sequence[Context]) -> Context:
  """Contexts of one row each, of any lengths, as one batch."""
  return _map_rows(lambda *leaves, axis: jnp.concatenate(leaves, axis=axis), *contexts)


def row(context: Context, number: int) -> Context:
  """One row of a batch, as a context of one row."""
  return _map_rows(
      lambda leaf, axis: lax.slice_in_dim(leaf, number, number + 1, axis=axis), context)


@jax.jit
def where(takes: jax.Array | np.ndarray, one: Context, other: Context) -> Context:  # takes: [B]
  """Each row from `one` where it takes that, else from `other`."""

  def choose(left: jax.Array, right: jax.Array, axis: int) -> jax.Array:
    return jnp.where(takes.reshape(takes.shape + (1,) * (left.ndim - axis - 1)), left, right)

  return _map_rows(choose, one, other)


def remember(recent: jax.Array, ids: jax.Array) -> jax.Array:  # [B, R], [B, T] -> [B, R]
  """The last R ids of both together."""
  return jnp.concatenate([recent, ids], axis=1)[:, -recent.shape[1]:]
