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
  fast. The operands of the gradient's products are made before they start. Otherwise XLA fuses
  their making into the transposition that the product over all rows wants, and walks through memory
  across the grain (a memory block's gradient took twice as long on a CPU).
  """
  return jnp.dot(x, weights, preferred_element_type=jnp.float32).astype(x.dtype)


def _forward(x, weights):
  return dense(x, weights), (x, weights)


def _backward(residuals, cotangent):
  x, weights = residuals
  x, cotangent = lax.optimization_barrier((x, cotangent))
  to_x = jnp.einsum('...e,de->...d', cotangent, weights, preferred_element_type=jnp.float32)
  # Left to JAX, which inside `shard_map` also sums over the devices that share the weights.
  _, transpose = jax.vjp(lambda weights: jnp.dot(x, weights), weights)
  return to_x.astype(x.dtype), *transpose(cotangent)


dense.defvjp(_forward, _backward)
