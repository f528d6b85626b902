"""Extrapolation measured while a model trains."""

import json
import pathlib
from unittest import mock

from absl.testing import absltest

from binaries import extrapolation_report
from datasets import pipeline
from haiku_spectral import config
from tests.decoding import tiny_model
from tests.evaluation import toy_models

T = 32
CONFIG = config.Config(
    model=tiny_model.CONFIG, data=config.DataConfig(segment=T, mixture='starter:1'),
    train=config.TrainConfig(extrapolation_every=5))


def make_hook(lengths, run_dir):
  def documents(name, *, data_dir, split, limit=None):
    assert (name, data_dir, split) == ('starter', 'data', 'validation')
    for number, data in toy_models.documents(lengths):
      yield pipeline.Document(number, data[:limit])

  with mock.patch.object(pipeline, 'documents', documents):
    return extrapolation_report.training_hook(
        CONFIG, tiny_model.MODEL, data_dir='data', run_dir=pathlib.Path(run_dir))


class TrainingHookTest(absltest.TestCase):

  def test_measures_each_factor_and_leaves_the_report_in_the_run(self):
    run_dir = self.create_tempdir().full_path
    hook = make_hook([4 * T, 20, 2 * T], run_dir)
    self.assertEqual((hook.name, hook.every), ('extrapolation', 5))
    scalars = hook.call(10, tiny_model.params(), lambda: False)
    self.assertEqual(set(scalars), {
        f'{kind}_{factor}x' for kind in ('bits_per_byte', 'gain') for factor in (1, 2, 4)})
    self.assertEqual(scalars['gain_1x'], 0.0)
    found = json.loads(pathlib.Path(run_dir, 'extrapolation.json').read_text())
    self.assertIn('at step 10 on starter', found['source'])
    self.assertEqual(
        [row['full']['value'] for row in found['factors']],
        [scalars[f'bits_per_byte_{factor}x'] for factor in (1, 2, 4)])

  def test_gives_up_when_training_is_told_to_stop(self):
    run_dir = self.create_tempdir().full_path
    hook = make_hook([4 * T], run_dir)
    self.assertIsNone(hook.call(10, tiny_model.params(), lambda: True))
    self.assertEmpty(list(pathlib.Path(run_dir).iterdir()))

  def test_documents_that_are_all_too_short_are_an_error_before_training(self):
    with self.assertRaisesRegex(
        ValueError, 'extrapolation_every=5, but no held-out document of starter is as long'):
      make_hook([10, 20], 'unused')


if __name__ == '__main__':
  absltest.main()
