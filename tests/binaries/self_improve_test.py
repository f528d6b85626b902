"""The program: what it refuses, and how it says so."""

import contextlib
import io
import pathlib

from absl.testing import absltest, flagsaver, parameterized

from binaries import self_improve
from haiku_spectral.sandbox import result
from haiku_spectral.self_training import outcomes, report, rounds


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
      ({'arm': ['gold']}, '--arm=gold is not allowed: give some of golden, unfiltered'),
      ({'seed': ['-1']}, '--seed=-1 is not allowed: give whole numbers'),
      ({'seed': ['²']}, '--seed=² is not allowed: give whole numbers'),
      ({'arm': []}, '--arm and --seed must not be empty'),
      ({'arm': ['golden', 'agreement'], 'samples': 1}, '--samples=1 is not allowed with --arm=agr'),
      ({'arm': ['oracle', 'golden']}, '--arm=oracle asks what golden has asked, .* for seed 0'),
      ({'labelled': 2}, '--labelled=2 is not allowed: give 3 or more'),
      ({'family': 'cooking'}, "family='cooking' does not exist: choose one of turkish_suffixes"),
      ({'temperature': 0.0}, '--temperature=0.0 is not allowed'))
  def test_mistakes_in_flags_are_told_before_anything_is_made(self, given, message):
    with self.assertRaisesRegex(ValueError, message):
      self.run_with(**given)
    self.assertFalse(self.run_dir.exists())

  def test_without_a_sandbox_nothing_is_executed(self):
    gone = absltest.mock.patch.object(
        self_improve.sandbox.Sandbox, '__enter__', side_effect=result.Unavailable('not installed'))
    with gone, self.assertRaises(result.Unavailable):
      self.run_with()
    self.assertFalse(self.run_dir.exists())

  @parameterized.parameters(
      (outcomes.Mastered('every depth is mastered'), 0, '', 'every depth is mastered\nthe table\n'),
      (outcomes.NoSignal('no signal'), 4, 'error: no signal\n', 'the table\n'),
      (outcomes.Regression('worse'), 5, 'error: worse\n', 'the table\n'))
  def test_the_exit_code_says_how_an_arm_ended(self, outcome, code, error, reported):
    out = io.StringIO()
    with contextlib.ExitStack() as stack:
      for owner, name, result_ in (
          (self_improve.sandbox.Sandbox, '__enter__', None), (self_improve, '_build_starter', None),
          (self_improve.sandbox.Sandbox, '__exit__', None), (rounds, 'run_base', None),
          (report, 'write', 'the table')):
        stack.enter_context(absltest.mock.patch.object(owner, name, return_value=result_))
      stack.enter_context(absltest.mock.patch.object(rounds, 'run_arm', side_effect=outcome))
      stack.enter_context(contextlib.redirect_stdout(out))
      found = self.run_with(seed=['0'], arm=['golden'])
    self.assertEqual(found, (code, error))
    self.assertStartsWith(out.getvalue(), reported)

  def test_a_report_on_nothing(self):
    with self.assertRaisesRegex(FileNotFoundError, 'has no measured model yet'):
      self.run_with(report=True)


if __name__ == '__main__':
  absltest.main()
