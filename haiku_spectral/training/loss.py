"""The loss of a next-byte model, as a sum and a count.

Shapes: B batch, T time (bytes), V the ids of the vocabulary, S sources.

Means are never averaged: micro-batches, devices and hosts add sums and counts, and divide once.
"""

import math
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import optax

from haiku_spectral import vocab


class LossSum(NamedTuple):
  """Nats of scored targets, and how many those are: of each row, of each source, or of all."""

  nats: jax.Array  # [...] float32
  targets: jax.Array  # [...] int32


def scored(targets: jax.Array) -> jax.Array:  # [B, T] -> [B, T] bool
  """Which targets count: padding is no text."""
  return targets != vocab.PAD


def next_byte_loss(
    logits: jax.Array,  # [B, T, V]
    targets: jax.Array,  # [B, T] int32
) -> LossSum:  # [B]
  """Cross-entropy of each row against the next ids, in float32 whatever the type of the logits."""
  chex.assert_rank([logits, targets], [3, 2])
  chex.assert_equal_shape_prefix([logits, targets], 2)
  nats = optax.softmax_cross_entropy_with_integer_labels(logits.astype(jnp.float32), targets)
  mask = scored(targets)
  return LossSum(
      jnp.sum(jnp.where(mask, nats, 0.0), axis=1), jnp.sum(mask, axis=1, dtype=jnp.int32))


def by_source(
    rows: LossSum,  # [B]
    sources: jax.Array,  # [B] int32, below `count`.
    count: int,
) -> LossSum:  # [S]
  """The sums of the rows of each source, in an order that is always the same."""
  own = sources[:, None] == jnp.arange(count)
  return LossSum(*(jnp.sum(jnp.where(own, x[:, None], 0), axis=0, dtype=x.dtype) for x in rows))


def bits_per_byte(nats_per_byte: float) -> float:
  """The unit in which compression is measured; 8 is no compression at all."""
  return nats_per_byte / math.log(2)
