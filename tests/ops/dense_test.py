import os

os.environ['JAX_NUM_CPU_DEVICES'] = '4'  # Before JAX starts: a mesh of four devices.

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.ops import dense
from tests import chunk_law


class DenseTest(parameterized.TestCase):

  @parameterized.parameters((8,), (2, 4), (2, 3, 4))
  def test_equals_the_plain_product_in_both_directions(self, *leading):
    x, w = chunk_law.normal(*leading, 5), chunk_law.normal(5, 7, seed=1)
    weight = chunk_law.normal(*leading, 7, seed=2)
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

  def test_weights_that_devices_share_get_the_gradient_of_all_rows(self):
    x, w = chunk_law.normal(8, 5), chunk_law.normal(5, 7, seed=1)
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ('data',))
    spec = jax.sharding.PartitionSpec

    def gradient(x, w):
      return jax.grad(lambda w: jax.lax.psum(jnp.sum(dense.dense(x, w) ** 2), 'data'))(w)

    split = jax.jit(jax.shard_map(
        gradient, mesh=mesh, in_specs=(spec('data'), spec()), out_specs=spec()))(x, w)
    whole = jax.grad(lambda w: jnp.sum(dense.dense(x, w) ** 2))(w)
    chunk_law.assert_close(split, whole, 1e-6)


if __name__ == '__main__':
  absltest.main()
