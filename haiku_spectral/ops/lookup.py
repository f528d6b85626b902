"""Rows of a table by number, with a gradient that is the same each time.

Shapes: V rows of the table, D width.
"""

import chex
import jax
import jax.numpy as jnp

from haiku_spectral import backend


def spread(places: jax.Array, values: jax.Array, size: int) -> jax.Array:  # [B, T, N] twice
  """The sums of the values at each of `size` places, all below `size`: [B, T, size] float32.

  As one long line: XLA:CPU takes nine times as long for a scatter with leading axes.
  """
  rows = places.shape[0] * places.shape[1]
  chex.assert_scalar_positive(2**31 - rows * size)  # Places of the line are int32.
  line = places.reshape(rows, -1) + size * jnp.arange(rows)[:, None]
  sums = jnp.zeros(rows * size, jnp.float32).at[line.reshape(-1)].add(
      values.reshape(-1), mode='promise_in_bounds')
  return sums.reshape(*places.shape[:2], size)


def lookup(table: jax.Array, ids: jax.Array) -> jax.Array:  # [V, D], [...] int32 -> [..., D]
  """table[ids], for tables of few rows.

  Where the platform prefers it, the gradient is a product of one-hot rows with the cotangents,
  added in float32: O(V D) operations for each id.
  """
  if backend.adds_rows_by_products():
    return _by_product(table, ids)
  return table[ids]


@jax.custom_vjp
def _by_product(table: jax.Array, ids: jax.Array) -> jax.Array:
  return table[ids]


def _forward(table, ids):
  return table[ids], (ids, table)


def _backward(residuals, cotangent):
  ids, table = residuals
  chosen = jax.nn.one_hot(ids.reshape(-1), table.shape[0], dtype=cotangent.dtype)
  rows = cotangent.reshape(-1, table.shape[1])
  to_table = jnp.einsum('nv,nd->vd', chosen, rows, precision='highest',
                        preferred_element_type=jnp.float32)
  return to_table.astype(table.dtype), None


_by_product.defvjp(_forward, _backward)
