"""The online head: a correction of the logits that is learnt while text is read.

Not trained: its weights are part of the state, begin at zero, and take steps of gradient descent on
what the model has read (`ops/online_head`). Its features are the last hidden state, of length 1.

Shapes: B batch, T time (bytes), D width, V the 260 ids.
"""

import functools
from collections.abc import Callable
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral import vocab
from haiku_spectral.config import OnlineHeadConfig
from haiku_spectral.modules.mixer import BlockPart, Mixer
from haiku_spectral.ops import head_cache, online_head
from haiku_spectral.ops.online_head import HeadState


class OnlineHead(hk.Module):
  """Corrects the logits of a chunk. Without parameters."""

  def __init__(self, config: OnlineHeadConfig, *, out_scale: float,
               operator: Callable = online_head.correct, name: str = 'online_head'):
    super().__init__(name=name)
    del out_scale
    self._config = config
    self._operator = operator

  def __call__(
      self, x: jax.Array, logits: jax.Array, ids: jax.Array, state: Any
  ) -> tuple[jax.Array, Any]:  # [B, T, D], [B, T, V], [B, T] -> [B, T, V]
    wide = x.astype(jnp.float32)
    features = wide * jax.lax.rsqrt(jnp.sum(wide**2, axis=-1, keepdims=True) + 1e-6)
    return self._operator(features, logits, ids, state, rate=self._config.rate)


def initial_state(config: OnlineHeadConfig, batch_size: int, width: int, dtype: Any) -> HeadState:
  """The state of an empty context."""
  del config, dtype
  return online_head.initial_state(batch_size, width, vocab.SIZE)


def flops(config: OnlineHeadConfig, width: int, segment: int) -> float:
  """Products of reading and of learning, per byte forward."""
  del config, segment
  return 2 * 2 * width * vocab.SIZE


def _step(features: jax.Array, logits: jax.Array, ids: jax.Array, cached: Any, *, rate: float):
  return head_cache.correct(features, logits, ids, cached.block, rate=rate)


def _parts(config: OnlineHeadConfig, dtype: Any) -> BlockPart:
  del dtype
  return BlockPart(head_cache.to_cache, functools.partial(head_cache.from_cache, rate=config.rate),
                   head_cache.append)


MIXER = Mixer(
    letter='', name='OnlineHead', config=lambda model: model.online_head, module=OnlineHead,
    initial_state=initial_state, flops=flops, reach=lambda config: None, parts=_parts,
    step=functools.partial(OnlineHead, operator=_step), reads_ids=True)
