"""The online head byte by byte: what a decode block learns is listed, not yet added to the weights.

A block has as many bytes as a step of the head, so at most one step falls into it. Weights stay
those of the block's start; after the step a read adds what the listed errors changed. So a byte
costs no copy of the weights, and the last bytes can be rolled back.

Shapes: B batch, T time (bytes), D features, V ids, C bytes of a block.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops import lookup
from haiku_spectral.ops.conv_cache import BLOCK
from haiku_spectral.ops.online_head import HeadState


class Entries(NamedTuple):
  """What T bytes add to the lines of a block."""

  features: jax.Array  # [B, T, D] float32
  probabilities: jax.Array  # [B, T, V] float32
  ids: jax.Array  # [B, T] int32


class HeadBlock(NamedTuple):
  """A row's state at the `begin` of its part of a block, and lines of what came since."""

  weights: jax.Array  # [B, D, V] float32
  step: jax.Array  # [B, D, V] float32
  phase: jax.Array  # [B] int32
  begin: jax.Array  # [B] int32
  features: jax.Array  # [B, 1 + C, D]: of the prediction before each byte, and after the last.
  probabilities: jax.Array  # [B, 1 + C, V]
  ids: jax.Array  # [B, C]
  filled: jax.Array  # [] int32


def to_cache(state: HeadState, filled: jax.Array) -> HeadBlock:
  """The decode cache `filled` bytes into a block, all of them in the state already."""
  def line(last: jax.Array) -> jax.Array:  # [B, N] -> [B, 1 + C, N]
    return _put(jnp.zeros((len(last), 1 + BLOCK, last.shape[1])), last[:, None], filled)

  return HeadBlock(
      state.weights, state.step, state.phase, jnp.full_like(state.phase, filled),
      line(state.features), line(state.probabilities),
      jnp.zeros((len(state.phase), BLOCK), jnp.int32), filled)


def append(block: HeadBlock, new: Entries) -> HeadBlock:
  """The block with the entries of T bytes, for which it must have room."""
  return block._replace(
      features=_put(block.features, new.features, block.filled + 1),
      probabilities=_put(block.probabilities, new.probabilities, block.filled + 1),
      ids=_put(block.ids, new.ids, block.filled), filled=block.filled + new.ids.shape[1])


def from_cache(block: HeadBlock, *, rate: float) -> HeadState:
  """The state after the filled bytes of the block."""
  of_step, ended = _of_step(block, block.filled)
  learnt = jnp.arange(BLOCK) < block.filled
  step = block.step + _outer(block, of_step & learnt)
  ends = ended[:, None, None]
  features, probabilities = (
      lax.dynamic_index_in_dim(line, block.filled, axis=1, keepdims=False)
      for line in (block.features, block.probabilities))
  return HeadState(
      block.weights + jnp.where(ends, rate * step, 0),
      jnp.where(ends, 0, step) + _outer(block, ~of_step & learnt), features, probabilities,
      (block.phase + block.filled - block.begin) % BLOCK)


def correct(
    features: jax.Array,  # [B, T, D]
    logits: jax.Array,  # [B, T, V]
    ids: jax.Array,  # [B, T]
    block: HeadBlock,
    *,
    rate: float,
) -> tuple[jax.Array, Entries]:  # [B, T, V] float32
  """`online_head.correct` for T bytes of a block, and the entries to append."""
  chex.assert_equal_shape_prefix([features, logits, ids], 2)
  features = features.astype(jnp.float32)
  out: list[jax.Array] = []
  entries: list[Entries] = []
  for t in range(ids.shape[1]):
    if entries:
      block = append(block, entries[-1])
    answered = block._replace(ids=_put(block.ids, ids[:, t : t + 1], block.filled))
    x = features[:, t]
    of_step, ended = _of_step(answered, block.filled + 1)
    with jax.default_matmul_precision('highest'):
      scores = jnp.einsum('bd,bcd->bc', x, block.features[:, :-1])
      scores = jnp.where(of_step & ended[:, None], rate * scores, 0)
      stepped = jnp.where(ended, rate, 0)[:, None] * jnp.einsum('bd,bdv->bv', x, block.step)
      y = logits[:, t].astype(jnp.float32) + jnp.einsum('bd,bdv->bv', x, block.weights) + stepped
      y -= jnp.einsum('bc,bcv->bv', scores, block.probabilities[:, :-1])
    y += lookup.spread(answered.ids[:, None], scores[:, None], y.shape[1])[:, 0]
    out.append(y)
    entries.append(Entries(x[:, None], jax.nn.softmax(y)[:, None], ids[:, t : t + 1]))
  return jnp.stack(out, axis=1), Entries(
      *(jnp.concatenate(each, axis=1) for each in zip(*entries, strict=True)))


def _of_step(block: HeadBlock, read: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Which bytes of the lines [B, C] end the step of the state, and whether `read` have [B]."""
  place, end = jnp.arange(BLOCK), block.begin + BLOCK - block.phase
  return (place >= block.begin[:, None]) & (place < end[:, None]), read >= end


def _outer(block: HeadBlock, chosen: jax.Array) -> jax.Array:  # [B, C] -> [B, D, V]
  """What the chosen bytes of the lines add to a step."""
  errors = jax.nn.one_hot(block.ids, block.step.shape[2]) - block.probabilities[:, :-1]
  with jax.default_matmul_precision('highest'):
    return jnp.einsum(
        'bcd,bcv->bdv', block.features[:, :-1], jnp.where(chosen[..., None], errors, 0))


def _put(line: jax.Array, new: jax.Array, place: jax.Array) -> jax.Array:
  return lax.dynamic_update_slice_in_dim(line, new, place, axis=1)
