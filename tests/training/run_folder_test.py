"""Tests of the folder of a run: whose it is and with which config it may go on."""

import dataclasses
import pathlib

from absl.testing import absltest

from haiku_spectral import config as configs
from haiku_spectral.training import run_folder


class RunFolderTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.run_dir = pathlib.Path(self.create_tempdir().full_path) / 'not' / 'there'
    self.config = configs.Config()

  def changed(self, **fields):
    return dataclasses.replace(self.config, train=dataclasses.replace(self.config.train, **fields))

  def pretend_checkpoint(self):
    (self.run_dir / run_folder.CHECKPOINTS / '10').mkdir(parents=True)

  def test_a_new_run_stores_its_config(self):
    self.assertEqual(run_folder.changes(self.run_dir, self.config), [])
    run_folder.write_config(self.run_dir, self.config)
    self.assertEqual(run_folder.read_config(self.run_dir), self.config)

  def test_until_something_is_saved_any_config_may_be_given(self):
    run_folder.write_config(self.run_dir, self.config)
    self.assertEqual(run_folder.changes(self.run_dir, self.changed(seed=1)), [])

  def test_what_watches_a_run_may_change_and_what_makes_it_may_not(self):
    run_folder.write_config(self.run_dir, self.config)
    self.pretend_checkpoint()
    longer = self.changed(steps=2000, guard=configs.GuardConfig(spike_factor=99.0))
    self.assertEqual(
        run_folder.changes(self.run_dir, longer),
        ['config.train.steps: 1000 != 2000', 'config.train.guard.spike_factor: 10.0 != 99.0'])
    with self.assertRaisesRegex(
        ValueError, r"--config contradicts .*\n  config.train.seed: 0 != 1\nGive the run's values"):
      run_folder.changes(self.run_dir, dataclasses.replace(
          longer, train=dataclasses.replace(longer.train, seed=1)))
    self.assertEqual(run_folder.read_config(self.run_dir), self.config)

  def test_what_changes_speed_alone_may_change(self):
    run_folder.write_config(self.run_dir, self.config)
    self.pretend_checkpoint()
    faster = dataclasses.replace(
        self.changed(accumulation=2), model=dataclasses.replace(self.config.model, remat=True))
    self.assertEqual(run_folder.changes(self.run_dir, faster),
                     ['config.model.remat: False != True', 'config.train.accumulation: 1 != 2'])

  def test_phases_that_have_not_begun_may_change(self):
    names = ('first', 'second', 'third')
    self.config = configs.Config(train=configs.TrainConfig(steps=0), curriculum=tuple(
        configs.PhaseConfig(name=name, bytes=100 * 8192, mixture='starter:1') for name in names))
    run_folder.write_config(self.run_dir, self.config)
    (self.run_dir / run_folder.CHECKPOINTS / '100').mkdir(parents=True)  # The first one is over.

    def prolonged(number):
      phases = list(self.config.curriculum)
      phases[number] = dataclasses.replace(phases[number], bytes=200 * 8192)
      return dataclasses.replace(self.config, curriculum=tuple(phases))

    for number in (1, 2):
      self.assertEqual(run_folder.changes(self.run_dir, prolonged(number)),
                       [f'config.curriculum[{number}].bytes: 819200 != 1638400'])
    with self.assertRaisesRegex(ValueError, r'contradicts .*\n  config.curriculum\[0\].bytes: 8'):
      run_folder.changes(self.run_dir, prolonged(0))
    (self.run_dir / run_folder.CHECKPOINTS / '101').mkdir()
    with self.assertRaisesRegex(ValueError, r'What may change is .*, config.curriculum\[2\]\.$'):
      run_folder.changes(self.run_dir, prolonged(1))

  def test_a_folder_without_run_is_named(self):
    with self.assertRaisesRegex(FileNotFoundError, 'is not the folder of a run: give'):
      run_folder.read_config(self.run_dir)

  def test_a_checkpoint_whose_config_is_lost_is_not_trained_on(self):
    self.pretend_checkpoint()
    with self.assertRaises(FileNotFoundError):
      run_folder.changes(self.run_dir, self.config)

  def test_the_lock_is_free_again_afterwards(self):
    for _ in range(2):
      with run_folder.locked(self.run_dir), self.assertRaisesRegex(
          ValueError, 'another training is writing'), run_folder.locked(self.run_dir):
        self.fail()


if __name__ == '__main__':
  absltest.main()
