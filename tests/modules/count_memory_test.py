"""The distribution of the count memory: what PPM with absolute discounting gives, and learns."""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from haiku_spectral.modules import count_memory
from haiku_spectral.ops.count_memory import CountReads

FOLLOWERS = np.array([[[  # Of one byte, of two bytes, of three bytes: [1, 1, 3, 5].
    [97, 98, 97, 97, 99], [98, 98, 97, 0, 0], [5, 5, 5, 5, 5]]]])
COUNTS = np.array([[[5, 3, 0]]])  # The longest context is new.
X = np.ones((1, 1, 4), np.float32)


def transformed():
  return hk.without_apply_rng(hk.transform(
      lambda followers, counts, x: count_memory.CountLogits(name='counts')(
          CountReads(followers, counts), x)))


def logits(params=None):
  model = transformed()
  params = params or model.init(jax.random.key(0), FOLLOWERS, COUNTS, X)
  return params, np.asarray(model.apply(params, FOLLOWERS, COUNTS, X))[0, 0]


def expected(discount=0.75, mass=0.3):
  """From the shortest context to the longest one that is known."""
  mixed = np.full(260, 1 / 260)
  for followers, number in zip(FOLLOWERS[0, 0], COUNTS[0, 0], strict=True):
    known = list(followers[:number])
    if known:
      kinds = set(known)
      share = {byte: known.count(byte) - discount for byte in kinds}
      escape = (discount * len(kinds) + mass) / (number + mass)
      mixed = escape * mixed
      for byte, one in share.items():
        mixed[byte] += (1 - escape) * one / sum(share.values())
  return mixed


class CountLogitsTest(absltest.TestCase):

  def test_a_new_model_adds_the_weighted_logarithm_of_ppm(self):
    _, found = logits()
    np.testing.assert_allclose(np.exp(found / count_memory.WEIGHT), expected(), rtol=1e-4)

  def test_is_a_distribution_whatever_the_parameters(self):
    params, _ = logits()
    params['counts'] = {
        name: jnp.asarray(np.random.default_rng(0).normal(size=value.shape))
        for name, value in params['counts'].items()}
    params['counts']['weight'] = jnp.full(4, (1 - count_memory.WEIGHT) / count_memory.GAIN)
    params['counts/hidden']['w'] = jnp.ones((4, 4)).at[:, 3].set(0)
    _, found = logits(params)
    self.assertAlmostEqual(float(np.exp(found).sum()), 1.0, places=5)

  def test_every_parameter_that_was_met_gets_a_gradient(self):
    model = transformed()
    params = model.init(jax.random.key(0), FOLLOWERS, COUNTS, X)
    gradients = jax.grad(lambda params: jax.nn.log_softmax(
        model.apply(params, FOLLOWERS, COUNTS, X))[0, 0, 97])(params)
    for name, gradient in gradients['counts'].items():
      self.assertGreater(float(jnp.abs(gradient).max()), 0, name)
    self.assertGreater(float(jnp.abs(gradients['counts/hidden']['w']).min(axis=0)[0]), 0)
    self.assertTrue(all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(gradients)))

  def test_the_newest_of_each_byte_is_marked(self):
    found = count_memory.newest_of_kind(CountReads(jnp.asarray(FOLLOWERS), jnp.asarray(COUNTS)))
    np.testing.assert_array_equal(
        np.asarray(found)[0, 0].astype(int), [[1, 1, 0, 0, 1], [1, 0, 1, 0, 0], [0] * 5])


if __name__ == '__main__':
  absltest.main()
