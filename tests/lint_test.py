"""Style and types, as `make lint` checks them. pyproject.toml holds the rules."""

import pathlib
import subprocess
import sys

from absl.testing import absltest

ROOT = pathlib.Path(__file__).parents[1]


class LintTest(absltest.TestCase):

  def check(self, *tool: str):
    done = subprocess.run([sys.executable, '-m', *tool], cwd=ROOT, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    self.assertEqual(done.returncode, 0, f'{" ".join(tool)} found:\n{done.stdout}')

  def test_style(self):
    self.check('ruff', 'check', '--quiet', '--output-format=concise', '.')

  def test_types(self):
    self.check('mypy', '--no-error-summary', '--hide-error-context')


if __name__ == '__main__':
  absltest.main()
