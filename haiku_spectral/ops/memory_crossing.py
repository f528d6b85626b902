"""`linear_memory` on a slice of time: slices combine as maps of the memory.

A slice takes the memory S to A S + B. With the gated rule A is a decay, a number per head; with the
delta rule a matrix per head, which costs as many bytes again as B. A ring of memories would send B
alone, but devices - 1 times one after the other; the scan sends a logarithm of that, so from 4
devices on it has fewer messages and from 8 on no more bytes.

Shapes: B batch, T time (bytes) of a slice, H heads, K key width, V value width.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from haiku_spectral.ops import linear_memory as memory
from haiku_spectral.ops import slices


class Map(NamedTuple):
  """S -> A S + B."""

  forget: jax.Array  # A: [B, H, K, K] of the delta rule; [B, H, 1, 1] of the gated one.
  write: jax.Array  # B: [B, H, K, V]

  def __call__(self, state: jax.Array) -> jax.Array:  # [B, H, K, V]
    """The memory after the slice."""
    if self.forget.shape[-1] == 1:
      return self.forget * state + self.write
    return jnp.matmul(self.forget, state, precision='highest') + self.write


def linear_memory(
    queries: jax.Array,  # [B, T, H, K]
    keys: jax.Array,  # [B, T, H, K]
    values: jax.Array,  # [B, T, H, V]
    log_decay: jax.Array,  # [B, T, H]
    state: jax.Array,  # [B, H, K, V] float32: before the first slice.
    gates: memory.Gates | None = None,
    *,
    starts: jax.Array | None = None,  # [B, T] bool
    block: int,
) -> tuple[jax.Array, jax.Array]:  # [B, T, H, V] float32, [B, H, K, V] float32
  """`linear_memory.linear_memory` of a slice, and the state after it."""
  how: dict[str, Any] = {'starts': starts, 'block': block}
  # The outputs of these calls are not used, so that XLA computes the memory alone.
  this = _gated(queries, keys, values, log_decay, **how) if gates is None else (
      _delta(queries, keys, values, log_decay, gates, **how))
  before = slices.entering(
      lambda left, right: Map(_product(right.forget, left.forget), right(left.write)),
      lambda left, state: left(state), this, state)
  return memory.linear_memory(queries, keys, values, log_decay, before, gates, **how)


def _gated(
    queries: jax.Array, keys: jax.Array, values: jax.Array, log_decay: jax.Array, *,
    starts: jax.Array | None, block: int,
) -> Map:
  decay = jnp.exp(jnp.sum(log_decay.astype(jnp.float32), axis=1))  # [B, H]
  if starts is not None:
    decay = jnp.where(jnp.any(starts, axis=1)[:, None], 0, decay)
  empty = jnp.zeros((*decay.shape[:2], keys.shape[-1], values.shape[-1]))
  _, write = memory.linear_memory(
      queries, keys, values, log_decay, empty, starts=starts, block=block)
  return Map(decay[..., None, None], write)


def _delta(
    queries: jax.Array, keys: jax.Array, values: jax.Array, log_decay: jax.Array,
    gates: memory.Gates, *, starts: jax.Array | None, block: int,
) -> Map:
  """Columns of a memory are independent: B from an empty one, A from the unit matrix beside it."""
  rows, _, heads, width = keys.shape
  unit = jnp.broadcast_to(jnp.eye(width), (rows, heads, width, width))
  empty = jnp.zeros((rows, heads, width, values.shape[-1]))
  _, after = memory.linear_memory(
      queries, keys, jnp.concatenate([values, jnp.zeros_like(keys)], axis=-1), log_decay,
      jnp.concatenate([empty, unit], axis=-1), gates, starts=starts, block=block)
  return Map(after[..., values.shape[-1]:], after[..., : values.shape[-1]])


def _product(later: jax.Array, earlier: jax.Array) -> jax.Array:
  if later.shape[-1] == 1:
    return later * earlier
  return jnp.matmul(later, earlier, precision='highest')
