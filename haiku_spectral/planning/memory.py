"""What a training step holds on each device of a mesh, by formulas over abstract shapes.

Parameters, the optimiser's state and the carried state are exact: shapes cut by their shardings.
What the backward pass finds is what JAX's own derivative of the model keeps, traced for the rows
and bytes of one device. XLA's buffers are less than that where it computes something again, more
where it keeps something twice: `aot` says what they are, and a test holds the two together.

Shapes: B rows of a device in a micro-batch, T bytes of its slice of a chunk.
"""

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
from jax.sharding import AbstractMesh

from haiku_spectral import vocab
from haiku_spectral.config import Config, ModelConfig, phases
from haiku_spectral.modules import precision, spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import state

Sizes = Mapping[str, int]  # Of the axes of a mesh.
FLOAT32 = 4


class Activations(NamedTuple):
  """Bytes that the forward pass of a micro-batch leaves to the backward pass, on one device."""

  kept: int  # Of each super-block, from its forward to its backward pass.
  computed_again: int  # Of the largest block while its backward pass runs; 0 when all is kept.
  outside: int  # Of what is before and behind the super-blocks.


class Memory(NamedTuple):
  """Bytes on one device."""

  parameters: int  # float32, shards where they are sharded.
  optimizer: int
  carry: int  # The state of the device's rows.
  gradients: int  # float32, with the sum over micro-batches and the update.
  gathered: int  # Parameters that are whole at a time, in the type of the layers.
  activations: int
  states: int  # Between the chunks of a segment.

  @property
  def total(self) -> int:
    """All of it."""
    return sum(self)


def abstract_mesh(sizes: Sizes) -> AbstractMesh:
  """A mesh of no devices."""
  return AbstractMesh(tuple(sizes.get(name, 1) for name in meshes.AXES), meshes.AXES)


def local(config: Config, sizes: Sizes) -> tuple[int, int]:
  """B and T."""
  shares = math.prod(sizes.get(name, 1) for name in meshes.ROW_AXES)
  return (config.data.batch_size // (shares * config.train.accumulation),
          config.data.segment // phases.chunks_of(config) // sizes.get(meshes.SEQUENCE_AXIS, 1))


def per_device(config: Config, sizes: Sizes) -> Memory:
  """What one device holds in a step."""
  model = spectral_gpt.make_model(config.model)
  like = state.abstract_state(model, config)
  cut: Any = state.shardings(abstract_mesh(sizes), like)  # type: ignore[arg-type]
  held = jax.tree.map(
      lambda leaf, sharding: math.prod(sharding.shard_shape(leaf.shape)) * leaf.dtype.itemsize,
      like, cut)
  parameters, optimizer, carry = (
      sum(jax.tree.leaves(part)) for part in (held.params, held.opt_state, held.carry))
  size = state.compute_dtype(config).itemsize
  stack = sum(leaf.size for path, module in like.params.items() if 'stack' in path.split('/')
              for leaf in module.values())
  blocks = config.model.layers // len(config.model.pattern)
  together = config.model.layers if config.model.remat else blocks  # Parts that are gathered.
  rows, length = local(config, sizes)
  found = activations(config.model, config.train.precision, rows, length)
  count = phases.chunks_of(config)
  one = jax.eval_shape(lambda: model.initial_state(rows, state.compute_dtype(config)))
  between = count * hk.data_structures.tree_bytes(one) if count > 1 else 0
  # XLA has room for the carry before and after the step in one place, and for its micro-batches.
  return Memory(
      parameters, optimizer, 2 * carry, 2 * parameters, stack // together * size,
      found.kept * blocks + found.computed_again + found.outside, between)


def activations(model: ModelConfig, dtype: str, rows: int, length: int) -> Activations:
  """What the backward pass of B rows of T bytes finds: so much for each row, and filters once."""
  one, two = (_activations(model, dtype, count, length) for count in (1, 2))
  return Activations(*(a + (rows - 1) * (b - a) for a, b in zip(one, two, strict=True)))


@functools.cache
def _activations(model: ModelConfig, dtype: str, rows: int, length: int) -> Activations:
  """The same, traced."""
  def of_super_block(pattern: str, remat: bool) -> tuple[int, int]:
    """Of a super-block, and of what is outside."""
    one, two = (
        _residual_bytes(
            dataclasses.replace(
                model, pattern=pattern, layers=count * len(pattern), remat=remat),
            dtype, rows, length)
        for count in (1, 2))
    return two - one, 2 * one - two

  kept, outside = of_super_block(model.pattern, model.remat)
  again = max(of_super_block(letter, False)[0] for letter in set(model.pattern))
  return Activations(kept, again if model.remat else 0, outside)


def _residual_bytes(model: ModelConfig, dtype: str, rows: int, length: int) -> int:
  """Bytes of what `jax.vjp` of the model's logits keeps, parameters apart."""
  made = spectral_gpt.make_model(model)
  params = jax.eval_shape(lambda: precision.cast_params(made.init(jax.random.key(0)), dtype))
  carry = jax.eval_shape(lambda: made.initial_state(rows, jnp.dtype(dtype)))
  tokens = jax.ShapeDtypeStruct((rows, length), jnp.int32)
  starts = jax.ShapeDtypeStruct((rows, length), bool)

  def backward(params: Any, tokens: jax.Array, carry: Any, starts: jax.Array) -> Any:
    return jax.vjp(lambda params: made.apply(params, tokens, carry, starts)[0], params)[1]

  kept = jax.eval_shape(backward, params, tokens, carry, starts)
  size = hk.data_structures.tree_bytes
  logits = rows * length * vocab.SIZE * FLOAT32
  return 2 * logits + size(kept) - size(params)
