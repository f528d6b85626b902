"""The matrix product of every projection.

Shapes: D inputs, E outputs; the leading axes are the same for both.
"""

import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral import backend


def dense(
    x: jax.Array,  # [..., D]
    weights: jax.Array,  # [D, E], of the type of x
) -> jax.Array:  # [..., E]
  """x times weights, accumulated in float32, returned in the type of x."""
  if backend.prefers_explicit_gradient():
    return _explicit_gradient(x, weights)
  return _product(x, weights)


def _product(x: jax.Array, weights: jax.Array) -> jax.Array:
  return jnp.dot(x, weights, preferred_element_type=jnp.float32).astype(x.dtype)


# Its derivative, with the gradient of the weights written with x first. The products take operands
# of one type, the form in which 16 bits are fast.
_explicit_gradient = jax.custom_vjp(_product)


def _forward(x, weights):
  return _product(x, weights), (x, weights)


def _backward(residuals, cotangent):
  x, weights = residuals
  to_x = jnp.einsum('...e,de->...d', cotangent, weights, preferred_element_type=jnp.float32)
  to_weights = _sum_of_products(x, cotangent)
  return to_x.astype(x.dtype), to_weights.astype(weights.dtype)


def _sum_of_products(x: jax.Array, y: jax.Array) -> jax.Array:  # [..., D], [..., E] -> [D, E]
  """The outer products of x and y, added over the leading axes, in float32."""
  if backend.adds_weight_gradients_as_batch():
    batch = [each.reshape(1, -1, each.shape[-1]) for each in (x, y)]
    return jnp.einsum('bnd,bne->bde', *batch, preferred_element_type=jnp.float32)[0]
  rows = tuple(range(x.ndim - 1))
  return lax.dot_general(x, y, ((rows, rows), ((), ())), preferred_element_type=jnp.float32)


_explicit_gradient.defvjp(_forward, _backward)
