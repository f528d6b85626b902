"""Sliding-window attention byte by byte: keys are rotated once, when they arrive.

Keys and values lie in W + C places, those before the block and then its own. Positions are places,
so angles never grow; when the block is full, all move by C places and are rotated anew.

Shapes: B batch, T time (bytes), H heads, K head width, W window, C bytes of a block.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops import rotary
from haiku_spectral.ops.conv_cache import BLOCK
from haiku_spectral.ops.window_attention import WindowState, product_type, unnormalised


class WindowBlock(NamedTuple):
  """An attention window inside a block."""

  keys: jax.Array  # [B, W + C, H, K]: as they were given.
  rotated: jax.Array  # [B, H, K, W + C]: the keys at their places.
  values: jax.Array  # [B, H, W + C, K]
  first: jax.Array  # [B] int32: the first place that is not empty.
  filled: jax.Array  # [] int32


class Entries(NamedTuple):
  """Keys and values of T bytes."""

  keys: jax.Array  # [B, T, H, K]
  rotated: jax.Array  # [B, H, K, T]
  values: jax.Array  # [B, H, T, K]


def to_cache(state: WindowState, filled: jax.Array) -> WindowBlock:
  """The decode cache `filled` bytes into a block."""
  def line(x: jax.Array) -> jax.Array:
    return jnp.roll(jnp.pad(x, [(0, 0), (0, BLOCK), (0, 0), (0, 0)]), filled, axis=1)

  keys, values = line(state.keys), line(state.values)
  return WindowBlock(
      keys, _places_last(rotary.rotate(keys, 0)), values.swapaxes(1, 2),
      state.keys.shape[1] + filled - state.seen, filled)


def from_cache(state: WindowBlock) -> WindowState:
  """The state of the chunk call."""
  window = state.keys.shape[1] - BLOCK
  keys, values = (
      lax.dynamic_slice_in_dim(x, state.filled, window, axis=1)
      for x in (state.keys, state.values.swapaxes(1, 2)))
  return WindowState(keys, values, jnp.minimum(window + state.filled - state.first, window))


def window_attention(
    queries: jax.Array,  # [B, T, H, K]
    keys: jax.Array,  # [B, T, H, K]
    values: jax.Array,  # [B, T, H, K]
    state: WindowBlock,
) -> tuple[jax.Array, Entries]:  # [B, T, H, K]
  """`window_attention.window_attention` for T bytes of a block, and the entries to append."""
  chex.assert_rank([queries, state.keys], 4)
  chex.assert_equal_shape([queries, keys, values])
  dtype, places, length = queries.dtype, state.keys.shape[1], queries.shape[1]
  window = places - BLOCK
  place = window + state.filled
  keys = keys.astype(state.keys.dtype)
  new = Entries(
      keys, _places_last(rotary.rotate(keys, place, places)),
      values.astype(state.values.dtype).swapaxes(1, 2))
  q = rotary.rotate(queries, place, places) * queries.shape[-1] ** -0.5

  def weights(rotated: jax.Array, visible: jax.Array) -> jax.Array:  # [B, H, T, J] float32
    scores = jnp.einsum('bthk,bhkj->bhtj', q, rotated.astype(dtype),
                        preferred_element_type=jnp.float32)
    return unnormalised(scores, visible)

  at = jnp.arange(places)
  near = (at < place) & (at > place + jnp.arange(length)[:, None] - window)  # [T, W + C]
  begun = at >= state.first[:, None]  # [B, W + C]
  old = weights(state.rotated, near & begun[:, None, None])
  own = weights(new.rotated, jnp.tri(length, dtype=bool))

  def read(weights: jax.Array, values: jax.Array) -> jax.Array:  # [B, H, T, K] float32
    wide = product_type(dtype)
    return jnp.einsum('bhtj,bhjk->bhtk', weights.astype(wide), values.astype(wide),
                      preferred_element_type=jnp.float32)

  total = (jnp.sum(old, axis=-1) + jnp.sum(own, axis=-1))[..., None]
  out = (read(old, state.values) + read(own, new.values)) / total
  return out.astype(dtype).swapaxes(1, 2), new


def append(state: WindowBlock, new: Entries) -> WindowBlock:
  """Appends T bytes; the block must have room for them."""
  place = state.keys.shape[1] - BLOCK + state.filled

  def put(line: jax.Array, new: jax.Array, axis: int) -> jax.Array:
    return lax.dynamic_update_slice_in_dim(line, new, place, axis=axis)

  return WindowBlock(
      put(state.keys, new.keys, 1), put(state.rotated, new.rotated, 3),
      put(state.values, new.values, 2), state.first, state.filled + new.keys.shape[1])


def _places_last(x: jax.Array) -> jax.Array:  # [B, T, H, K] -> [B, H, K, T]
  return jnp.moveaxis(x, 1, 3)
