"""Causal attention to the last W bytes, in bands: cost O(T W), never a [T, T] matrix.

Shapes: B batch, T time (bytes), H heads, K head width, W window, N bands, C queries in a band.
"""

from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from haiku_spectral.ops import rotary

GREATEST_SCORE = 60.0  # The sum of e^60 over any window is far from what float32 holds.
AT_ONCE = 8192  # Bytes of a long chunk whose scores are in memory together.


class WindowState(NamedTuple):
  """The last W keys and values, not rotated: positions are counted inside each chunk anew."""

  keys: jax.Array  # [B, W, H, K]
  values: jax.Array  # [B, W, H, K]
  seen: jax.Array  # [B] int32: how many of the W are real, the latest ones.


def initial_state(batch_size: int, window: int, heads: int, head_width: int,
                  dtype: jax.typing.DTypeLike) -> WindowState:
  """The state of an empty context."""
  empty = jnp.zeros((batch_size, window, heads, head_width), dtype)
  return WindowState(empty, empty, jnp.zeros((batch_size,), jnp.int32))


def window_attention(
    queries: jax.Array,  # [B, T, H, K]
    keys: jax.Array,  # [B, T, H, K]
    values: jax.Array,  # [B, T, H, K]
    state: WindowState,
    *,
    starts: jax.Array | None = None,  # [B, T] bool: nothing before this byte is seen from it on.
    block: int,
) -> tuple[jax.Array, WindowState]:  # [B, T, H, K]
  """Each query sees the keys at distances 0 to W - 1, by rotary position. Softmax in float32.

  Exact for any T >= 1. `block` divides W; bands have C = min(block, T) queries and W + C keys.
  From twice `AT_ONCE` bytes on a chunk is cut, and the backward pass computes its scores again.
  """
  chex.assert_rank([queries, state.keys], [4, 4])
  chex.assert_equal_shape([queries, keys, values])
  chex.assert_equal_shape_suffix([keys, state.keys], 2)
  window, length = state.keys.shape[1], queries.shape[1]
  if length >= 2 * AT_ONCE:
    return _by_chunks(queries, keys, values, starts, state, block)
  size = min(block, length)
  count = -(-length // size)

  all_keys = jnp.concatenate([state.keys, keys.astype(state.keys.dtype)], axis=1)
  all_values = jnp.concatenate([state.values, values.astype(state.values.dtype)], axis=1)
  q = rotary.rotate(queries, window) * queries.shape[-1] ** -0.5
  q = _tiles(q, count, size)
  k = _bands(rotary.rotate(all_keys, 0).astype(q.dtype), count, size, window)
  v = _bands(all_values.astype(q.dtype), count, size, window)

  begins = -state.seen[:, None]  # [B, 1 or T]: the first time that is seen; 0 is the chunk's first.
  if starts is not None:
    begins = jnp.where(starts, np.arange(length), begins)
    begins = lax.cummax(begins, axis=1)
  scores = jnp.einsum('bhnik,bhnjk->bhnij', q, k, preferred_element_type=jnp.float32)
  # Softmax, divided after the product: K numbers per query instead of W + C.
  weights = unnormalised(scores, _visible(count, size, window, begins))
  dtype = product_type(v.dtype)
  out = jnp.einsum('bhnij,bhnjk->bhnik', weights.astype(dtype), v.astype(dtype),
                   preferred_element_type=jnp.float32)
  # The derivative of a division has the square of the sum, which may be too large for float32.
  out *= jnp.exp(-jnp.log(jnp.sum(weights, axis=-1, keepdims=True)))
  out = out.astype(queries.dtype)
  out = out.reshape(*out.shape[:2], -1, out.shape[-1])[:, :, :length].swapaxes(1, 2)

  seen = jnp.minimum(length - begins[:, -1], window)
  return out, WindowState(all_keys[:, length:], all_values[:, length:], seen)


def unnormalised(scores: jax.Array, visible: jax.Array) -> jax.Array:
  """exp(score) where visible, else 0: softmax before the division by the sum.

  Not relative to the greatest score, which would take another pass over all of them: queries and
  keys have one length, so that scores of trained models are below 30 on either side. Beyond
  `GREATEST_SCORE` they are cut off, and their gradients pass as if they were not.
  """
  cut = jnp.clip(scores, -GREATEST_SCORE, GREATEST_SCORE)
  # In this form the backward pass needs the weights alone, not the scores.
  return jnp.exp(jnp.where(visible, scores + lax.stop_gradient(cut - scores), -jnp.inf))


def product_type(dtype: jax.typing.DTypeLike) -> Any:
  """In which the weights meet values of `dtype`: e^60 is too large for float16 alone."""
  return jnp.promote_types(dtype, jnp.bfloat16)


def _by_chunks(
    queries: jax.Array, keys: jax.Array, values: jax.Array, starts: jax.Array | None,
    state: WindowState, block: int,
) -> tuple[jax.Array, WindowState]:
  """`window_attention`, chunk by chunk."""
  def attend(state: WindowState, chunk: tuple) -> tuple[WindowState, jax.Array]:
    q, k, v, starts = chunk
    out, state = window_attention(q, k, v, state, starts=starts, block=block)
    return state, out

  def cut(x: jax.Array) -> jax.Array:  # [B, T, ...] -> [chunks, B, AT_ONCE, ...]
    return jnp.moveaxis(
        x[:, :whole].reshape(x.shape[0], -1, AT_ONCE, *x.shape[2:]), 1, 0)

  whole = queries.shape[1] // AT_ONCE * AT_ONCE
  given = queries, keys, values, starts
  state, out = lax.scan(jax.checkpoint(attend), state, jax.tree.map(cut, given))
  out = jnp.moveaxis(out, 0, 1).reshape(queries.shape[0], whole, *queries.shape[2:])
  if whole < queries.shape[1]:
    state, rest = attend(state, jax.tree.map(lambda x: x[:, whole:], given))
    out = jnp.concatenate([out, rest], axis=1)
  return out, state


def _tiles(x: jax.Array, count: int, size: int) -> jax.Array:
  """[B, T, H, K] -> [B, H, N, C, K], zero-padded to count tiles."""
  x = jnp.pad(x, [(0, 0), (0, count * size - x.shape[1]), (0, 0), (0, 0)]).swapaxes(1, 2)
  return x.reshape(*x.shape[:2], count, size, x.shape[-1])


def _bands(x: jax.Array, count: int, size: int, window: int) -> jax.Array:
  """[B, W + T, H, K] -> [B, H, N, W + C, K]: band n holds what its C queries may see."""
  if count == 1:
    return x.swapaxes(1, 2)[:, :, None]
  behind = window // size  # C divides W when there are many bands.
  tiles = _tiles(x, count + behind, size)
  return jnp.concatenate([tiles[:, :, i : i + count] for i in range(behind + 1)], axis=3)


def _visible(count: int, size: int, window: int, begins: jax.Array) -> jax.Array:
  """[B, 1, N, C, W + C] bool: causal, within the window, and not before `begins` [B, 1 or T]."""
  query, key = np.arange(size)[:, None], np.arange(window + size)
  distance = query + window - key
  near = (distance >= 0) & (distance < window)  # [C, W + C]
  time = np.arange(count)[:, None] * size + key - window  # [N, W + C], 0 is the chunk's first byte
  if begins.shape[1] > 1:
    begins = jnp.pad(begins, [(0, 0), (0, count * size - begins.shape[1])])
  begins = begins.reshape(begins.shape[0], 1, -1, min(begins.shape[1], size), 1)
  return jnp.asarray(near) & (time[:, None] >= begins)
