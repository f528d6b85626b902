"""The real model on real text, killed five times: the end is bitwise that of a run left alone."""

import json
import os
import pathlib
import random
import subprocess
import sys
import time

from absl.testing import absltest

from haiku_spectral.training import checkpoint

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEPS, KILLS = 400, 5
FLAGS = ('--config=haiku_spectral/configs/nano.py', *(f'--config.{field}' for field in (
    'model.width=16', 'model.mlp_width=16', 'model.hyena.filter.horizon=64',
    'model.hyena.filter.max_time_constant=16.0', 'model.attention.window=64',
    'model.attention.block=32', 'data.segment=64', f'train.steps={STEPS}', 'train.log_every=1',
    'train.eval_every=30', 'train.eval_batches=2', 'train.checkpoint_every=7')))


def start(module, *arguments):
  return subprocess.Popen(
      [sys.executable, '-m', module, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL,
      env={**os.environ, 'TF_CPP_MIN_LOG_LEVEL': '3'})


def last_step(run_dir):
  rows = run_dir / 'metrics.jsonl'
  lines = rows.read_text().splitlines() if rows.exists() else []
  try:
    return json.loads(lines[-1])['step'] if lines else 0
  except json.JSONDecodeError:  # A row that is being written.
    return 0


class TrainKillTest(absltest.TestCase):

  def test_five_kills_change_nothing(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    data = f'--data_dir={folder}/data'
    self.assertEqual(start('binaries.prepare_data', '--dataset=starter', data).wait(), 0)
    alone, killed = folder / 'alone', folder / 'killed'
    self.assertEqual(start('binaries.train', *FLAGS, data, f'--run_dir={alone}').wait(), 0)

    generator = random.Random(0)
    marks = sorted(generator.sample(range(10, STEPS - 20), KILLS))
    for mark in marks:
      process = start('binaries.train', *FLAGS, data, f'--run_dir={killed}')
      while last_step(killed) < mark:
        self.assertIsNone(process.poll(), 'the training ended before it was killed')
        time.sleep(0.01)
      time.sleep(generator.uniform(0, 0.2))  # Anywhere in a step, a save or an evaluation.
      process.kill()
      process.wait()
    self.assertEqual(start('binaries.train', *FLAGS, data, f'--run_dir={killed}').wait(), 0)

    want, got = checkpoint.restore_latest(alone), checkpoint.restore_latest(killed)
    self.assertEqual((want.step, got.step), (STEPS, STEPS))
    for part in ('params', 'training'):
      expected, found = getattr(want, part), getattr(got, part)
      self.assertEqual(set(expected), set(found))
      for name, leaf in expected.items():
        self.assertEqual(leaf.tobytes(), found[name].tobytes(), name)


if __name__ == '__main__':
  absltest.main()
