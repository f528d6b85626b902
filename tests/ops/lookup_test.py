"""Rows of a table: the gradient as a product is that of a scatter."""

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import backend
from haiku_spectral.ops import lookup
from tests import chunk_law

IDS = np.random.default_rng(0).integers(0, 7, (3, 50), np.int32)


def gradient(table):
  weight = chunk_law.normal(3, 50, 4, seed=1)
  return jax.grad(lambda t: jnp.sum(weight * lookup.lookup(t, IDS)))(table)


class LookupTest(parameterized.TestCase):

  @parameterized.parameters(False, True)
  def test_rows_and_their_gradients(self, products):
    table = chunk_law.normal(7, 4)
    with backend.chosen(adds_rows_by_products=products):
      np.testing.assert_array_equal(lookup.lookup(table, IDS), table[IDS])
      got = gradient(table)
    expected = np.zeros((7, 4))
    np.add.at(expected, IDS, chunk_law.normal(3, 50, 4, seed=1).astype(np.float64))
    chunk_law.assert_close(got, expected.astype(np.float32), 1e-5)

  def test_sixteen_bits_are_added_in_32(self):
    ids = np.zeros((1, 4096), np.int32)
    with backend.chosen(adds_rows_by_products=True):
      got = jax.grad(lambda t: jnp.sum(lookup.lookup(t, ids).astype(jnp.float32)))(
          jnp.zeros((2, 1), jnp.bfloat16))
    self.assertEqual(got[:, 0].tolist(), [4096.0, 0.0])  # Sums in 16 bits stop at 256.


if __name__ == '__main__':
  absltest.main()
