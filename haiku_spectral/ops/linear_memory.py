"""Gated associative memory in blocks: matrix products inside a block, a scan over blocks.

Shapes: B batch, T time (bytes), H heads, K key width, V value width, N blocks, C bytes in a block.

With S the [K, V] memory of a head, a the decay, and b and c how much the delta rule erases and
writes:
  gated:  S_t = a_t S_{t-1} + k_t v_t^T
  delta:  S_t = a_t (I - b_t k_t k_t^T) S_{t-1} + c_t k_t v_t^T
and the output is S_t^T q_t (Yang et al. 2023, GLA; Yang et al. 2024, Gated DeltaNet).
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


class Gates(NamedTuple):
  """How much the delta rule erases of what a key recalls, and how much of the value it writes."""

  erase: jax.Array  # [B, T, H] in [0, 2]; above 1 what is recalled changes its sign.
  write: jax.Array  # [B, T, H]


def linear_memory(
    queries: jax.Array,  # [B, T, H, K]
    keys: jax.Array,  # [B, T, H, K]
    values: jax.Array,  # [B, T, H, V]
    log_decay: jax.Array,  # [B, T, H], at most 0
    state: jax.Array,  # [B, H, K, V] float32
    gates: Gates | None = None,  # Of the delta rule; None: the gated rule.
    *,
    starts: jax.Array | None = None,  # [B, T] bool: the memory is empty before this byte.
    block: int,
) -> tuple[jax.Array, jax.Array]:  # [B, T, H, V] float32, [B, H, K, V] float32
  """Writes and reads a memory along a chunk. Exact for any T >= 1; computes in float32.

  O(T (C + K) (K + V)) operations per head with blocks of C = min(block, T) bytes.
  """
  chex.assert_rank([queries, keys, values, log_decay, state], [4, 4, 4, 3, 4])
  chex.assert_equal_shape([queries, keys])
  chex.assert_equal_shape_prefix([keys, values, log_decay], 3)
  chex.assert_shape(state, (keys.shape[0], *keys.shape[2:], values.shape[3]))
  size = min(block, queries.shape[1])
  # float32 also where a product's default is less: on accelerators.
  with jax.default_matmul_precision('highest'):
    return _in_blocks(queries, keys, values, log_decay, state, gates, starts, size)


def _in_blocks(
    queries: jax.Array, keys: jax.Array, values: jax.Array, log_decay: jax.Array,
    state: jax.Array, gates: Gates | None, starts: jax.Array | None, size: int,
) -> tuple[jax.Array, jax.Array]:
  length = queries.shape[1]

  def blocks(x: jax.Array) -> jax.Array:  # [B, T, H, ...] -> [N, B, H, C, ...] float32
    # Zero keys write nothing and a zero log-decay forgets nothing, so padding leaves the memory.
    pad = [(0, 0), (0, -length % size)] + [(0, 0)] * (x.ndim - 2)
    x = jnp.pad(x.astype(jnp.float32), pad)
    x = x.reshape(x.shape[0], -1, size, *x.shape[2:])
    return jnp.moveaxis(x, (1, 3), (0, 2))

  q, k, v = blocks(queries), blocks(keys), blocks(values)
  # Cumulative sums as a product: XLA's own form of them would be recomputed for every pair below.
  cumulative = jnp.einsum(
      'nbhj,ij->nbhi', blocks(log_decay), np.tri(size, dtype=np.float32))  # [N, B, H, C]
  to_end = cumulative[..., -1:] - cumulative
  relative = _pairwise_decay(cumulative)  # [N, B, H, C, C]
  from_start, to_end = jnp.exp(cumulative), jnp.exp(to_end)  # [N, B, H, C]
  if starts is not None:
    # A decay of zero: nothing crosses from one stream of a block to the next.
    stream = jnp.cumsum(blocks(starts[..., None]), axis=3)  # [N, B, 1, C]
    relative *= stream[..., :, None] == stream[..., None, :]
    from_start *= stream == 0
    to_end *= stream == stream[..., -1:]
  erase = None
  if gates is not None:
    v, erase = _delta_values(k, v, from_start, relative, Gates(*map(blocks, gates)))

  scores = jnp.einsum('nbhik,nbhjk->nbhij', q, k) * relative
  q_past = q * from_start[..., None]
  k_end = k * to_end[..., None]
  block_decay = from_start[..., -1][..., None, None]  # [N, B, H, 1, 1]

  def step(memory, inputs):
    scores, q_past, k_end, v, block_decay, erase = inputs
    writes = v if erase is None else v - erase @ memory
    out = scores @ writes + q_past @ memory
    return block_decay * memory + jnp.einsum('bhck,bhcv->bhkv', k_end, writes), out

  state, out = lax.scan(step, state, (scores, q_past, k_end, v, block_decay, erase))
  out = jnp.moveaxis(out, (0, 2), (1, 3))  # [B, N, C, H, V]
  return out.reshape(out.shape[0], -1, *out.shape[3:])[:, :length], state


def _pairwise_decay(cumulative: jax.Array) -> jax.Array:  # [..., C] -> [..., C, C]
  """exp(L_i - L_j) for i >= j, else 0: the relative decay at i of what was written at j."""
  size = cumulative.shape[-1]
  gap = cumulative[..., :, None] - cumulative[..., None, :]
  # Masked before the exponential: above the diagonal it would overflow and poison the gradient.
  return jnp.exp(jnp.where(jnp.tril(jnp.ones((size, size), bool)), gap, -jnp.inf))


def _delta_values(
    k: jax.Array,  # [N, B, H, C, K]
    v: jax.Array,  # [N, B, H, C, V]
    from_start: jax.Array,  # [N, B, H, C]: decay since the block's start.
    relative: jax.Array,  # [N, B, H, C, C]
    gates: Gates,  # [N, B, H, C]
) -> tuple[jax.Array, jax.Array]:  # [N, B, H, C, V], [N, B, H, C, K]
  """What the delta rule writes in a block: U - W S, where S is the memory at the block's start.

  The values d_i = c_i v_i - b_i a_i S_{i-1}^T k_i of a block solve a unit lower triangular system
  (I + A) d = c v - b exp(L) k S, A_ij = b_i exp(L_i - L_j) k_i . k_j below the diagonal
  (the WY form of Gated DeltaNet, section 3.3).
  """
  overlap = jnp.einsum('nbhik,nbhjk->nbhij', k, k) * relative * gates.erase[..., None]
  system = jnp.tril(overlap, -1)  # The unit diagonal is implied below.
  right = jnp.concatenate(
      [v * gates.write[..., None], k * (from_start * gates.erase)[..., None]], axis=-1)
  solved = lax.linalg.triangular_solve(
      system, right, left_side=True, lower=True, unit_diagonal=True)
  return solved[..., : v.shape[-1]], solved[..., v.shape[-1] :]
