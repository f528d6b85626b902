"""The gated associative memory byte by byte: the writes of a block are listed, not yet applied.

The matrix stays that of the block's start, and a read adds the writes listed since. So a byte costs
no copy of the matrix, and the last bytes can be rolled back.

Shapes: B batch, T time (bytes), H heads, K key width, V value width, C bytes of a block.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops.conv_cache import BLOCK
from haiku_spectral.ops.linear_memory import Gates


class MemoryBlock(NamedTuple):
  """A memory inside a block."""

  matrix: jax.Array  # [B, H, K, V] float32: at the block's start.
  keys: jax.Array  # [B, H, C, K] float32: see `Entries`.
  values: jax.Array  # [B, H, C, V] float32
  log_decay: jax.Array  # [B, H, C] float32
  filled: jax.Array  # [] int32


class Entries(NamedTuple):
  """The writes of T bytes; T = C in the block."""

  keys: jax.Array  # [B, H, T, K]
  values: jax.Array  # [B, H, T, V]: as written: by the delta rule less than given.
  log_decay: jax.Array  # [B, H, T]: the cumulative log-decay since the block's start.


def to_cache(matrix: jax.Array, filled: jax.Array) -> MemoryBlock:  # [B, H, K, V]
  """The decode cache `filled` bytes into a block, all of them in the matrix already."""
  def listed(*shape: int) -> jax.Array:
    return jnp.zeros((*matrix.shape[:2], BLOCK, *shape))

  return MemoryBlock(matrix, listed(matrix.shape[2]), listed(matrix.shape[3]), listed(), filled)


def from_cache(state: MemoryBlock) -> jax.Array:  # [B, H, K, V]
  """The matrix after the filled bytes of the block."""
  decay = _total_log_decay(state)
  known = jnp.arange(BLOCK) < state.filled
  to_end = jnp.where(known, decay[..., None] - state.log_decay, -jnp.inf)
  keys = state.keys * jnp.exp(to_end)[..., None]
  with jax.default_matmul_precision('highest'):
    writes = jnp.einsum('bhck,bhcv->bhkv', keys, state.values)
  return jnp.exp(decay)[..., None, None] * state.matrix + writes


def linear_memory(
    queries: jax.Array,  # [B, T, H, K]
    keys: jax.Array,  # [B, T, H, K]
    values: jax.Array,  # [B, T, H, V]
    log_decay: jax.Array,  # [B, T, H]
    state: MemoryBlock,
    gates: Gates | None = None,
) -> tuple[jax.Array, Entries]:  # [B, T, H, V] float32
  """`linear_memory.linear_memory` for T bytes of a block, and the entries to append."""
  chex.assert_rank([queries, keys, values, log_decay], [4, 4, 4, 3])
  chex.assert_equal_shape_prefix([keys, values, log_decay], 3)
  listed = Entries(state.keys, state.values, state.log_decay)
  known, total = jnp.arange(BLOCK) < state.filled, _total_log_decay(state)
  own: list[Entries] = []
  out = []

  def read(query: jax.Array) -> jax.Array:  # [B, H, K] -> [B, H, V]
    result = jnp.einsum('bhk,bhkv->bhv', query, state.matrix) * jnp.exp(total)[..., None]
    result += _read(query, total, listed, known)
    return result + _read(query, total, _stack(own)) if own else result

  with jax.default_matmul_precision('highest'):
    for t in range(queries.shape[1]):
      total, value = total + log_decay[:, t], values[:, t]
      if gates is not None:
        write, erase = gates.write[:, t, :, None], gates.erase[:, t, :, None]
        value = write * value - erase * read(keys[:, t])
      own.append(Entries(keys[:, t], value, total))
      out.append(read(queries[:, t]))
  return jnp.stack(out, axis=1), _stack(own)


def append(state: MemoryBlock, new: Entries) -> MemoryBlock:
  """Appends the writes of T bytes; the block must have room for them."""
  def put(entries: jax.Array, new: jax.Array) -> jax.Array:
    return lax.dynamic_update_slice_in_dim(entries, new, state.filled, axis=2)

  return MemoryBlock(
      state.matrix, put(state.keys, new.keys), put(state.values, new.values),
      put(state.log_decay, new.log_decay), state.filled + new.log_decay.shape[2])


def _read(
    query: jax.Array, total: jax.Array, listed: Entries, known: bool | jax.Array = True
) -> jax.Array:  # [B, H, K], [B, H] -> [B, H, V]
  """The read of the listed writes at a cumulative log-decay of `total`."""
  relative = jnp.where(known, total[..., None] - listed.log_decay, -jnp.inf)
  scores = jnp.einsum('bhk,bhck->bhc', query, listed.keys) * jnp.exp(relative)
  return jnp.einsum('bhc,bhcv->bhv', scores, listed.values)


def _stack(entries: list[Entries]) -> Entries:
  return Entries(*(jnp.stack(each, axis=2) for each in zip(*entries, strict=True)))


def _total_log_decay(state: MemoryBlock) -> jax.Array:  # [B, H]
  """The cumulative log-decay since the block's start."""
  latest = jnp.maximum(state.filled - 1, 0)
  log_decay = lax.dynamic_index_in_dim(state.log_decay, latest, axis=2, keepdims=False)
  return jnp.where(state.filled > 0, log_decay, 0.0)
