"""The presets against the rule by which models grow, and against their names."""

import dataclasses

import jax
from absl.testing import absltest, parameterized

from haiku_spectral import config as configs
from haiku_spectral.configs import presets, sizes
from haiku_spectral.modules import spectral_gpt

# What differs from the rule, for the sake of a CPU or of earlier runs.
EXCEPTIONS = {
    'nano': {
        'mlp_width', 'memory.heads', 'attention.heads', 'ngram.slots', 'match.length',
        'match.slots', 'memory.rule', 'counts.orders'},
    'tiny': {'memory.rule', 'counts.orders', 'counts.followers', 'counts.slots'},
    'small': set(), 'base': {'mlp_width'}, '1b': set(), '7b': set(),
    '100b': set()}
SIZES = {'nano': 0.65e6, 'tiny': 4.9e6, 'small': 37e6, 'base': 100e6, '1b': 1.16e9, '7b': 7e9,
         '100b': 104e9}


def differences(preset, rule):
  """The fields of two models that differ, as 'memory.heads'."""
  lines = configs.differences(configs.Config(model=preset), configs.Config(model=rule))
  return {line.split(':')[0].removeprefix('config.model.') for line in lines}


def parameters(model):
  shapes = jax.eval_shape(spectral_gpt.make_model(model).init, jax.random.key(0))
  return sum(leaf.size for leaf in jax.tree.leaves(shapes))


class SizesTest(parameterized.TestCase):

  @parameterized.parameters(*presets.MODELS)
  def test_the_model_is_that_of_the_rule(self, name):
    model = presets.load(name).model
    rule = dataclasses.replace(sizes.model(model.width), remat=model.remat)
    self.assertEqual(differences(model, rule), EXCEPTIONS[name])
    self.assertEqual(model.layers % 6, 0)

  @parameterized.parameters(*presets.MODELS)
  def test_the_size_is_that_of_the_name(self, name):
    model = presets.load(name).model
    count = parameters(model)
    self.assertAlmostEqual(count / SIZES[name], 1, delta=0.02)
    if model.width >= 512:
      self.assertAlmostEqual(sizes.parameters(model) / count, 1, delta=0.03)

  @parameterized.parameters('1b', '7b', '100b')
  def test_large_presets_read_as_much_text_as_the_rule_says(self, name):
    config = presets.load(name)
    read = config.train.steps * config.data.batch_size * config.data.segment
    wanted = sizes.BYTES_PER_PARAMETER * parameters(config.model)
    self.assertAlmostEqual(read / wanted, 1, delta=0.02)
    self.assertEqual(config.train.optimizer.learning_rate,
                     float(f'{0.5 / config.model.width:.1e}'))

  def test_names_that_are_no_preset_are_refused(self):
    with self.assertRaisesRegex(ValueError, "--config='2b' is not allowed: give one of 100b, 1b"):
      presets.load('2b')


if __name__ == '__main__':
  absltest.main()
