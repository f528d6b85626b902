"""Activations that the backward pass computes again instead of finding them in memory."""

import functools
from collections.abc import Callable
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral import backend

Pure = Callable[[tuple[Any, ...], list[jax.Array]], Any]


def remat(function: Callable) -> Callable:
  """Inside a Haiku transform: the function, of which the backward pass finds the arguments alone.

  The first array that it returns has a floating-point type.
  Where data alone order what is computed (`backend`), the arguments depend on the cotangent there.
  """
  if hk.running_init() or not backend.orders_by_data_alone():
    return hk.remat(function)

  @functools.wraps(function)
  def call(*args: Any) -> Any:
    closed, shapes = jax.make_jaxpr(function, return_shape=True)(*args)

    def pure(args: tuple[Any, ...], consts: list[jax.Array]) -> Any:
      leaves = jax.core.eval_jaxpr(closed.jaxpr, consts, *jax.tree.leaves(args))
      return jax.tree.unflatten(jax.tree.structure(shapes), leaves)

    return _again(pure, args, closed.consts)

  return call


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _again(pure: Pure, args: tuple[Any, ...], consts: list[jax.Array]) -> Any:
  return pure(args, consts)


def _forward(pure: Pure, args: tuple[Any, ...], consts: list[jax.Array]) -> tuple[Any, Any]:
  return pure(args, consts), (args, consts)


def _backward(pure: Pure, found: tuple[tuple[Any, ...], list[jax.Array]], cotangent: Any) -> Any:
  # XLA does not know that it is zero, since the cotangent might be infinite.
  zero = 0 * jax.tree.leaves(cotangent)[0].ravel()[0]
  later = jax.tree.map(
      lambda x: x + zero.astype(x.dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x, found)
  return jax.vjp(pure, *later)[1](cotangent)


_again.defvjp(_forward, _backward)
