"""SpectralGPT: bytes in, logits of the next byte out, and a state of fixed size between chunks.

Shapes: B batch, T time (bytes), D width, V the 260 ids of the vocabulary, L super-blocks.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral import vocab
from haiku_spectral.config import ModelConfig, validate_model
from haiku_spectral.modules import block, filters, layers
from haiku_spectral.ops import fft_conv

State = Any  # A tuple of mixer states, one for each letter; leaves are [L, B, ...].
BATCH_AXIS = 1  # Of every leaf of a state.


class Table(hk.Module):
  """A vector for each id: the embedding, and the head."""

  def __init__(self, width: int, init: hk.initializers.Initializer, *, name: str):
    super().__init__(name=name)
    self._width = width
    self._init = init

  def __call__(self) -> jax.Array:  # [V, D]
    return hk.get_parameter('table', (vocab.SIZE, self._width), init=self._init)


class SpectralGPT(hk.Module):
  """Super-blocks of the config's pattern of mixers between an embedding and a head."""

  def __init__(self, config: ModelConfig, *, name: str = 'spectral_gpt'):
    super().__init__(name=name)
    self._config = config

  def __call__(
      self, tokens: jax.Array, state: State  # [B, T] int32
  ) -> tuple[jax.Array, State]:  # [B, T, V] float32
    config = self._config
    chex.assert_rank(tokens, 2)
    chex.assert_axis_dimension(jax.tree.leaves(state)[0], BATCH_AXIS, tokens.shape[0])

    def super_block(x: jax.Array, states: State) -> tuple[jax.Array, State]:
      new_states = []
      for i, (letter, mixer_state) in enumerate(zip(config.pattern, states, strict=True)):
        x, mixer_state = block.Block(config, letter, name=f'block_{i}')(x, mixer_state)
        new_states.append(mixer_state)
      return x, tuple(new_states)

    if config.remat:
      super_block = hk.remat(super_block)
    table = Table(config.width, hk.initializers.RandomNormal(), name='embedding')()
    x = table[tokens]
    count = config.layers // len(config.pattern)
    stack = hk.layer_stack(count, with_per_layer_inputs=True, name='stack')
    x, state = stack(super_block)(x, state)
    x = layers.Norm(name='norm')(x)
    if config.tied_head:
      head = table * jnp.asarray(1 / config.width, table.dtype)
    else:
      init = hk.initializers.RandomNormal(0.1 * config.width**-0.5)
      head = Table(config.width, init, name='head')()
    # Either way the first predictions are close to uniform.
    return jnp.einsum('btd,vd->btv', x, head, preferred_element_type=jnp.float32), state


def reset(state: State, fresh: jax.Array, initial: State) -> State:  # fresh: [B] bool
  """The state with its fresh rows as if nothing had been read."""
  def where(old: jax.Array, new: jax.Array) -> jax.Array:
    shape = (1, -1) + (1,) * (old.ndim - 2)
    return jnp.where(fresh.reshape(shape), new, old)

  return jax.tree.map(where, state, initial)


class Model(NamedTuple):
  """The model as pure functions."""

  init: Callable[[jax.Array], hk.MutableParams]  # A key -> float32 parameters.
  apply: Callable[..., tuple[jax.Array, State]]  # (params, tokens, state) -> (logits, state)
  initial_state: Callable[..., State]  # (batch_size, dtype) -> the state of "nothing read yet"


@functools.cache  # A model is known by its functions: what was compiled for it stays.
def make_model(config: ModelConfig) -> Model:
  """Raises ValueError when the config is not allowed."""
  validate_model(config)
  transformed: hk.Transformed = hk.without_apply_rng(
      hk.transform(lambda tokens, state: SpectralGPT(config)(tokens, state)))

  def initial_state(batch_size: int, dtype: jax.typing.DTypeLike = jnp.float32) -> State:
    count = config.layers // len(config.pattern)
    one = tuple(
        block.initial_state(config, letter, batch_size, dtype) for letter in config.pattern)
    return jax.tree.map(lambda x: jnp.zeros((count, *x.shape), x.dtype), one)

  def init(key: jax.Array) -> hk.MutableParams:
    return transformed.init(key, jnp.zeros((1, 1), jnp.int32), initial_state(1))

  return Model(init, transformed.apply, initial_state)


def tail_mass(config: ModelConfig, params: hk.Params, length: int) -> jax.Array:  # []
  """The share of the long filters' energy at lags of `length` bytes and more.

  What a model learnt there it cannot have learnt from segments of `length` bytes.
  """
  def energies(filter_params: Mapping[str, jax.Array]) -> jax.Array:  # [2]
    def measure():
      module = filters.FILTERS[config.hyena.filter.kind](config.hyena.filter, config.width)
      return jnp.stack([jnp.sum(module.energy_beyond(lag)) for lag in (length, 0)])

    return hk.transform(measure).apply({'filter': filter_params}, None)

  parts = [
      jnp.sum(jax.vmap(energies)(filter_params), axis=0)
      for path, filter_params in params.items() if filters.is_filter(path)
  ]
  beyond, whole = sum(parts, jnp.zeros(2))
  return beyond / jnp.maximum(whole, 1e-12)


def training_flops_per_byte(config: ModelConfig, segment: int) -> float:
  """Floating-point operations per byte of a training step (forward and backward, no remat).

  Six for each weight of a matrix product, and the mixers' own: transforms at 2.5 N log2 N, bands of
  attention, blocks of memory. Element-wise work is left out.
  """
  width, count = config.width, config.layers // len(config.pattern)
  order, memory, window = config.hyena.order, config.memory, config.attention
  size = fft_conv.transform_size(segment + config.hyena.filter.horizon - 1)
  transforms = 2 * 2.5 * size * math.log2(size) / segment * width * (order - 1)
  head = width // memory.heads
  mixers = {
      'H': 2 * (order + 2) * width**2 + transforms,
      'M': 2 * 5 * width**2 + 4 * width * (memory.block + head),
      'A': 2 * 4 * width**2 + 4 * width * (window.window + window.block),
  }
  mlp = 2 * 3 * width * config.mlp_width
  forward = sum(mixers[letter] + mlp for letter in config.pattern) * count
  return 3 * (forward + 2 * width * vocab.SIZE)
