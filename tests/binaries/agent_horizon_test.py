"""The measure of horizons as a user runs it."""

import contextlib
import io
import json
import os
import pathlib
from unittest import mock

from absl.testing import absltest, flagsaver, parameterized

from binaries import agent_horizon
from haiku_spectral.agent import horizon
from haiku_spectral.sandbox import result, sandbox
from tests.decoding import tiny_model


class AgentHorizonTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.run_dir = tiny_model.save_run(pathlib.Path(self.folder, 'run'))

  def _run(self, **flags):
    out = io.StringIO()
    flags = {'run_dir': self.run_dir, 'goals': 2, 'lengths': [1, 2], **flags}
    with (
        flagsaver.flagsaver(**flags), contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(io.StringIO()),
    ):
      agent_horizon.main(['agent_horizon'])
    return out.getvalue()

  def test_a_model_of_noise_reaches_nothing(self):
    out = self._run(families=['turkish_suffixes', 'arithmetic'])
    self.assertIn('on turkish_suffixes, arithmetic, depth 1', out)
    with open(os.path.join(self.run_dir, 'horizon.json'), encoding='utf-8') as file:
      rows = json.load(file)['rows']
    self.assertEqual([(row['length'], row['persistent']['value']) for row in rows],
                     [(1, 0.0), (2, 0.0)])
    self.assertTrue(os.path.exists(os.path.join(self.run_dir, 'horizon.png')))

  def test_a_model_that_is_always_right_reaches_all(self):
    right = mock.patch.object(horizon, '_generate', lambda decoder, context, problems: [
        problem.answer.encode() for _, problem in problems])
    with right:
      out = self._run(output=os.path.join(self.folder, 'report'))
    self.assertIn('        2  1.00 [', out)
    self.assertIn(os.path.join(self.folder, 'report', 'horizon.json'), out)

  @parameterized.parameters(
      ({'run_dir': ''}, '--run_dir is missing'),
      ({'families': ['chess']}, "family='chess' does not exist: choose one of turkish_suffixes"),
      ({'depth': 13}, 'depth=13 is not allowed'),
      ({'lengths': [0]}, r'lengths=\(0,\) is not allowed'))
  def test_mistakes(self, flags, message):
    with self.assertRaisesRegex(ValueError, message):
      self._run(**flags)

  def test_a_report_that_cannot_be_is_refused_before_anything_is_measured(self):
    measured = mock.patch.object(agent_horizon, '_measure', side_effect=AssertionError)
    with measured, self.assertRaisesRegex(ValueError, 'The report .*config.json/x .*--output'):
      self._run(output=os.path.join(self.run_dir, 'config.json', 'x'))

  def test_without_a_sandbox(self):
    gone = mock.patch.object(
        sandbox.Sandbox, '__enter__', side_effect=result.Unavailable('bubblewrap is missing'))
    with gone, self.assertRaises(result.Unavailable):
      self._run()


if __name__ == '__main__':
  absltest.main()
