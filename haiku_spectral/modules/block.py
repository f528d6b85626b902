"""A residual block: a mixer of any kind and a gated MLP, each after a norm."""

from collections.abc import Callable
from typing import Any, NamedTuple

import haiku as hk
import jax

from haiku_spectral.config import ModelConfig
from haiku_spectral.modules import attention, hyena, layers, memory


class Mixer(NamedTuple):
  """A kind of mixer: its part of the config, its module and its state."""

  config: Callable[[ModelConfig], Any]
  module: Callable[..., Any]
  initial_state: Callable[..., Any]


MIXERS = {
    'H': Mixer(lambda model: model.hyena, hyena.Hyena, hyena.initial_state),
    'M': Mixer(lambda model: model.memory, memory.ResidualMemory, memory.initial_state),
    'A': Mixer(lambda model: model.attention, attention.WindowAttention, attention.initial_state),
}


class Block(hk.Module):
  """x + mixer(norm(x)), then x + mlp(norm(x))."""

  def __init__(self, config: ModelConfig, letter: str, *, name: str):
    super().__init__(name=name)
    self._config = config
    self._letter = letter

  def __call__(
      self, x: jax.Array, state: Any  # [B, T, D]
  ) -> tuple[jax.Array, Any]:  # [B, T, D]
    config = self._config
    # Each of the 2 x layers branches adds its share of a variance that stays near 1.
    out_scale = (2 * config.layers) ** -0.5
    mixer = MIXERS[self._letter]
    module = mixer.module(mixer.config(config), out_scale=out_scale)
    mixed, state = module(layers.Norm(name='norm_mixer')(x), state)
    x = x + mixed
    mlp = layers.GatedMLP(config.mlp_width, out_scale=out_scale, name='mlp')
    return x + mlp(layers.Norm(name='norm_mlp')(x)), state


def initial_state(config: ModelConfig, letter: str, batch_size: int, dtype: jax.typing.DTypeLike
                  ) -> Any:
  """The state of a block that has read nothing."""
  mixer = MIXERS[letter]
  return mixer.initial_state(mixer.config(config), batch_size, config.width, dtype)
