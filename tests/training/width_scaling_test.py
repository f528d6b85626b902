"""Rates by width: which parameters follow it, and that nothing changes where none is asked for."""

import dataclasses

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import config as configs
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import optimizer, width_scaling
from tests.decoding import tiny_model

MODEL = dataclasses.replace(
    tiny_model.CONFIG, pattern='HMA', layers=3, width=64, ngram=configs.NgramConfig(orders='2'))
PARAMS = {  # Some of them.
    'spectral_gpt/head': {'table': np.linspace(-1, 1, 80).reshape(20, 4).astype(np.float32)},
    'spectral_gpt/stack/block_0/mlp/in': {'w': np.linspace(-1, 1, 8)[:, None].astype(np.float32)},
    'spectral_gpt/norm': {'scale': np.ones(4, np.float32)}}
SHAPES = jax.eval_shape(spectral_gpt.make_model(MODEL).init, jax.random.key(0))


def config_of(**optimizer_fields):
  return configs.Config(model=MODEL, train=configs.TrainConfig(
      optimizer=configs.OptimizerConfig(**optimizer_fields)))


def by_path(kind):
  found = width_scaling.factors(
      config_of(kind=kind, base_width=16), SHAPES, optimizer.is_matrix)
  return {f'{module}/{name}'.removeprefix('spectral_gpt/'): value
          for module, leaves in found.items() for name, value in leaves.items()}


class WidthScalingTest(parameterized.TestCase):

  @parameterized.parameters(
      ('embedding/table', 1, 1), ('head/table', 1 / 4, 1 / 4),
      ('ngram_input/out/w', 1, 1), ('ngram_logits/hidden/w', 1 / 4, 1 / 4), ('norm/scale', 1, 1))
  def test_each_group(self, path, adam, muon):
    self.assertEqual((by_path('adamw')[path], by_path('muon')[path]), (adam, muon))

  def test_matrices_between_layers_follow_it_with_adam_and_need_not_with_muon(self):
    for kind, wanted in (('adamw', 1 / 4), ('muon', 1.0)):
      found = {path: value for path, value in by_path(kind).items()
               if path.endswith(('in/w', 'out/w')) and 'ngram' not in path}
      self.assertGreater(len(found), 8)
      self.assertEqual(set(found.values()), {wanted}, kind)

  def test_what_no_width_is_summed_over_does_not_follow_it(self):
    for path, value in by_path('adamw').items():
      if 'filter' in path or not path.endswith(('/w', '/table')):
        self.assertEqual(value, 1.0, path)

  def _updates(self, **fields):
    transform = optimizer.make_optimizer(config_of(weight_decay=0.1, **fields))
    grads = jax.tree.map(lambda leaf: 0.01 * leaf, PARAMS)
    return transform.update(grads, transform.init(PARAMS), PARAMS, step=jax.numpy.int32(99))[0]

  def test_the_model_of_the_base_width_is_trained_as_without(self):
    one, other = self._updates(), self._updates(base_width=64)
    for left, right in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
      np.testing.assert_array_equal(left, right)

  def test_decay_does_not_follow_it(self):
    plain, scaled = self._updates(), self._updates(base_width=16)
    decay = self._updates(base_width=1 << 20)  # Cross-check by a third width: all are linear in it.
    one, quarter, many = (found['spectral_gpt/head']['table'] for found in (plain, scaled, decay))
    rate = float(optimizer.learning_rate(config_of())(99))
    shrink = -rate * 0.1 * PARAMS['spectral_gpt/head']['table']
    np.testing.assert_allclose(quarter - shrink, (one - shrink) / 4, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(many - shrink, (one - shrink) * 2**14, rtol=1e-3, atol=1e-3)


if __name__ == '__main__':
  absltest.main()
