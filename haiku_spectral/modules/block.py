"""A residual block: a mixer of any kind and a gated MLP, each after a norm."""

from typing import Any

import haiku as hk
import jax

from haiku_spectral.config import ModelConfig
from haiku_spectral.modules import layers
from haiku_spectral.modules.mixer import Make, Mixer


class Block(hk.Module):
  """x + mixer(norm(x)), then x + mlp(norm(x))."""

  def __init__(self, config: ModelConfig, mixer: Mixer, make: Make, *, name: str):
    super().__init__(name=name)
    self._config = config
    self._mixer = mixer
    self._make = make  # `mixer.module`, or another form of it.

  def __call__(
      self, x: jax.Array, state: Any, starts: jax.Array | None = None  # [B, T, D], [B, T]
  ) -> tuple[jax.Array, Any]:  # [B, T, D]
    config = self._config
    # Each of the 2 x layers branches adds its share of a variance that stays near 1.
    out_scale = (2 * config.layers) ** -0.5
    module = self._make(self._mixer.config(config), out_scale=out_scale)
    given = (state,) if starts is None or not self._mixer.takes_starts else (state, starts)
    mixed, state = module(layers.Norm(name='norm_mixer')(x), *given)
    x = x + mixed
    mlp = layers.GatedMLP(config.mlp_width, out_scale=out_scale, name='mlp')
    return x + mlp(layers.Norm(name='norm_mlp')(x)), state
