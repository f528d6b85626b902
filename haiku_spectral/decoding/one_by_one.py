"""Decoding one byte after the other, several of them in each device call.

Shapes: B rows, S bytes at most in one device call.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.config import ModelConfig
from haiku_spectral.decoding import constraint as constraint_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import sampling
from haiku_spectral.decoding.constraint import Constrained
from haiku_spectral.decoding.loop import Batch, Choices
from haiku_spectral.decoding.row import Row

STEPS = 16
_CHOOSE = -1  # In the place of an id: the model's choice.


@dataclasses.dataclass(frozen=True)
class OneByOne:
  """One step of the model for each byte; at most `steps` of them in a device call."""

  steps: int = STEPS

  def __call__(self, batch: Batch, limit: int) -> Choices:
    """See `loop.Decode`. One program for any limit; it ends where the block does."""
    cache = batch.cache
    limit = min(limit, self.steps, decoder_lib.BLOCK - cache.filled)
    block, ids, log_probs, finite, batch.states = _decode(
        batch.decoder.config, batch.config, self.steps, batch.decoder.decode_params, cache.block,
        cache.filled, batch.keys, limit, batch.constrained, _prompts(batch.rows, self.steps),
        batch.rules)
    batch.cache = cache._replace(block=block, filled=cache.filled + limit)
    return Choices(
        np.asarray(ids)[:, :limit], np.asarray(log_probs)[:, :limit], np.asarray(finite))


ONE_BY_ONE = OneByOne()


def _prompts(rows: Sequence[Row | None], steps: int) -> np.ndarray | None:  # [B, S] int32
  """The rest of the prompts, _CHOOSE behind them; None when nothing is."""
  if not any(row and row.prompt.size for row in rows):
    return None
  ids = np.full((len(rows), steps), _CHOOSE, np.int32)
  for place, row in zip(ids, rows, strict=True):
    if row:
      place[:len(row.prompt)] = row.prompt[:steps]
  return ids


@decoder_lib.jit(static_argnums=(0, 1, 2), donate_argnums=4)
def _decode(
    model: ModelConfig,
    config: sampling.SamplingConfig,
    steps: int,
    params: Any,
    block: decoder_lib.Block,
    filled: jax.Array | int,  # [] int32
    keys: jax.Array,  # [B]
    limit: jax.Array | int,  # [] int32, at most `steps`
    constrained: Constrained | None,
    prompts: jax.Array | np.ndarray | None,  # [B, S] int32
    rules: sampling.RowRules | None,
) -> tuple[decoder_lib.Block, jax.Array, jax.Array, jax.Array, jax.Array]:
  """The block, ids [B, S] and log-probabilities [B, S], both padded beyond `limit`, whether logits
  are finite [B], and states of the constraint [B]."""
  batch_size = keys.shape[0]

  def step(carry: tuple) -> tuple:
    count, block, ids, log_probs, states = carry
    at = filled + count
    logits = jax.lax.dynamic_index_in_dim(block.logits, at, axis=1, keepdims=False)
    row_keys = jax.vmap(jax.random.fold_in)(keys, block.position + at)
    here = constrained and constrained._replace(states=states, left=constrained.left - count)
    recent = decoder_lib.recent(block, at)
    chosen = constraint_lib.choose(logits, row_keys, recent, config, here, rules)
    free = jnp.ones(batch_size, bool)
    if prompts is not None:
      given = jax.lax.dynamic_index_in_dim(prompts, count, axis=1, keepdims=False)
      free = given == _CHOOSE
      chosen = jnp.where(free, chosen, given)
    if constrained:
      after = constraint_lib.advance(constrained.automaton, states, chosen)
      states = jnp.where(free, after, states)
    log_prob = sampling.log_prob(logits, chosen)[:, None]
    block = decoder_lib.step(model, params, block, chosen[:, None], at)
    ids = jax.lax.dynamic_update_slice(ids, chosen[:, None], (0, count))
    log_probs = jax.lax.dynamic_update_slice(log_probs, log_prob, (0, count))
    return count + 1, block, ids, log_probs, states

  ids = jnp.full((batch_size, steps), vocab.PAD, jnp.int32)
  states = constrained.states if constrained else jnp.zeros(batch_size, jnp.int32)
  carry = jnp.zeros((), jnp.int32), block, ids, jnp.zeros(ids.shape), states
  _, block, ids, log_probs, states = jax.lax.while_loop(
      lambda carry: carry[0] < limit, step, carry)
  logits = jax.lax.dynamic_index_in_dim(block.logits, filled + limit, axis=1, keepdims=False)
  return block, ids, log_probs, jnp.all(jnp.isfinite(logits), axis=-1), states
