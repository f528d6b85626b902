"""The duel from end to end, with a small model and in no time."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

from absl.testing import absltest, flagsaver

from binaries import train
from haiku_spectral.training import run_folder

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRESET = """
from haiku_spectral import config


def get_config():
  return config.to_config_dict(config.Config(
      model=config.ModelConfig(
          pattern='M', layers=1, width=16, mlp_width=16, ngram=config.NgramConfig(orders='')),
      data=config.DataConfig(
          mixture='tiny_shakespeare:1', batch_size=2, stateful_rows=1, segment=64),
      train=config.TrainConfig(
          log_every=1, eval_every=0, eval_batches=1,
          optimizer=config.OptimizerConfig(warmup_steps=0))))
"""


class DuelTest(absltest.TestCase):

  def _run(self, *arguments):
    done = subprocess.run(
        [sys.executable, '-m', 'binaries.duel', *arguments], cwd=ROOT, text=True,
        capture_output=True, env={**os.environ, 'PYTHONPATH': str(ROOT)}, check=False)
    return done.returncode, done.stdout, done.stderr

  def test_trains_measures_and_goes_on(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    text = b'First Citizen:\nBefore we proceed any further, hear me speak.\n\n' * 99
    for name, data in {'input.txt': text, 'small.py': PRESET.encode()}.items():
      (folder / name).write_bytes(data)
    flags = [f'--run_dir={folder}/duel', f'--data_dir={folder}/data', '--minutes=0.002',
             f'--source={folder}/input.txt', f'--preset={folder}/small.py']
    code, out, err = self._run(*flags)
    self.assertEqual(code, 0, err)
    run = folder / 'duel/0.002_minutes_seed_0'
    stored = run_folder.read_config(run)
    self.assertEqual(stored.data.segment, 64)
    self.assertEqual(run_folder.last_step(run), stored.train.steps)
    report = json.loads((folder / 'duel/duel.json').read_text())
    (result,) = report['results']
    self.assertEqual(result['context'], 64)
    for way in ('cut', 'full'):
      self.assertBetween(result[way], 1, 7)
    self.assertBetween(result['minutes'], 0, 1)
    self.assertIn('nanoGPT, published', out)

    # Whoever goes on measures no time: the number of steps stands in the run.
    preset = dataclasses.replace(stored, train=dataclasses.replace(stored.train, steps=1000))
    with flagsaver.flagsaver(minutes=9.0):
      self.assertEqual(train.timed(preset, run, lambda: False), stored)


if __name__ == '__main__':
  absltest.main()
