"""The flags that choose a trained model."""

import jax
import numpy as np
from absl.testing import absltest, flagsaver, parameterized

from binaries import model_flags
from haiku_spectral import config
from tests.decoding import tiny_model

TABLES = config.ModelConfig(
    pattern='A', layers=1, width=16, mlp_width=16, ngram=config.NgramConfig(slots=64),
    attention=config.AttentionConfig(heads=2, window=16, block=8),
    counts=config.CountsConfig(orders='2', slots=32))


class ModelFlagsTest(parameterized.TestCase):

  def load(self, model, **flags):
    run_dir = tiny_model.save_run(self.create_tempdir().full_path + '/run', model=model)
    with flagsaver.flagsaver(run_dir=run_dir, **flags):
      return model_flags.load()

  def test_the_tables_of_a_trained_model_may_have_more_slots(self):
    trained, params, _ = self.load(TABLES)
    larger, same, _ = self.load(TABLES, slots_times=4)
    self.assertEqual((trained.model.ngram.slots, trained.model.counts.slots), (64, 32))
    self.assertEqual((larger.model.ngram.slots, larger.model.counts.slots), (256, 128))
    self.assertEqual(larger.model.match, trained.model.match)  # Not part of this model.
    jax.tree.map(np.testing.assert_array_equal, params, same)
    self.assertNotEqual(*(config.model_fingerprint(each.model) for each in (trained, larger)))

  def test_a_trained_model_may_have_an_online_head(self):
    trained, params, _ = self.load(tiny_model.CONFIG)
    learning, same, step = self.load(tiny_model.CONFIG, online_rate=0.1)
    self.assertEqual((trained.model.online_head.rate, learning.model.online_head.rate), (0, 0.1))
    jax.tree.map(np.testing.assert_array_equal, params, same)
    with flagsaver.flagsaver(online_rate=0.1):
      self.assertEndsWith(model_flags.name('run', step), ' with an online head of rate 0.1')
      with self.assertRaisesRegex(ValueError, '--online_rate is for programs that read text'):
        model_flags.load_trained()

  @parameterized.parameters(
      (TABLES, 3, 'slots_times=3 is not allowed: give a power of two, at most 262144'),
      (TABLES, 1 << 20, 'slots_times=1048576.*at most 262144 for this model'),
      (tiny_model.CONFIG, 2, 'slots_times=2.*1 for a model that has no'))
  def test_what_is_not_allowed(self, model, times, message):
    with self.assertRaisesRegex(ValueError, message):
      self.load(model, slots_times=times)


if __name__ == '__main__':
  absltest.main()
