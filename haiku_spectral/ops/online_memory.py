"""The gated associative memory byte by byte: what a block writes is listed, not yet written.

The matrix stays that of the block's start, and a read adds what the block has listed since. So a
byte costs no copy of the matrix, and the last bytes can be taken back.

Shapes: B batch, T time (bytes), H heads, K key width, V value width, C bytes of a block.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops.online_conv import BLOCK


class MemoryBlock(NamedTuple):
  """A memory inside a block."""

  matrix: jax.Array  # [B, H, K, V] float32: at the block's start.
  keys: jax.Array  # [B, H, C, K] float32: see `Entries`.
  written: jax.Array  # [B, H, C, V] float32
  faded: jax.Array  # [B, H, C] float32
  filled: jax.Array  # [] int32


class Entries(NamedTuple):
  """What T bytes list; T = C in the block."""

  keys: jax.Array  # [B, H, T, K]
  written: jax.Array  # [B, H, T, V]: the values as they go in; less than given by the delta rule.
  faded: jax.Array  # [B, H, T]: the logarithm of the decay since the block's start.


def resume(matrix: jax.Array, filled: jax.Array) -> MemoryBlock:  # [B, H, K, V]
  """Goes on inside a block of which `filled` bytes are over, all of them in the matrix already."""
  def listed(*shape: int) -> jax.Array:
    return jnp.zeros((*matrix.shape[:2], BLOCK, *shape))

  return MemoryBlock(matrix, listed(matrix.shape[2]), listed(matrix.shape[3]), listed(), filled)


def rest(state: MemoryBlock) -> jax.Array:  # [B, H, K, V]
  """The memory after what is filled."""
  decay = _fade(state)
  known = jnp.arange(BLOCK) < state.filled
  left = jnp.where(known, decay[..., None] - state.faded, -jnp.inf)
  kept, keys = jnp.exp(decay)[..., None, None], state.keys * jnp.exp(left)[..., None]
  with jax.default_matmul_precision('highest'):
    return kept * state.matrix + jnp.einsum('bhck,bhcv->bhkv', keys, state.written)


def linear_memory(
    queries: jax.Array,  # [B, T, H, K]
    keys: jax.Array,  # [B, T, H, K]
    values: jax.Array,  # [B, T, H, V]
    log_decay: jax.Array,  # [B, T, H]
    state: MemoryBlock,
    strength: jax.Array | None = None,  # [B, T, H]
) -> tuple[jax.Array, Entries]:  # [B, T, H, V] float32
  """`linear_memory.linear_memory` for T bytes of a block, and what to append to its lists."""
  chex.assert_rank([queries, keys, values, log_decay], [4, 4, 4, 3])
  chex.assert_equal_shape_prefix([keys, values, log_decay], 3)
  listed = Entries(state.keys, state.written, state.faded)
  known, faded = jnp.arange(BLOCK) < state.filled, _fade(state)
  own: list[Entries] = []
  out = []

  def read(query: jax.Array) -> jax.Array:  # [B, H, K] -> [B, H, V]
    result = jnp.einsum('bhk,bhkv->bhv', query, state.matrix) * jnp.exp(faded)[..., None]
    result += _read(query, faded, listed, known)
    return result + _read(query, faded, _stack(own)) if own else result

  with jax.default_matmul_precision('highest'):
    for t in range(queries.shape[1]):
      faded, value = faded + log_decay[:, t], values[:, t]
      if strength is not None:
        value = strength[:, t, :, None] * (value - read(keys[:, t]))
      own.append(Entries(keys[:, t], value, faded))
      out.append(read(queries[:, t]))
  return jnp.stack(out, axis=1), _stack(own)


def append(state: MemoryBlock, new: Entries) -> MemoryBlock:
  """Lists T more bytes of the block, which must have room for them."""
  def put(entries: jax.Array, new: jax.Array) -> jax.Array:
    return lax.dynamic_update_slice_in_dim(entries, new, state.filled, axis=2)

  return MemoryBlock(
      state.matrix, put(state.keys, new.keys), put(state.written, new.written),
      put(state.faded, new.faded), state.filled + new.faded.shape[2])


def _read(
    query: jax.Array, faded: jax.Array, listed: Entries, known: bool | jax.Array = True
) -> jax.Array:  # [B, H, K], [B, H] -> [B, H, V]
  """What the listed bytes answer when the memory has faded so far."""
  left = jnp.where(known, faded[..., None] - listed.faded, -jnp.inf)
  scores = jnp.einsum('bhk,bhck->bhc', query, listed.keys) * jnp.exp(left)
  return jnp.einsum('bhc,bhcv->bhv', scores, listed.written)


def _stack(entries: list[Entries]) -> Entries:
  return Entries(*(jnp.stack(each, axis=2) for each in zip(*entries, strict=True)))


def _fade(state: MemoryBlock) -> jax.Array:  # [B, H]
  """The logarithm of the decay since the block's start."""
  latest = jnp.maximum(state.filled - 1, 0)
  faded = lax.dynamic_index_in_dim(state.faded, latest, axis=2, keepdims=False)
  return jnp.where(state.filled > 0, faded, 0.0)
