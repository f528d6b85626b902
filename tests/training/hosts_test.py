"""Two processes on loopback train one model: the same steps as one, written down once."""

import pathlib
import signal

import numpy as np
from absl import logging
from absl.testing import absltest

from haiku_spectral.training import checkpoint, loop, metrics, run_folder
from tests.training import processes, stand_in

CONFIG = stand_in.make_config(steps=8, log_every=2, eval_every=4, checkpoint_every=2)


def losses(run_dir):
  return [(row['step'], row['kind'], row['loss']) for row in metrics.read(run_dir)]


class HostsTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    logging.set_verbosity(logging.ERROR)
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    loop.train(CONFIG, stand_in.make_task(CONFIG), run_dir=self.folder / 'alone')

  def assert_as_alone(self):
    found, expected = losses(self.folder / 'run'), losses(self.folder / 'alone')
    self.assertEqual([row[:2] for row in found], [row[:2] for row in expected])
    np.testing.assert_allclose([row[2] for row in found], [row[2] for row in expected], rtol=1e-5)
    params = [checkpoint.load_params(self.folder / name)[1] for name in ('run', 'alone')]
    for module, named in params[1].items():
      for name, value in named.items():
        np.testing.assert_allclose(params[0][module][name], value, atol=1e-5)

  def test_are_told_to_stop_together_and_go_on_with_another_number(self):
    both = processes.start(self.folder, CONFIG, 2, 'data:2')
    both[1].wait_for(3)
    both[1].process.terminate()  # SIGTERM, to the one that does not report.
    for each in both:
      outcome = each.wait_for(10**6)
      each.process.join(60)
      self.assertEqual(each.process.exitcode, 0, each.errors.read_text()[-2000:])
    self.assertEqual(run_folder.steps(self.folder / 'run')[0], outcome.step)
    self.assertFalse(outcome.finished)
    loop.train(CONFIG, stand_in.make_task(CONFIG), run_dir=self.folder / 'run')
    self.assert_as_alone()

  def test_a_killed_process_ends_the_other_and_a_restart_goes_on(self):
    both = processes.start(self.folder, CONFIG, 2, 'data:2')
    both[1].wait_for(5)
    both[1].process.kill()
    both[0].process.join(processes.LOST_AFTER + 40)
    self.assertEqual(both[0].process.exitcode, 1)
    self.assertRegex(both[0].errors.read_text(), (
        'another process of the run is gone or cannot be reached .*Start all processes again, in '
        'any number. The last good checkpoint is that of step [24]'))
    self.assertEqual(both[1].process.exitcode, -signal.SIGKILL)
    loop.train(CONFIG, stand_in.make_task(CONFIG), run_dir=self.folder / 'run')
    self.assert_as_alone()


if __name__ == '__main__':
  absltest.main()
