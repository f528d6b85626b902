"""Tests of the training program: what it says, how it stops, and how it reports mistakes."""

import json
import pathlib
import signal
import subprocess
import sys

from absl.testing import absltest, parameterized

from datasets.starter import starter_dataset_builder as starter
from tests.datasets import corpora

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRESET = '--config=haiku_spectral/configs/nano.py'
TINY = (PRESET, *(f'--config.{field}' for field in (
    'model.pattern=HM', 'model.layers=2', 'model.width=16', 'model.mlp_width=16',
    'model.hyena.filter.horizon=32', 'model.hyena.filter.max_time_constant=8.0',
    'model.attention.heads=2', 'model.ngram.orders=2', 'model.ngram.words=',
    'model.ngram.slots=64', 'train.optimizer.kind=adamw', 'data.segment=64', 'data.history=256',
    'train.steps=6', 'train.log_every=2', 'train.eval_every=3', 'train.eval_batches=2',
    'train.checkpoint_every=2', 'train.optimizer.warmup_steps=1')))


def start(*arguments, module='binaries.train'):
  return subprocess.Popen(
      [sys.executable, '-m', module, *arguments], cwd=ROOT, text=True,
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

    size = sum(entry.bytes for entry in starter.manifest() if entry.split == 'train')
    code, out, err = run(*TINY, flags[0], '--run_dir=README.md/run')
    self.assertEqual((code, out), (1, ''))
    self.assertRegex(err, r'^error: The run README.md/run could not be saved .*--run_dir path.$')

    process = start(*TINY, *flags, '--config.train.steps=100000')
    first = [process.stdout.readline() for _ in range(4)]
    self.assertRegex(''.join(first), (
        r'model: [\d,]+ parameters, float32\ndevices: 1 x cpu \(data:1,fsdp:1,sequence:1\)\n'
        rf'data: starter:1 in .*, {size:,} bytes to train on\n'
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


SMALL = ('--config=haiku_spectral/configs/curriculum_small.py', *(f'--config.{field}' for field in (
    'model.pattern=H', 'model.layers=1', 'model.width=16', 'model.mlp_width=16',
    'model.hyena.filter.horizon=32', 'model.hyena.filter.max_time_constant=8.0',
    'model.ngram.orders=', 'data.segment=64',
    'train.log_every=2', 'train.eval_every=0', 'train.eval_batches=2',
    'train.checkpoint_every=0', *(f'curriculum[{i}].{field}' for i in range(3) for field in (
        'segment=64', 'bytes=4096', 'rate.warmup_steps=0')),
    'curriculum[0].warmup_lengths=16:0.25')))


class CurriculumTest(absltest.TestCase):

  def test_a_run_goes_through_three_phases_and_a_changed_dataset_is_named(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    data_dir, run_dir = str(folder / 'data'), folder / 'run'
    for number, name in enumerate(('turkish', 'english', 'code', 'golden')):
      source = corpora.write(
          folder / name, {f'{i}': corpora.letters(100 * number + i, 3000) for i in range(30)})
      corpora.build(name, source, data_dir)
    flags = *SMALL, f'--data_dir={data_dir}', f'--run_dir={run_dir}'
    code, out, err = run(*flags)
    self.assertEqual(code, 0, err)
    starts = [line for line in out.splitlines() if ': phase ' in line]
    self.assertLen(starts, 4)
    for line, text in zip(starts, (
        "step 0: phase 'language', 8 steps of 8 x 16 bytes of text_folder/turkish:0.8,text_fold",
        "step 8: phase 'language', 6 steps of 8 x 64 bytes", "step 14: phase 'world', 8 steps",
        "step 22: phase 'golden', 8 steps of 8 x 64 bytes of text_folder/golden:0.5"), strict=True):
      self.assertStartsWith(line, text)
    rows = [json.loads(line) for line in (run_dir / 'metrics.jsonl').read_text().splitlines()]
    self.assertEqual([row['step'] for row in rows if row['kind'] == 'heldout'], [14, 22, 30])
    self.assertIsNone(rows[0]['loss/text_folder/golden'])
    for name in ('turkish', 'english', 'code', 'golden'):
      self.assertBetween(rows[-1][f'loss/text_folder/{name}'], 3, 7)

    corpora.build('golden', corpora.write(folder / 'golden', {'0': b'something else'}), data_dir,
                  overwrite=True)
    code, _, err = run(*flags)
    self.assertEqual(code, 1)
    self.assertRegex(err, r"^error: the dataset 'text_folder/golden' in .* has changed since")


class MistakesTest(parameterized.TestCase):

  @parameterized.named_parameters(
      ('no_config', (), r'error: --config is missing: give a preset'),
      ('no_such_config', ('--config=nope.py',), r'--config=nope.py: it does not exist: give'),
      ('no_config_file', ('--config=README.md',), r'error: a flag cannot be used: '),
      ('no_such_field', (PRESET, '--config.model.widht=3'),
       r'error: a flag cannot be used: .*widht.*Did you mean "width"'),
      ('a_value_that_is_not_allowed', (PRESET, '--config.model.pattern=XY'),
       r"error: config.model.pattern='XY' is not allowed: give letters"),
      ('no_such_run', ('--run_dir=/no/where',), r'error: /no/where/config.json does not exist'),
      ('no_data', (PRESET, '--data_dir=/no/where'), r"error: the dataset 'starter' is not built"),
      ('two_lengths', (PRESET, '--minutes=1', '--config.train.steps=99'),
       r'error: --minutes and --config.train.steps both say how long to train: give one'),
      ('minutes_of_a_curriculum', (SMALL[0], '--minutes=1'),
       r'error: --minutes is not for runs with a curriculum'),
      ('no_flag', ('train',), r"error: unknown argument 'train': give flags"))
  def test_are_told_in_a_line(self, arguments, message):
    code, _, err = run(*arguments)
    self.assertEqual(code, 1)
    self.assertRegex(err, message)
    self.assertNotIn('Traceback', err)
    self.assertLen(err.splitlines(), 1)


if __name__ == '__main__':
  absltest.main()
