"""Kill -9 at random moments and where phases end: the end is bitwise that of a run left alone."""

import multiprocessing
import os
import pathlib
import random
import sys
import tempfile

from absl import logging
from absl.testing import absltest

from haiku_spectral.config import phases
from haiku_spectral.training import checkpoint, leaves, loop, metrics
from tests.training import stand_in

STEPS, KILLS = 60, 5
CUTS = (4, 20, 41)  # The first steps of longer segments, and of two phases.
# Forked from a server that has imported everything and computed nothing.
PROCESSES = multiprocessing.get_context('forkserver')


def make_config():
  return stand_in.make_config(
      curriculum=stand_in.make_phases(steps=(18, 21, 19)), log_every=2, eval_every=7,
      checkpoint_every=3)


def train(run_dir, connection):
  """What the killed process does: trains, and reports the steps as their batches are asked for."""
  logging.set_verbosity(logging.ERROR)
  sys.stdout = sys.stderr = open(os.devnull, 'w')  # noqa: SIM115
  config = make_config()

  def report(step, batch):
    connection.send(step)
    return batch

  loop.train(config, stand_in.make_task(config, change=report), run_dir=pathlib.Path(run_dir))
  connection.send('end')


def start(run_dir):
  here, there = PROCESSES.Pipe(duplex=False)
  process = PROCESSES.Process(target=train, args=(str(run_dir), there))
  process.start()
  there.close()
  return process, here


def everything(run_dir):
  last = checkpoint.restore_latest(run_dir)
  rows = [{k: v for k, v in row.items() if k not in stand_in.SPEEDS}
          for row in metrics.read(run_dir)]
  return last.step, leaves.digests({**last.params, **last.training}), last.host, rows


class KillTest(absltest.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    PROCESSES.set_forkserver_preload(['haiku_spectral.training.loop', 'tests.training.stand_in'])
    logging.set_verbosity(logging.ERROR)
    folder = tempfile.TemporaryDirectory()
    cls.addClassCleanup(folder.cleanup)
    cls.folder = pathlib.Path(folder.name)
    cls.run_to_the_end(cls(), cls.folder / 'alone')

  def run_to_the_end(self, run_dir):
    process, connection = start(run_dir)
    try:
      while connection.recv() != 'end':
        pass
    except EOFError:
      self.fail('the training failed')
    process.join()
    self.assertEqual(process.exitcode, 0)

  def run_until_killed(self, run_dir, steps=0, delay=0.0, at=None):
    """Kills a process `delay` seconds after it asked for that many batches, or for that of a step.

    Returns the last step whose batch it asked for.
    """
    process, connection = start(run_dir)
    asked = iter(connection.recv, None)
    last = [next(asked) for _ in range(steps)][-1] if at is None else next(
        step for step in asked if step == at)
    process.join(timeout=delay)
    process.kill()
    process.join()
    return last

  def test_five_kills_leave_no_trace(self):
    folder = self.folder
    dice, reached = random.Random(5), []
    for _ in range(KILLS):
      reached.append(self.run_until_killed(
          folder / 'killed', dice.randint(3, 16), delay=dice.choice([0, 0.003, 0.01, 0.03, 0.1])))
    self.assertLess(max(reached), STEPS - 1)
    self.assertGreater(len(set(reached)), 2)
    self.run_to_the_end(folder / 'killed')
    self.assertEqual(everything(folder / 'killed'), everything(folder / 'alone'))

  def test_kills_where_phases_end_leave_no_trace(self):
    plan = phases.plan(make_config())
    self.assertEqual([stage.first_step for phase in plan for stage in phase.stages], [0, *CUTS])
    for step in CUTS:
      self.run_until_killed(self.folder / 'cut', at=step)
    self.run_to_the_end(self.folder / 'cut')
    self.assertEqual(everything(self.folder / 'cut'), everything(self.folder / 'alone'))


if __name__ == '__main__':
  absltest.main()
