"""Tests of the training program: what it says, how it stops, and how it tells mistakes."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from absl.testing import absltest, parameterized

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRESET = '--config=haiku_spectral/configs/nano.py'
TINY = (PRESET, *(f'--config.{field}' for field in (
    'model.pattern=HM', 'model.layers=2', 'model.width=16', 'model.mlp_width=16',
    'model.hyena.filter.horizon=32', 'model.hyena.filter.max_time_constant=8.0',
    'model.attention.heads=2', 'data.segment=64', 'train.steps=6', 'train.log_every=2',
    'train.eval_every=3', 'train.eval_batches=2', 'train.checkpoint_every=2',
    'train.optimizer.warmup_steps=1')))


CACHE = tempfile.TemporaryDirectory()  # Of compiled programs, for all processes of this test.


def start(*arguments, module='binaries.train'):
  environment = {
      **os.environ,
      'XLA_FLAGS': '--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true',
      'JAX_COMPILATION_CACHE_DIR': CACHE.name,
  }
  return subprocess.Popen(
      [sys.executable, '-m', module, *arguments], cwd=ROOT, env=environment, text=True,
      stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(*arguments, **fields):
  process = start(*arguments, **fields)
  out, err = process.communicate()
  return process.returncode, out, err


class TrainTest(absltest.TestCase):

  def test_a_run_is_stopped_and_goes_on(self):
    folder = self.create_tempdir().full_path
    flags = f'--data_dir={folder}/data', f'--run_dir={folder}/run'
    self.assertEqual(run(flags[0], module='binaries.prepare_data')[0], 0)

    process = start(*TINY, *flags, '--config.train.steps=100000')
    first = [process.stdout.readline() for _ in range(4)]
    self.assertRegex(''.join(first), (
        r'model: [\d,]+ parameters, float32\ndevices: 1 x cpu\n'
        r'data: starter:1 in .*, about [\d,]+ bytes to train on\n'
        r'plan: 100,000 steps of 4 x 64 bytes, [\d.]+ times the data\n'))
    self.assertRegex(process.stdout.readline(), r'step 3: held-out loss \d')
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate()
    self.assertEqual(process.returncode, 0, err)
    self.assertIn('SIGTERM: finishing what runs, then saving.', err)
    self.assertNotIn('Traceback', err)
    self.assertRegex(out, r'step [\d,]+: stopped by SIGTERM; the same command goes on\n')

    stored = json.loads(pathlib.Path(folder, 'run', 'config.json').read_text())
    self.assertEqual(stored['train']['steps'], 100_000)
    code, _, err = run(*TINY, *flags, '--config.model.width=32')
    self.assertEqual(code, 1)
    self.assertRegex(
        err, r'^error: --config contradicts the run in .*\n  config.model.width: 16 != 32')

    rows = pathlib.Path(folder, 'run', 'metrics.jsonl').read_text().splitlines()
    steps = max(json.loads(row)['step'] for row in rows) + 8
    code, out, err = run(*TINY, *flags, f'--config.train.steps={steps}')
    self.assertEqual(code, 0, err)
    self.assertRegex(out, rf'from now on config.train.steps: 100000 != {steps}\nresuming ')
    self.assertRegex(out, rf'step {steps:,}: finished\nconfig, checkpoints, .* lie in {folder}/run')
    code, out, err = run(*flags)  # The run's own config; there is nothing left to do.
    self.assertEqual((code, err), (0, ''))
    self.assertIn(f'step {steps:,}: finished', out)


class MistakesTest(parameterized.TestCase):

  @parameterized.named_parameters(
      ('no_config', (), r'error: --config is missing: give a preset'),
      ('no_such_config', ('--config=nope.py',), r'error: --config=nope.py does not exist: give'),
      ('no_config_file', ('--config=README.md',), r'error: a flag cannot be used: '),
      ('no_such_field', (PRESET, '--config.model.widht=3'),
       r'error: a flag cannot be used: .*widht.*Did you mean "width"'),
      ('a_value_that_is_not_allowed', (PRESET, '--config.model.pattern=XY'),
       r"error: config.model.pattern='XY' is not allowed: give letters"),
      ('no_such_run', ('--run_dir=/no/where',), r'error: /no/where/config.json does not exist'),
      ('no_data', (PRESET, '--data_dir=/no/where'), r"error: the dataset 'starter' is not built"),
      ('no_flag', ('train',), r"error: unknown argument 'train': give flags"))
  def test_are_told_in_a_line(self, arguments, message):
    code, _, err = run(*arguments)
    self.assertEqual(code, 1)
    self.assertRegex(err, message)
    self.assertNotIn('Traceback', err)
    self.assertLen(err.splitlines(), 1)


if __name__ == '__main__':
  absltest.main()
