"""Causal attention to the last W bytes, in bands: cost O(T W), never a [T, T] matrix.

Shapes: B batch, T time (bytes), H heads, K head width, W window, N bands, C queries in a band.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral.ops import rotary


class WindowState(NamedTuple):
  """The last W keys and values, not rotated: positions are counted inside each chunk anew."""

  keys: jax.Array  # [B, W, H, K]
  values: jax.Array  # [B, W, H, K]
  seen: jax.Array  # [B] int32: how many of the W are real, the latest ones.


def initial_state(batch_size: int, window: int, heads: int, head_width: int,
                  dtype: jax.typing.DTypeLike) -> WindowState:
  """The state of a sequence of which nothing has been read."""
  empty = jnp.zeros((batch_size, window, heads, head_width), dtype)
  return WindowState(empty, empty, jnp.zeros((batch_size,), jnp.int32))


def window_attention(
    queries: jax.Array,  # [B, T, H, K]
    keys: jax.Array,  # [B, T, H, K]
    values: jax.Array,  # [B, T, H, K]
    state: WindowState,
    *,
    block: int,
) -> tuple[jax.Array, WindowState]:  # [B, T, H, K]
  """Each query sees the keys at distances 0 to W - 1, by rotary position. Softmax in float32.

  Exact for any T >= 1. `block` divides W; bands have C = min(block, T) queries and W + C keys.
  """
  chex.assert_rank([queries, state.keys], [4, 4])
  chex.assert_equal_shape([queries, keys, values])
  chex.assert_equal_shape_suffix([keys, state.keys], 2)
  window, length = state.keys.shape[1], queries.shape[1]
  size = min(block, length)
  count = -(-length // size)

  all_keys = jnp.concatenate([state.keys, keys.astype(state.keys.dtype)], axis=1)
  all_values = jnp.concatenate([state.values, values.astype(state.values.dtype)], axis=1)
  q = rotary.rotate(queries, window) * queries.shape[-1] ** -0.5
  k = _bands(rotary.rotate(all_keys, 0).astype(q.dtype), count, size, window)
  v = _bands(all_values.astype(q.dtype), count, size, window)
  q = _pad_time(q, count * size).reshape(q.shape[0], count, size, *q.shape[2:])

  scores = jnp.einsum('bnihk,bnjhk->bnhij', q, k, preferred_element_type=jnp.float32)
  visible = _visible(count, size, window, state.seen)
  weights = jax.nn.softmax(jnp.where(visible, scores, -jnp.inf), axis=-1)
  out = jnp.einsum('bnhij,bnjhk->bnihk', weights.astype(v.dtype), v)
  out = out.reshape(out.shape[0], -1, *out.shape[3:])[:, :length]

  seen = jnp.minimum(state.seen + length, window)
  return out, WindowState(all_keys[:, length:], all_values[:, length:], seen)


def _pad_time(x: jax.Array, length: int) -> jax.Array:
  return jnp.pad(x, [(0, 0), (0, length - x.shape[1])] + [(0, 0)] * (x.ndim - 2))


def _bands(x: jax.Array, count: int, size: int, window: int) -> jax.Array:
  """[B, W + T, H, K] -> [B, N, W + C, H, K]: band n holds what its C queries may see."""
  if count == 1:
    return x[:, None]
  x = _pad_time(x, window + count * size)
  tiles = x.reshape(x.shape[0], -1, size, *x.shape[2:])  # C divides W when there are many bands.
  shifted = [tiles[:, i : i + count] for i in range(window // size + 1)]
  return jnp.concatenate(shifted, axis=2)


def _visible(count: int, size: int, window: int, seen: jax.Array) -> jax.Array:
  """[B, N, 1, C, W + C] bool: causal, within the window, and not before the sequence began."""
  query, key = np.arange(size)[:, None], np.arange(window + size)
  distance = query + window - key
  near = (distance >= 0) & (distance < window)  # [C, W + C]
  time = np.arange(count)[:, None] * size + key - window  # [N, W + C], 0 is the chunk's first byte
  begun = time >= -seen[:, None, None]  # [B, N, W + C]
  return jnp.asarray(near) & begun[:, :, None, None, :]
