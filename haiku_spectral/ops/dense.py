"""The matrix product of every projection, in the form that processors run fast in both directions.

Shapes: D inputs, E outputs; the leading axes are the same for both.
"""

import jax
import jax.numpy as jnp
from jax import lax


@jax.custom_vjp
def dense(
    x: jax.Array,  # [..., D]
    weights: jax.Array,  # [D, E], of the type of x
) -> jax.Array:  # [..., E]
  """x times weights, accumulated in float32, returned in the type of x.

  The product and those of its gradient take operands of one type: the form in which 16 bits are
  fast. The gradient of the weights is written with x first, so that XLA transposes x for it and not
  the wider cotangent, into whose making it would fuse the transposition and then walk through
  memory across the grain. Worth 4 % of nano's whole gradient on two CPU cores, against `jnp.dot`.
  """
  return jnp.dot(x, weights, preferred_element_type=jnp.float32).astype(x.dtype)


def _forward(x, weights):
  return dense(x, weights), (x, weights)


def _backward(residuals, cotangent):
  x, weights = residuals
  rows = tuple(range(x.ndim - 1))
  to_x = jnp.einsum('...e,de->...d', cotangent, weights, preferred_element_type=jnp.float32)
  to_weights = lax.dot_general(
      x, cotangent, ((rows, rows), ((), ())), preferred_element_type=jnp.float32)
  return to_x.astype(x.dtype), shared_gradient(to_weights.astype(weights.dtype), weights)


def shared_gradient(gradient: jax.Array, weights: jax.Array) -> jax.Array:
  """The gradient of weights, from that of this device's rows: for hand-written derivatives.

  The transpose of an addition: nothing, but inside a checked `shard_map` JAX makes it the sum over
  the devices that share the weights.
  """
  _, transpose = jax.vjp(lambda weights: weights + gradient, weights)
  return transpose(gradient)[0]


dense.defvjp(_forward, _backward)
