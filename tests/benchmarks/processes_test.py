"""Measuring in other processes: what comes back, and what is said when nothing does."""

import sys
from unittest import mock

from absl.testing import absltest

from haiku_spectral.benchmarks import processes, speed, subject
from haiku_spectral.benchmarks.settings import Settings
from tests.decoding import tiny_model

TINY = subject.Subject('tiny', tiny_model.CONFIG, tiny_model.params(), {})
ROWS = [{'context': 8, 'ms': 1.0, 'variant': 'static cache, sdpa', 'parameters': 4000},
        {'context': 16, 'ms': 12.0, 'variant': 'dynamic cache, eager', 'parameters': 4000}]


class RunTest(absltest.TestCase):

  def test_last_line_counts(self):
    found = processes.run_json([sys.executable, '-c', "print('installing\\n{\"a\": [1]}')"])
    self.assertEqual(found, {'a': [1]})

  def test_failure_says_why(self):
    with self.assertRaisesRegex(RuntimeError, 'exit code 3: no such index'):
      processes.run_json([sys.executable, '-c', (
          "import sys; print('trying\\nno such index\\nmake: *** Error 1', file=sys.stderr); "
          'sys.exit(3)')])


class PrefillMemoryTest(absltest.TestCase):

  def test_peak_and_pace_of_fresh_processes(self):
    run_dir = tiny_model.save_run(self.create_tempdir().full_path)
    first, second = processes.prefill_memory(
        TINY, Settings(run_dir=run_dir, prompts=(1, 512))).rows
    self.assertEqual([first['prompt, bytes'], second['prompt, bytes']], [1, 512])
    self.assertGreater(first['peak memory, MiB'], 50)  # Python and jax alone.
    self.assertEqual(first['ratio'], 1.0)
    self.assertGreater(second['bytes/s'], 0)


class BaselineTest(absltest.TestCase):

  def test_table(self):
    def run(command):
      self.assertIn('ARGS=--contexts=8,16 --parameters=', command[-1])
      return {'torch': '2', 'transformers': '5', 'threads': 2, 'rows': ROWS}

    with (
        mock.patch.object(processes, 'run_json', run),
        mock.patch.object(subject, 'contexts', return_value={}),
        mock.patch.object(speed, 'at_positions', return_value={16: 4.0, 8: 2.0}),
    ):
      section = processes.baseline(TINY, Settings(contexts=(8, 16)))
    self.assertEqual([row['transformer, ms per token'] for row in section.rows], [1.0, 12.0])
    self.assertEqual([row['ours, ms per byte'] for row in section.rows], [2.0, 4.0])
    self.assertEqual([row['ratio'] for row in section.rows], [0.5, 3.0])
    self.assertIn('transformers 5 on torch 2', section.note)

  def test_skipped_with_the_reason_when_it_cannot_run(self):
    def run(command):
      raise RuntimeError('exit code 2: no matching distribution')

    with mock.patch.object(processes, 'run_json', run):
      section = processes.baseline(TINY, Settings())
    self.assertEmpty(section.rows)
    self.assertIn('Skipped', section.note)
    self.assertIn('no matching distribution', section.note)


if __name__ == '__main__':
  absltest.main()
