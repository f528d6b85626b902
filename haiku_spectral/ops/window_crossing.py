"""`window_attention` on a slice of time: the left neighbours' last keys and values are its window.

Shapes: B batch, T time (bytes) of a slice, H heads, K head width, W window.
"""

import jax

from haiku_spectral.ops import slices, window_attention
from haiku_spectral.ops.window_attention import WindowState


def attention(
    queries: jax.Array,  # [B, T, H, K]
    keys: jax.Array,  # [B, T, H, K]
    values: jax.Array,  # [B, T, H, K]
    state: WindowState,  # Before the first slice.
    *,
    starts: jax.Array | None = None,  # [B, T] bool
    block: int,
) -> tuple[jax.Array, WindowState]:  # [B, T, H, K]
  """`window_attention.window_attention` of a slice, and the state after it."""
  before = WindowState(
      slices.left_tail(keys, state.keys), slices.left_tail(values, state.values),
      slices.entering_count(
          slices.stream_count(starts, keys.shape[:2]), state.seen, state.keys.shape[1]))
  return window_attention.window_attention(
      queries, keys, values, before, starts=starts, block=block)
