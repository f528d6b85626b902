"""A round of self-improvement, killed five times: its end is bitwise that of one left alone."""

import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

import numpy as np
from absl.testing import absltest

from haiku_spectral.tasks import verified_sample
from haiku_spectral.training import checkpoint

ROOT = pathlib.Path(__file__).resolve().parents[2]
KILLS = 5
FLAGS = ('--family=turkish_suffixes', '--seed=0', '--arm=golden', '--labelled_depth=6',
         '--deepest=6', '--labelled=6000', '--prompts=150', '--probe=12', '--gate=12',
         '--heldout=16', '--pass_heldout=8', '--rounds=1', '--allowed_easy_loss=1',
         '--allowed_bits=9', '--config.curriculum[0].bytes=1228800',
         '--config.curriculum[1].bytes=204800', '--config.train.checkpoint_every=7',
         '--config.curriculum[1].rate.warmup_steps=5')


class SelfImproveKillTest(absltest.TestCase):

  def start(self, run_dir):
    return subprocess.Popen(
        [sys.executable, '-m', 'binaries.self_improve', f'--run_dir={run_dir}', *FLAGS], cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env={**os.environ, 'XLA_FLAGS': '',  # It runs long enough to be worth optimising.
             'JAX_COMPILATION_CACHE_DIR': str(self.folder / 'compiled')})

  def begin_anew(self, run_dir):
    """Takes the round away."""
    shutil.rmtree(run_dir / 'seed_0/golden', ignore_errors=True)
    shutil.rmtree(run_dir / 'seed_0/data/golden/golden_1', ignore_errors=True)

  def test_five_kills_change_nothing(self):
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    alone, killed = self.folder / 'alone', self.folder / 'killed'
    self.assertEqual(self.start(alone).wait(), 0)
    took = time.time() - (alone / 'seed_0/base/evaluation.json').stat().st_mtime
    shutil.copytree(alone, killed)
    (killed / 'verdicts.jsonl').unlink()
    self.begin_anew(killed)

    generator, kills = random.Random(0), 0
    while kills < KILLS:
      process = self.start(killed)
      try:
        # What starting takes comes on top of the round.
        self.assertEqual(process.wait(5 + took * generator.uniform(0, 0.9)), 0)
        self.begin_anew(killed)  # It was faster than the kill.
      except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        kills += 1
    self.assertEqual(self.start(killed).wait(), 0)

    records = 'seed_0/golden/records/round_1.jsonl'
    self.assertEqual((alone / records).read_bytes(), (killed / records).read_bytes())
    verdicts = {record.verdict for record in verified_sample.read(alone / records)}
    self.assertContainsSubset({verified_sample.ACCEPTED, 'wrong'}, verdicts)
    want, got = (checkpoint.restore_latest(root / 'seed_0/golden/round_1')
                 for root in (alone, killed))
    self.assertEqual(want.step, got.step)
    for item in checkpoint.ITEMS:
      left, right = getattr(want, item), getattr(got, item)
      self.assertEqual(left.keys(), right.keys())
      for name, value in left.items():
        np.testing.assert_array_equal(value, right[name], name)


if __name__ == '__main__':
  absltest.main()
