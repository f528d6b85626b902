"""Sliding-window attention: exact recall of the near past.

Shapes: B batch, T time (bytes), D width, H heads, W window.
"""

from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral.config import AttentionConfig
from haiku_spectral.modules import layers
from haiku_spectral.ops import online_window, window_attention


class WindowAttention(hk.Module):
  """Causal, rotary, multi-head attention to the last W bytes.

  Inside a block (`modules/online`) it returns what to append in the place of a state.
  """

  def __init__(self, config: AttentionConfig, *, out_scale: float, name: str = 'attention'):
    super().__init__(name=name)
    self._config = config
    self._out_scale = out_scale

  def __call__(
      self, x: jax.Array, state: window_attention.WindowState | online_window.WindowBlock
  ) -> tuple[jax.Array, Any]:  # [B, T, D] -> [B, T, D]
    heads = (*x.shape[:2], 3, self._config.heads, x.shape[-1] // self._config.heads)
    projected = layers.Projection(3 * x.shape[-1], name='in')(x).reshape(heads)
    queries, keys, values = (projected[:, :, i] for i in range(3))
    new: Any
    if isinstance(state, online_window.WindowBlock):
      read, new = online_window.window_attention(queries, keys, values, state)
    else:
      read, new = window_attention.window_attention(
          queries, keys, values, state, block=self._config.block)
    read = jnp.reshape(read, x.shape)
    return layers.Projection(x.shape[-1], scale=self._out_scale, name='out')(read), new


def initial_state(config: AttentionConfig, batch_size: int, width: int,
                  dtype: jax.typing.DTypeLike) -> window_attention.WindowState:
  """The state of a sequence of which nothing has been read."""
  return window_attention.initial_state(
      batch_size, config.window, config.heads, width // config.heads, dtype)
