"""Sliding-window attention: exact recall of the near past.

Shapes: B batch, T time (bytes), D width, H heads, W window.
"""

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral.config import AttentionConfig
from haiku_spectral.modules import layers
from haiku_spectral.ops import window_attention


class WindowAttention(hk.Module):
  """Causal, rotary, multi-head attention to the last W bytes."""

  def __init__(self, config: AttentionConfig, *, out_scale: float, name: str = 'attention'):
    super().__init__(name=name)
    self._config = config
    self._out_scale = out_scale

  def __call__(
      self, x: jax.Array, state: window_attention.WindowState  # [B, T, D]
  ) -> tuple[jax.Array, window_attention.WindowState]:  # [B, T, D]
    heads = (*x.shape[:2], 3, self._config.heads, x.shape[-1] // self._config.heads)
    projected = layers.Projection(3 * x.shape[-1], name='in')(x).reshape(heads)
    queries, keys, values = (projected[:, :, i] for i in range(3))
    read, state = window_attention.window_attention(
        queries, keys, values, state, block=self._config.block)
    read = jnp.reshape(read, x.shape)
    return layers.Projection(x.shape[-1], scale=self._out_scale, name='out')(read), state


def initial_state(config: AttentionConfig, batch_size: int, width: int,
                  dtype: jax.typing.DTypeLike) -> window_attention.WindowState:
  """The state of a sequence of which nothing has been read."""
  return window_attention.initial_state(
      batch_size, config.window, config.heads, width // config.heads, dtype)
