"""The product of every projection is the plain one, in both directions."""

from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import backend
from haiku_spectral.ops import dense
from tests import chunk_law


class DenseTest(parameterized.TestCase):

  @parameterized.product(leading=((8,), (2, 4), (2, 3, 4)), as_batch=(False, True))
  def test_equals_the_plain_product_in_both_directions(self, leading, as_batch):
    x, w = chunk_law.normal(*leading, 5), chunk_law.normal(5, 7, seed=1)
    weight = chunk_law.normal(*leading, 7, seed=2)
    with backend.chosen(
        prefers_explicit_gradient=True, adds_weight_gradients_as_batch=as_batch):
      plain, ours = (
          jax.jit(jax.value_and_grad(lambda x, w, f=f: jnp.sum(weight * f(x, w)), (0, 1)))(x, w)
          for f in (jnp.dot, dense.dense))
    chunk_law.assert_close(ours, plain, 1e-6)

  def test_sixteen_bits_accumulate_in_float32(self):
    x = jnp.full((1, 4096), 1 / 64, jnp.bfloat16)
    w = jnp.full((4096, 1), 1 / 64, jnp.bfloat16).at[0].set(0.25)
    y, grads = jax.value_and_grad(lambda x, w: dense.dense(x, w)[0, 0], (0, 1))(x, w)
    self.assertEqual({y.dtype, *(g.dtype for g in grads)}, {jnp.dtype('bfloat16')})
    self.assertAlmostEqual(float(y), 1.0, delta=2**-7)  # Sums in 16 bits stop growing early.

  def test_the_product_of_other_platforms_has_a_forward_derivative(self):
    x, w = chunk_law.normal(3, 5), chunk_law.normal(5, 7, seed=1)
    with mock.patch.object(backend, 'prefers_explicit_gradient', lambda: False):
      _, tangent = jax.jvp(lambda w: dense.dense(x, w), (w,), (jnp.ones_like(w),))
    chunk_law.assert_close(tangent, x @ np.ones_like(w), 1e-6)


if __name__ == '__main__':
  absltest.main()
