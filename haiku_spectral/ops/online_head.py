"""A linear correction of the logits that goes on learning while text is read.

After every C bytes of a row, counted from its start, its weights take a step down the gradient of
the loss on these bytes, whose predictions they had corrected. So within a block of C bytes they do
not change, and all of it is computed at once. This is dynamic evaluation (Krause et al. 2018,
1709.07432) of the last layer alone, by plain gradient descent.

Shapes: B batch, T time (bytes), D features, V ids, C bytes of a block, K blocks of a chunk.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops.conv_cache import BLOCK


class HeadState(NamedTuple):
  """The weights, and what is needed to go on."""

  weights: jax.Array  # [B, D, V] float32
  step: jax.Array  # [B, D, V] float32: minus the gradient, of the bytes of this block so far.
  features: jax.Array  # [B, D] float32: what the last prediction was made from,
  probabilities: jax.Array  # [B, V] float32: and that prediction; zero before there was one.
  phase: jax.Array  # [B] int32: bytes of this block so far, below C.


def initial_state(batch_size: int, width: int, size: int) -> HeadState:
  """The state of an empty context."""
  weights = jnp.zeros((batch_size, width, size))
  return HeadState(weights, weights, weights[:, :, 0], weights[:, 0],
                   jnp.zeros(batch_size, jnp.int32))


def correct(
    features: jax.Array,  # [B, T, D]
    logits: jax.Array,  # [B, T, V]
    ids: jax.Array,  # [B, T]: the bytes after which they predict.
    state: HeadState,
    *,
    rate: float,
) -> tuple[jax.Array, HeadState]:  # [B, T, V] float32
  """Corrected logits. Exact for any T >= 1: O((T + C) D V)."""
  chex.assert_rank([features, logits, ids], [3, 3, 2])
  chex.assert_equal_shape_prefix([features, logits, ids], 2)
  length, vocabulary = ids.shape[1], logits.shape[2]
  features, logits = features.astype(jnp.float32), logits.astype(jnp.float32)
  # The prediction that the chunk's first byte is the answer to belongs to the chunk before.
  error = jax.nn.one_hot(ids[:, 0], vocabulary) - state.probabilities
  step = state.step + state.features[:, :, None] * error[:, None]

  # Each row begins at its place in a block; a prediction stands where its error is learnt.
  blocks = (BLOCK - 1 + length) // BLOCK + 1

  def placed(x: jax.Array) -> jax.Array:  # [B, T, ...] -> [K, B, C, ...]
    empty = jnp.zeros((len(x), blocks * BLOCK, *x.shape[2:]), x.dtype)
    line = jax.vmap(lambda empty, x, place: lax.dynamic_update_slice_in_dim(
        empty, x, place, axis=0))(empty, x, state.phase + 1)
    return jnp.moveaxis(line.reshape(len(x), blocks, BLOCK, *x.shape[2:]), 1, 0)

  last = state.phase + length  # The place of the prediction whose answer is not known yet.
  answered = jnp.ones((len(ids), length)).at[:, -1].set(0)
  ends = (jnp.arange(1, blocks + 1) * BLOCK)[:, None] <= last  # [K, B]

  def block(carry: tuple, inputs: tuple) -> tuple[tuple, jax.Array]:
    weights, step = carry
    x, logits, answers, answered, ends = inputs
    logits = logits + x @ weights
    errors = jax.nn.one_hot(answers, vocabulary) - jax.nn.softmax(logits)
    step += jnp.einsum('bcd,bcv->bdv', x * answered[..., None], errors)
    ends = ends[:, None, None]
    return (weights + jnp.where(ends, rate * step, 0), jnp.where(ends, 0, step)), logits

  with jax.default_matmul_precision('highest'):
    (weights, step), out = lax.scan(block, (state.weights, step), (
        *map(placed, (features, logits, jnp.roll(ids, -1, axis=1), answered)), ends))
  line = jnp.moveaxis(out, 0, 1).reshape(len(ids), -1, vocabulary)
  out = jax.vmap(lambda line, place: lax.dynamic_slice_in_dim(line, place, length, axis=0))(
      line, state.phase + 1)
  return out, HeadState(
      weights, step, features[:, -1], jax.nn.softmax(out[:, -1]), last % BLOCK)
