"""Sliding-window attention: exact recall of the near past.

Shapes: B batch, T time (bytes), D width, H heads, W window.
"""

import functools
from collections.abc import Callable
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral.config import AttentionConfig
from haiku_spectral.modules import layers
from haiku_spectral.modules.mixer import BlockPart, Cached, Mixer
from haiku_spectral.ops import slices, window_attention, window_cache, window_crossing


class WindowAttention(hk.Module):
  """Causal, rotary, multi-head attention to the last W bytes."""

  def __init__(self, config: AttentionConfig, *, out_scale: float,
               operator: Callable = window_attention.window_attention, name: str = 'attention'):
    super().__init__(name=name)
    self._config = config
    self._out_scale = out_scale
    self._operator = operator

  def __call__(
      self, x: jax.Array, state: Any, starts: jax.Array | None = None  # [B, T, D], [B, T]
  ) -> tuple[jax.Array, Any]:  # [B, T, D]
    heads = (*x.shape[:2], 3, self._config.heads, x.shape[-1] // self._config.heads)
    projected = layers.Projection(3 * x.shape[-1], name='in')(x).reshape(heads)
    queries, keys, values = (projected[:, :, i] for i in range(3))
    # Of one length, so that no score runs away (Dehghani et al. 2023, 2302.05442).
    queries = layers.Norm(name='norm_queries')(queries)
    keys = layers.Norm(name='norm_keys')(keys)
    read, state = self._operator(
        queries, keys, values, state, starts=starts, block=self._config.block)
    read = jnp.reshape(read, x.shape)
    return layers.Projection(x.shape[-1], scale=self._out_scale, name='out')(read), state


def initial_state(config: AttentionConfig, batch_size: int, width: int,
                  dtype: jax.typing.DTypeLike) -> window_attention.WindowState:
  """The state of an empty context."""
  return window_attention.initial_state(
      batch_size, config.window, config.heads, width // config.heads, dtype)


def flops(config: AttentionConfig, width: int, segment: int) -> float:
  """Products, and bands of attention, per byte forward."""
  del segment
  return 2 * 4 * width**2 + 4 * width * (config.window + config.block)


def crossing_bytes(
    config: AttentionConfig, width: int, cut: slices.Cut, itemsize: int) -> slices.Sent:
  """The last keys and values, and how many are real."""
  return slices.Sent(
      2 * cut.tail(config.window, width * itemsize), cut.scan(slices.COUNT_BYTES))


def _step(
    queries: jax.Array, keys: jax.Array, values: jax.Array, cached: Cached, *, starts: None,
    block: int,
) -> tuple[jax.Array, window_cache.Entries]:
  del starts, block
  return window_cache.window_attention(queries, keys, values, cached.block)


WINDOW = BlockPart(window_cache.to_cache, window_cache.from_cache, window_cache.append)

MIXER = Mixer(
    letter='A', name='WindowAttention', config=lambda model: model.attention,
    module=WindowAttention, initial_state=initial_state, flops=flops,
    reach=lambda config: config.window - 1, parts=lambda config, dtype: WINDOW,
    step=functools.partial(WindowAttention, operator=_step), takes_starts=True,
    crossing=functools.partial(WindowAttention, operator=window_crossing.attention),
    crossing_bytes=crossing_bytes)
