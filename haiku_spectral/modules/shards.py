"""Parameters of which a device holds a shard, gathered where a module asks for them (ZeRO-3).

Inside a `shard_map` over the mesh axis `fsdp` the model is given shards of its parameters. A module
sees whole ones: a getter gathers each on its way from the parameters to the module, and in the
backward pass sums its gradient over the devices, each of which keeps its own shard of the sum.
"""

import functools
from collections.abc import Callable
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops import slices

AXIS = 'fsdp'


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def gather(shard: jax.Array, axis: int) -> jax.Array:
  """The whole array of which each device holds a shard along `axis`.

  Gradients are summed in float32, whatever the type.
  """
  return lax.all_gather(shard, AXIS, axis=axis, tiled=True)


def _forward(shard: jax.Array, axis: int) -> tuple[jax.Array, None]:
  return lax.all_gather(shard, AXIS, axis=axis, tiled=True), None


def _backward(axis: int, _: None, cotangent: jax.Array) -> tuple[jax.Array]:
  wide = cotangent.astype(jnp.float32)
  summed = lax.psum_scatter(wide, AXIS, scatter_dimension=axis, tiled=True)
  return (summed.astype(cotangent.dtype),)


gather.defvjp(_forward, _backward)


def gathering(function: Callable) -> Callable:
  """The function, whose modules get whole parameters; those that are whole stay as they are."""
  @functools.wraps(function)
  def call(*args: Any) -> Any:
    with hk.custom_getter(_gather):
      return function(*args)

  return call


def _gather(
    next_getter: Callable[[Any], Any], value: Any, context: hk.GetterContext) -> Any:
  cut = [axis for axis, size in enumerate(context.original_shape)
         if value is not None and value.shape[axis] != size]
  for axis in cut:
    value = gather(value, axis)
  return next_getter(value)


def gathering_again(function: Callable) -> Callable:
  """`gathering`, where the backward pass gathers again rather than keep whole parameters."""
  if slices.axis_size(AXIS) == 1:
    return gathering(function)
  return hk.remat(gathering(function), policy=_kept)


def _kept(primitive: Any, *inputs: Any, **how: Any) -> bool:
  """Whether the backward pass finds a result as the forward pass left it.

  Complex numbers are computed again, too: JAX rounds what it keeps, which is not defined for them.
  """
  del how
  complex_in = any(jnp.issubdtype(x.dtype, jnp.complexfloating) for x in inputs)
  return primitive not in (lax.all_gather_p, lax.fft_p) and not complex_in
