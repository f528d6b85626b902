"""Tests of the loss."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from haiku_spectral import vocab
from haiku_spectral.training import loss


class LossTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    random = np.random.default_rng(0)
    self.logits = random.normal(size=(3, 5, vocab.SIZE)).astype(np.float32)
    self.targets = random.integers(0, 256, (3, 5)).astype(np.int32)

  def test_is_the_written_out_sum(self):
    wide = self.logits.astype(np.float64)
    chosen = np.take_along_axis(wide, self.targets[..., None], -1)[..., 0]
    nll = np.log(np.exp(wide).sum(-1)) - chosen
    found = loss.next_byte_loss(self.logits, self.targets)
    np.testing.assert_allclose(found.nats, nll.sum(axis=1), rtol=1e-6)
    self.assertEqual(found.targets.tolist(), [5, 5, 5])

  def test_padding_counts_for_nothing_whatever_is_predicted_there(self):
    padded = self.targets.copy()
    padded[:, 3:] = vocab.PAD
    wild = self.logits.copy()
    wild[:, 3:] = np.inf
    found = loss.next_byte_loss(wild, padded)
    expected = loss.next_byte_loss(self.logits[:, :3], self.targets[:, :3])
    chex.assert_trees_all_equal(found, expected)

  def test_the_end_of_a_document_is_predicted_too(self):
    ends = np.full_like(self.targets, vocab.BOUNDARY)
    self.assertEqual(loss.next_byte_loss(self.logits, ends).targets.sum(), 15)

  def test_nothing_scored_is_no_loss(self):
    nothing = np.full_like(self.targets, vocab.PAD)
    found = loss.next_byte_loss(self.logits, nothing)
    self.assertEqual([x.tolist() for x in found], [[0, 0, 0], [0, 0, 0]])

  def test_is_computed_in_float32(self):
    low = jnp.asarray(self.logits, jnp.bfloat16)
    found = jax.eval_shape(loss.next_byte_loss, low, jnp.asarray(self.targets))
    self.assertEqual(found.nats.dtype, jnp.float32)
    exact = loss.next_byte_loss(low.astype(jnp.float32), self.targets)
    chex.assert_trees_all_equal(loss.next_byte_loss(low, self.targets), exact)

  def test_a_uniform_model_needs_as_many_bits_as_the_ids_have(self):
    found = loss.next_byte_loss(np.zeros_like(self.logits), self.targets)
    bits = loss.bits_per_byte(float(found.nats.sum()) / 15)
    self.assertAlmostEqual(bits, np.log2(vocab.SIZE), places=5)


if __name__ == '__main__':
  absltest.main()
