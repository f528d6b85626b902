"""Tests of checkpoints: what is read is what was saved, or is reported."""

import pathlib
import shutil
import subprocess
import sys
from unittest import mock

import jax.numpy as jnp
import numpy as np
from absl import logging
from absl.testing import absltest, parameterized

from haiku_spectral import config as configs
from haiku_spectral.training import checkpoint, checkpoint_store, leaves, run_folder


def params(step):
  random = np.random.default_rng(step)
  return {'spectral_gpt/~/in': {'w': random.normal(size=(40, 50)).astype(np.float32)},
          'spectral_gpt/norm': {'scale': jnp.full(3, step, jnp.float32)}}


def training(step):
  return {'step': jnp.int32(step), 'carry': jnp.full((1, 2), step, jnp.bfloat16),
          'nothing': jnp.zeros((0, 3)), 'absent': None, 'flag': np.array(True)}


def host(step, loss=None):
  return {'heldout_loss': loss, 'nats': 0.1 + step}


def assert_is(found, step):
  """The checkpoint is bitwise what was saved at the step."""
  assert found.step == step, found.step
  assert found.host == host(step)
  np.testing.assert_equal(found.params, leaves.to_leaves(params(step)))
  np.testing.assert_equal(found.training, leaves.to_leaves(training(step)))


