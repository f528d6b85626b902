"""A mixer that the product does not know, as docs/adding_a_mixer.md makes it."""

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral.modules.mixer import by_snapshots


class MovingAverage(hk.Module):
  """s_t = a s_{t-1} + (1 - a) x_t per channel; the output is a gated s_t."""

  def __init__(self, config: None, *, out_scale: float, name: str = 'moving_average'):
    super().__init__(name=name)
    del config
    self._out_scale = out_scale

  def __call__(self, x: jax.Array, state: jax.Array) -> tuple[jax.Array, jax.Array]:
    keep = jax.nn.sigmoid(
        hk.get_parameter('keep', x.shape[-1:], init=hk.initializers.RandomUniform(0, 4)))
    gate = hk.get_parameter('gate', x.shape[-1:], init=jnp.ones)

    def one(s: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
      s = keep * s + (1 - keep) * x
      return s, s

    state, averages = jax.lax.scan(one, state, x.astype(jnp.float32).swapaxes(0, 1))
    return (self._out_scale * gate * averages.swapaxes(0, 1)).astype(x.dtype), state


MIXER = by_snapshots(
    letter='E', name='MovingAverage', config=lambda model: None, module=MovingAverage,
    initial_state=lambda config, batch_size, width, dtype: jnp.zeros((batch_size, width)),
    flops=lambda config, width, segment: 6.0 * width, reach=lambda config: None)
