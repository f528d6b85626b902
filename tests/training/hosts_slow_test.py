"""Four processes with shards and slices; one is killed, and two go on with the same data."""

import pathlib

import numpy as np
from absl import logging
from absl.testing import absltest

from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import loop, metrics, run_folder
from tests.parallel import meshed
from tests.training import processes, stand_in

CONFIG = meshed.make_config('adamw', log_every=1, eval_every=10, checkpoint_every=3)


def task_of(config, report):
  """The model of every mixer, on the stand-in's batches."""
  task = stand_in.make_task(config, change=report)
  return task._replace(model=spectral_gpt.make_model(config.model))


def finish(processes_of_run):
  for each in processes_of_run:
    outcome = each.wait_for(10**6)
    each.process.join(120)
    assert each.process.exitcode == 0, each.errors.read_text()[-3000:]
  return outcome


class HostsTest(absltest.TestCase):

  def test_four_processes_one_killed_restarted_with_two(self):
    logging.set_verbosity(logging.ERROR)
    folder = pathlib.Path(self.create_tempdir().full_path)
    config = CONFIG
    alone = task_of(config, lambda step, batch: batch)
    loop.train(config, alone, run_dir=folder / 'alone', mesh=meshed.make_mesh('data:1'), until=12)

    four = processes.start(folder, config, 4, 'fsdp:2,sequence:2', task_of)
    four[2].wait_for(8)
    four[2].process.kill()
    for each in four:
      each.process.join(processes.LOST_AFTER + 60)
      self.assertNotIn(each.process.exitcode, (None, 0))
    self.assertIn('another process of the run is gone', four[0].errors.read_text())
    last = run_folder.steps(folder / 'run')[0]
    self.assertIn(last, (3, 6))

    two = processes.start(folder, config, 2, 'fsdp:2', task_of)
    two[0].wait_for(last)
    self.assertEqual(two[0].last, last)  # The batch after the checkpoint is the first one.
    two[0].wait_for(11)
    two[0].process.terminate()
    finish(two)
    rows = [[row for row in metrics.read(folder / name)
             if row['kind'] == metrics.TRAIN and row['step'] <= 12] for name in ('run', 'alone')]
    for found, expected in zip(*rows, strict=True):
      self.assertEqual(found['step'], expected['step'])
      self.assertEqual(found['bytes/starter'], expected['bytes/starter'])  # The same data.
      np.testing.assert_allclose(found['loss'], expected['loss'], rtol=2e-5)


if __name__ == '__main__':
  absltest.main()