def cut(path):
  path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
  """Flips a bit in each of 64 bytes (or all there are), spread over the file."""
  data = bytearray(path.read_bytes())
  for i in range(0, len(data), max(1, len(data) // 64)):
    data[i] ^= 4
  path.write_bytes(data)


class CheckpointTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    logging.set_verbosity(logging.ERROR)  # Orbax logs much.
    self.run_dir = pathlib.Path(self.create_tempdir().full_path)
    self.reports = []

  def save(self, *steps, losses=(), keep_latest=10):
    store = checkpoint_store.Store(self.run_dir, keep_latest=keep_latest)
    for i, step in enumerate(steps):
      loss = losses[i] if losses else None
      store.save(step, params(step), training(step), host(step, loss))
    store.close()
    return store

  def restore(self):
    return checkpoint.restore_latest(self.run_dir, self.reports.append)

  def folder(self, step):
    return self.run_dir / run_folder.CHECKPOINTS / str(step)

  def test_what_is_read_is_what_was_saved(self):
    self.assertIsNone(self.restore())
    self.save(10, 20)
    assert_is(self.restore(), 20)
    self.assertEqual(self.reports, [])

  def test_what_was_given_may_be_overwritten_at_once(self):
    store = checkpoint_store.Store(self.run_dir, keep_latest=1)
    tree = {'a': {'b': np.arange(1_000_000.0)}}
    store.save(1, tree, training(1), host(1))
    tree['a']['b'][:] = -1  # As donation lets the next step do.
    store.close()
    np.testing.assert_array_equal(self.restore().params['a/b'], np.arange(1_000_000.0))

  @parameterized.parameters(cut, flip, pathlib.Path.unlink)
  def test_damage_to_any_file_is_found_and_the_one_before_is_used(self, damage):
    self.save(10, 20)
    pristine = self.create_tempdir().full_path
    shutil.copytree(self.run_dir, pristine, dirs_exist_ok=True)
    files = sorted(
        path.relative_to(self.run_dir) for path in self.folder(20).rglob('*') if path.is_file())
    self.assertGreater(len(files), 10)
    fell_back = 0
    for name in files:
      self.reports.clear()
      damage(self.run_dir / name)
      found = self.restore()
      assert_is(found, 20 if not self.reports else 10)  # Some files hold nothing of worth.
      if self.reports:
        fell_back += 1
        self.assertRegex(
            self.reports[0], r'checkpoint .*/checkpoints/20 is damaged and not used: .+')
        self.assertEqual(run_folder.steps(self.run_dir), [10])
        self.assertNotEmpty(list((self.run_dir / run_folder.DAMAGED).iterdir()))
      shutil.rmtree(self.run_dir)
      shutil.copytree(pristine, self.run_dir)
    self.assertGreater(fell_back, 5)

  def test_a_flipped_bit_is_named(self):
    self.save(10, 20)
    biggest = max(self.folder(20).rglob('params/**/*'), key=lambda path: path.stat().st_size)
    data = bytearray(biggest.read_bytes())
    data[len(data) // 2] ^= 1
    biggest.write_bytes(data)
    assert_is(self.restore(), 10)
    self.assertRegex(self.reports[0], r"(arrays are not what was saved, first 'spectral_gpt)|error")

  def test_what_the_loop_remembers_is_verified_too(self):
    self.save(10, 20)
    meta = self.folder(20) / 'meta' / 'metadata'
    self.assertIn('20.1', meta.read_text())
    meta.write_text(meta.read_text().replace('20.1', '20.2'))
    assert_is(self.restore(), 10)
    self.assertIn('its meta data are not what was saved', self.reports[0])

  def test_another_version_is_refused_and_left_where_it_is(self):
    self.save(10)
    with mock.patch.object(checkpoint, 'VERSION', 1):
      self.save(20)
    with self.assertRaisesRegex(
        checkpoint.OtherVersion, r'/20 has version 1, this program reads version 3: use the'):
      self.restore()
    self.assertEqual(run_folder.steps(self.run_dir), [20, 10])

  def test_a_step_whose_checkpoint_was_damaged_can_be_saved_again(self):
    self.save(10, 20)
    cut(self.folder(20) / 'meta' / 'metadata')
    assert_is(self.restore(), 10)
    self.save(20)
    assert_is(self.restore(), 20)

  def test_when_none_is_complete_nothing_is_pretended(self):
    self.save(10, 20)
    for step in (10, 20):
      shutil.rmtree(self.folder(step) / 'training')
    with self.assertRaisesRegex(
        ValueError, r'none of the 2 checkpoints of .* is complete: restore .* or train again'):
      self.restore()
    self.assertLen(self.reports, 2)
    self.assertEqual(run_folder.steps(self.run_dir), [20, 10])  # For somebody to mend.
    with self.assertRaisesRegex(ValueError, 'none of the 2 checkpoints'):
      self.restore()

  def test_the_latest_and_the_best_stay_also_when_opened_anew(self):
    self.save(1, 2, 3, 4, losses=[3.0, 1.0, 2.0, None], keep_latest=2)
    self.assertEqual(run_folder.steps(self.run_dir), [4, 3, 2])
    store = self.save(5, 6, losses=[float('inf'), 1.5], keep_latest=2)
    self.assertEqual(run_folder.steps(self.run_dir), [6, 5, 2])
    self.assertEqual(store.best_loss, 1.0)
    cut(self.folder(2) / 'meta' / 'metadata')
    self.assertEqual(self.save(7, losses=[9.0], keep_latest=1).best_loss, 1.5)
    self.assertEqual(run_folder.steps(self.run_dir), [7, 6])

  def test_a_step_may_be_saved_again(self):
    self.save(1, 2)
    store = checkpoint_store.Store(self.run_dir, keep_latest=2)
    store.save(2, params(3), training(3), host(3))
    store.close()
    assert_is(self.restore()._replace(step=3), 3)

  def test_a_kill_while_a_step_is_saved_again_leaves_the_first_one(self):
    self.save(10)
    replaced = self.folder(f'10{checkpoint.REPLACED}')
    self.folder(10).rename(replaced)
    assert_is(self.restore(), 10)
    shutil.copytree(self.folder(10), replaced)  # Killed after the second one was complete.
    assert_is(self.restore(), 10)
    self.assertFalse(replaced.exists())

  def test_what_a_kill_left_behind_is_no_checkpoint(self):
    self.save(10)
    half = self.folder('20.orbax-checkpoint-tmp')
    shutil.copytree(self.folder(10), half)
    assert_is(self.restore(), 10)
    self.save(20)
    self.assertFalse(half.exists())


FULL_DISK = """
import pathlib, resource, sys
import numpy as np
from haiku_spectral.training import checkpoint_store
from tests.training import checkpoint_test

store = checkpoint_store.Store(pathlib.Path(sys.argv[1]), keep_latest=2)
store.save(10, checkpoint_test.params(10), checkpoint_test.training(10), checkpoint_test.host(10))
store.close()
store = checkpoint_store.Store(pathlib.Path(sys.argv[1]), keep_latest=2)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, 1 << 14))
noise = np.random.default_rng(0).normal(size=(40, 64, 64)).astype(np.float32)
try:
  store.save(20, {'a': {str(i): x for i, x in enumerate(noise)}},
             {str(i): x for i, x in enumerate(noise)}, checkpoint_test.host(20))
  store.close()
except OSError as error:
  print(error, file=sys.stderr)
  store.close()
"""


class FullDiskTest(absltest.TestCase):

  def test_a_checkpoint_that_cannot_be_written_is_one_error_in_one_line(self):
    run_dir = pathlib.Path(self.create_tempdir().full_path)
    found = subprocess.run([sys.executable, '-c', FULL_DISK, str(run_dir)], capture_output=True,
                           text=True, check=True)
    self.assertRegex(
        found.stderr, r'^a checkpoint could not be saved in .*/checkpoints: File too large. The '
        r'last good checkpoint is that of step 10: the same command goes on from there.\n$')
    assert_is(checkpoint.restore_latest(run_dir), 10)


class LoadParamsTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    logging.set_verbosity(logging.ERROR)
    self.run_dir = pathlib.Path(self.create_tempdir().full_path)
    self.config = configs.Config()

  def save(self, *losses):
    run_folder.write_config(self.run_dir, self.config)
    store = checkpoint_store.Store(self.run_dir, keep_latest=10)
    for step, loss in enumerate(losses, start=1):
      store.save(step, params(step), training(step), host(step, loss))
    store.close()

  def test_gives_config_parameters_and_step(self):
    self.save(1.0, 2.0)
    config, found, step = checkpoint.load_params(self.run_dir)
    self.assertEqual((config, step), (self.config, 2))
    np.testing.assert_equal(found, params(2))
    _, found, step = checkpoint.load_params(str(self.run_dir), best=True)
    self.assertEqual(step, 1)
    np.testing.assert_equal(found, params(1))

  def test_a_damaged_one_is_reported_and_left_where_it_is(self):
    self.save(1.0, 2.0, None)
    cut(self.run_dir / run_folder.CHECKPOINTS / '3' / 'meta' / 'metadata')
    logging.set_verbosity(logging.WARNING)
    with self.assertLogs('absl', 'WARNING') as logs:
      self.assertEqual(checkpoint.load_params(self.run_dir)[2], 2)
    self.assertRegex(logs.output[0], '/3 is damaged and not used')
    self.assertEqual(run_folder.steps(self.run_dir), [3, 2, 1])
    self.assertEqual(checkpoint.load_params(self.run_dir, best=True)[2], 1)

  def test_what_is_missing_is_said(self):
    with self.assertRaisesRegex(FileNotFoundError, 'config.json does not exist.*--run_dir'):
      checkpoint.load_params(self.run_dir)
    run_folder.write_config(self.run_dir, self.config)
    with self.assertRaisesRegex(FileNotFoundError, 'no checkpoint yet: train it with python -m'):
      checkpoint.load_params(self.run_dir)
    (self.run_dir / run_folder.CONFIG).write_text('{"model": ')
    with self.assertRaisesRegex(ValueError, r'config.json cannot be read: '):
      checkpoint.load_params(self.run_dir)


if __name__ == '__main__':
  absltest.main()
