"""Residual memory: a gated matrix of associations, kept for as long as a conversation lasts.

Shapes: B batch, T time (bytes), D width, H heads, K = D / H key and value width of a head.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral.config import MemoryConfig
from haiku_spectral.modules import layers, time_constants
from haiku_spectral.modules.mixer import BlockPart, Cached, Mixer
from haiku_spectral.ops import (
  conv_crossing,
  fft_conv,
  linear_memory,
  memory_cache,
  memory_crossing,
  slices,
)
from haiku_spectral.ops.linear_memory import Gates

# The delta rule may also turn around what a key recalls (Grazzi et al. 2024, 2411.12537).
MOST_ERASED = 2.0


class MemoryState(NamedTuple):
  """What the memory holds between chunks; its size does not depend on the context."""

  short: Any  # fft_conv.ConvState: [B, short_width - 1, 3 D]
  matrix: Any  # [B, H, K, K] float32


class Operators(NamedTuple):
  """The two that carry a state."""

  short: Callable[..., tuple[jax.Array, Any]] = fft_conv.causal_conv  # (x, taps, state)
  memory: Callable[..., tuple[jax.Array, Any]] = linear_memory.linear_memory


def _step_memory(
    queries: jax.Array, keys: jax.Array, values: jax.Array, log_decay: jax.Array, cached: Cached,
    gates: Gates | None, *, starts: None, block: int,
) -> tuple[jax.Array, memory_cache.Entries]:
  del starts, block
  return memory_cache.linear_memory(queries, keys, values, log_decay, cached.block, gates)


CHUNK = Operators()
CROSSING = Operators(conv_crossing.causal_conv, memory_crossing.linear_memory)
STEP = Operators(layers.short_conv_step, _step_memory)


class ResidualMemory(hk.Module):
  """Gated associative memory with data-dependent decay (the update rules: `ops/linear_memory`).

  Queries, keys and values go through a short convolution and SiLU; queries and keys have unit
  length; what is read passes a gate that a narrow layer makes. The decays of the heads start at
  log-uniform time constants, the longest of them thousands of bytes.
  """

  def __init__(self, config: MemoryConfig, *, out_scale: float, operators: Operators = CHUNK,
               name: str = 'memory'):
    super().__init__(name=name)
    self._config = config
    self._out_scale = out_scale
    self._operators = operators

  def __call__(
      self, x: jax.Array, state: MemoryState, starts: jax.Array | None = None  # [B, T, D], [B, T]
  ) -> tuple[jax.Array, MemoryState]:  # [B, T, D]
    config, width = self._config, x.shape[-1]
    projected = layers.Projection(3 * width, name='in')(x)
    conv = layers.ShortConv(config.short_width, operator=self._operators.short, name='short')
    mixed, short = conv(projected, state.short)
    mixed = jax.nn.silu(mixed).astype(jnp.float32)
    queries, keys, values = (
        part.reshape(*x.shape[:2], config.heads, -1) for part in jnp.split(mixed, 3, axis=-1))
    queries, keys = _unit(queries), _unit(keys)

    gates = None
    if config.rule == 'delta':
      strength = layers.Projection(2 * config.heads, name='strength')(x).astype(jnp.float32)
      erase, write = jnp.split(jax.nn.sigmoid(strength), 2, axis=-1)
      gates = Gates(MOST_ERASED * erase, write)
    read, matrix = self._operators.memory(
        queries, keys, values, Decay(config)(x), state.matrix, gates, starts=starts,
        block=config.block)

    read = layers.Norm(name='norm')(read).reshape(x.shape).astype(x.dtype)
    narrow = layers.Projection(width // config.heads, name='gate_in')(x)
    bias = hk.get_parameter('gate_bias', (width,), init=jnp.zeros).astype(x.dtype)
    gate = jax.nn.sigmoid(layers.Projection(width, name='gate_out')(narrow) + bias)
    out = layers.Projection(width, scale=self._out_scale, name='out')(gate * read)
    return out, MemoryState(short, matrix)


class Decay(hk.Module):
  """log a_t = -softplus(w x_t + b), with b such that heads start at their time constants."""

  def __init__(self, config: MemoryConfig, *, name: str = 'decay'):
    super().__init__(name=name)
    self._config = config

  def __call__(self, x: jax.Array) -> jax.Array:  # [B, T, D] -> [B, T, H] float32
    config = self._config
    rates = 1 / time_constants.log_uniform(
        config.min_time_constant, config.max_time_constant, config.heads)
    bias = hk.get_parameter(
        'b', (config.heads,), init=hk.initializers.Constant(np.log(np.expm1(rates))))
    init = hk.initializers.RandomNormal(0.1 * x.shape[-1] ** -0.5)
    weights = hk.get_parameter('w', (x.shape[-1], config.heads), init=init)
    rate = jnp.dot(x.astype(jnp.float32), weights, precision=jax.lax.Precision.HIGHEST)
    return -jax.nn.softplus(rate + bias)


def initial_state(config: MemoryConfig, batch_size: int, width: int, dtype: jax.typing.DTypeLike
                  ) -> MemoryState:
  """The state of an empty context."""
  head_width = width // config.heads
  short = fft_conv.initial_state(batch_size, config.short_width, 3 * width, dtype)
  return MemoryState(short, jnp.zeros((batch_size, config.heads, head_width, head_width)))


def flops(config: MemoryConfig, width: int, segment: int) -> float:
  """Products, and blocks of memory, per byte forward."""
  del segment
  head_width = width // config.heads
  return 2 * (4 * width**2 + 2 * width * head_width) + 4 * width * (config.block + head_width)


def crossing_bytes(
    config: MemoryConfig, width: int, cut: slices.Cut, itemsize: int) -> slices.Sent:
  """The last inputs of the short convolution, and the map of each head."""
  head_width = width // config.heads
  write = head_width**2
  forget = write if config.rule == 'delta' else 1
  return slices.Sent(
      cut.tail(config.short_width - 1, 3 * width * itemsize)
      + cut.scan(4 * config.heads * (write + forget)))


MATRIX = BlockPart(memory_cache.to_cache, memory_cache.from_cache, memory_cache.append)

MIXER = Mixer(
    letter='M', name='ResidualMemory', config=lambda model: model.memory, module=ResidualMemory,
    initial_state=initial_state, flops=flops, reach=lambda config: None,
    parts=lambda config, dtype: MemoryState(layers.SHORT_PART, MATRIX),
    step=functools.partial(ResidualMemory, operators=STEP), takes_starts=True,
    crossing=functools.partial(ResidualMemory, operators=CROSSING),
    crossing_bytes=crossing_bytes)


def _unit(x: jax.Array) -> jax.Array:
  """Vectors of length 1 along the last axis."""
  return x * jax.lax.rsqrt(jnp.sum(x**2, axis=-1, keepdims=True) + 1e-6)
