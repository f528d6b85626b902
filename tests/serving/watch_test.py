"""A run's curves are those of the rows that it writes, as they are written."""

import json
import pathlib

import numpy as np
from absl.testing import absltest

from haiku_spectral import config as configs
from haiku_spectral.serving import watch
from haiku_spectral.training import run_folder


class WatchTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path) / 'run'
    config = configs.Config(
        data=configs.DataConfig(batch_size=4, segment=256), train=configs.TrainConfig(steps=1000))
    run_folder.write_config(self.folder, config)

  def write(self, rows):
    with (self.folder / run_folder.METRICS).open('a') as file:
      file.writelines(json.dumps(row) + '\n' for row in rows)

  def test_a_run_that_has_not_begun(self):
    found = watch.curves(self.folder)
    self.assertEqual((found['step'], found['steps'], found['name']), (0, 1000, 'run'))
    self.assertEqual(found['bytes_left'], 1000 * 4 * 256)
    self.assertEqual(found['curves']['train'], {'step': []})

  def test_rows_as_they_come(self):
    self.write([{'step': 10, 'kind': 'train', 'loss': 2.0, 'loss/a': None, 'perplexity': 9.0}])
    self.assertEqual(watch.curves(self.folder)['curves']['train'],
                     {'step': [10], 'loss': [2.0], 'loss/a': [None]})
    self.write([{'step': 20, 'kind': 'train', 'loss': 1.0, 'loss/a': 1.5},
                {'step': 20, 'kind': 'heldout', 'loss': 1.2}])
    with (self.folder / run_folder.METRICS).open('a') as file:
      file.write('{"step": 30, "kind": "train", "lo')  # It is being written.
    found = watch.curves(self.folder)
    self.assertEqual(found['curves']['train'],
                     {'step': [10, 20], 'loss': [2.0, 1.0], 'loss/a': [None, 1.5]})
    self.assertEqual(found['curves']['heldout'], {'step': [20], 'loss': [1.2]})
    self.assertEqual((found['step'], found['bytes_left']), (20, 980 * 4 * 256))

  def test_long_runs_are_shown_by_means(self):
    losses = np.random.default_rng(0).uniform(1, 2, 3 * watch.POINTS)
    self.write([{'step': i + 1, 'kind': 'train', 'loss': loss} for i, loss in enumerate(losses)])
    found = watch.curves(self.folder)['curves']['train']
    self.assertEqual(found['step'], list(range(3, 3 * watch.POINTS + 1, 3)))
    np.testing.assert_allclose(found['loss'], losses.reshape(-1, 3).mean(axis=1))

  def test_no_run(self):
    with self.assertRaisesRegex(FileNotFoundError, 'is not the folder of a run'):
      watch.curves(self.folder / 'none')


if __name__ == '__main__':
  absltest.main()
