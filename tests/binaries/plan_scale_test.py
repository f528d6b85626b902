"""The program that plans: its table and JSON, its warning, and whoever made a mistake."""

import json
import os
import pathlib
import subprocess
import sys

from absl.testing import absltest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*flags):
  return subprocess.run(
      [sys.executable, '-m', 'binaries.plan_scale', *flags], cwd=ROOT, check=False, text=True,
      capture_output=True, env={**os.environ, 'PYTHONPATH': str(ROOT)})


class PlanScaleTest(absltest.TestCase):

  def test_prints_a_table_and_writes_json(self):
    out = pathlib.Path(self.create_tempdir().full_path) / 'plan.json'
    done = run('--config=nano', '--devices=4', '--mesh=fsdp:4', '--noaot', f'--out={out}')
    self.assertEqual(done.returncode, 0, done.stderr)
    values = json.loads(out.read_text(encoding='utf-8'))
    self.assertEqual((values['devices'], values['mesh']['fsdp']), (4, 4))
    self.assertIn(f'{values["parameters"]:,}', done.stdout)
    self.assertIn('mesh data:1,fsdp:4,sequence:1', done.stdout)
    self.assertNotIn('warning', done.stderr)

  def test_mistakes_are_one_line(self):
    done = run('--noaot', '--devices=4', '--mesh=data:2')
    self.assertEqual(done.returncode, 1)
    self.assertIn('--mesh=data:2 is one of 2 devices: give one of --devices=4.', done.stderr)
    self.assertLen(done.stderr.splitlines(), 1)


if __name__ == '__main__':
  absltest.main()
