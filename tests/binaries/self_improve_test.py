"""The program: what it refuses, and how it says so."""

import contextlib
import io
import pathlib

from absl.testing import absltest, flagsaver, parameterized

from binaries import self_improve
from haiku_spectral.sandbox import result


class SelfImproveTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.run_dir = pathlib.Path(self.create_tempdir().full_path) / 'run'

  def run_with(self, **given):
    err = io.StringIO()
    with flagsaver.flagsaver(run_dir=str(self.run_dir), **given), contextlib.redirect_stderr(err):
      code = self_improve.main([''])
    return code, err.getvalue()

  @parameterized.parameters(
      ({'arm': ['gold']}, '--arm=gold is not allowed: give some of golden, control'),
      ({'seed': ['-1']}, '--seed=-1 is not allowed: give whole numbers'),
      ({'arm': []}, '--arm and --seed must not be empty'),
      ({'family': 'cooking'}, "family='cooking' does not exist: choose one of turkish_suffixes"),
      ({'temperature': 0.0}, '--temperature=0.0 is not allowed'))
  def test_mistakes_in_flags_are_told_before_anything_is_made(self, given, message):
    with self.assertRaisesRegex(ValueError, message):
      self.run_with(**given)
    self.assertFalse(self.run_dir.exists())

  def test_without_a_sandbox_nothing_is_executed(self):
    with absltest.mock.patch.object(
        self_improve.sandbox.Sandbox, '__enter__', side_effect=result.Unavailable('not installed')):
      code, told = self.run_with()
    self.assertEqual((code, told), (3, 'error: not installed\n'))
    self.assertFalse(self.run_dir.exists())

  def test_a_report_on_nothing(self):
    with self.assertRaisesRegex(FileNotFoundError, 'has no measured model yet'):
      self.run_with(report=True)


if __name__ == '__main__':
  absltest.main()
