"""The measure of the agent's goals as a user runs it."""

import contextlib
import io
import json
import pathlib
from unittest import mock

from absl.testing import absltest, flagsaver, parameterized

from binaries import agent_goals
from haiku_spectral.agent import goals_report
from haiku_spectral.sandbox import result, sandbox
from tests.agent import taught
from tests.decoding import tiny_model


class AgentGoalsTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.run_dir = tiny_model.save_run(self.create_tempdir().full_path + '/run')

  def _measure(self, **flags):
    flags = {'run_dir': self.run_dir, 'turns': [5], 'distances': [512], 'goals': 3, 'rows': 2,
             'output': str(self.folder), **flags}
    out = io.StringIO()
    with (
        flagsaver.flagsaver(**flags), contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(io.StringIO()),
    ):
      agent_goals.main(['agent_goals'])
    return out.getvalue()

  def test_goals_that_are_reached_by_turns_distance_and_day(self):
    with taught.trusted(), taught.plays():
      out = self._measure()
    self.assertIn('1.00 [0.44, 1.00]', out)
    found = json.loads((self.folder / 'goals.json').read_text())
    self.assertEqual(
        [(cell['by'], cell['turns'], cell['depth'], cell['kept'], cell['cut'], cell['kept_values'])
         for cell in found['cells']],
        [('turns', 5, 3, 3, 3, 1.0), ('distance', 4, 1, 3, 3, 1.0), ('next day', 8, 3, 3, 3, 1.0)])
    self.assertBetween(found['cells'][1]['distance'], 480, 540)
    self.assertEqual((self.folder / 'goals.png').read_bytes()[:4], b'\x89PNG')

  def test_a_goal_that_is_missed_in_one_of_the_rows(self):
    with taught.trusted(), taught.plays(change=taught.missed_in(1)):
      self._measure(turns=[], next_day=0)
    cell, = json.loads((self.folder / 'goals.json').read_text())['cells']
    self.assertEqual((cell['kept'], cell['goals']), (2, 3))
    self.assertEqual(cell['kept_share']['value'], 2 / 3)
    self.assertEqual(cell['kept_values'], 1)

  @parameterized.parameters(
      ({'run_dir': ''}, '--run_dir is missing'),
      ({'turns': [4]}, 'turns=4 is not allowed: give 5 .for depth 3.'),
      ({'next_day': 1}, 'next_day=1 is not allowed'))
  def test_mistakes(self, flags, message):
    with self.assertRaisesRegex(ValueError, message):
      self._measure(**flags)

  def test_without_a_sandbox(self):
    gone = mock.patch.object(
        sandbox.Sandbox, '__enter__', side_effect=result.Unavailable('bubblewrap is missing'))
    with gone, self.assertRaises(result.Unavailable):
      self._measure()


class ReportTest(absltest.TestCase):

  def test_shares_and_chance_are_in_the_table(self):
    cell = goals_report.Cell('distance', 6, 1, 4062, 50, 45, 0, 0.95, 0.25)
    text = goals_report.to_text(goals_report.Report('a run', 1024, (cell,)))
    self.assertIn('0.90 [0.79, 0.96]', text)
    self.assertIn('0.00 [0.00, 0.07]', text)
    self.assertIn('a chance of 0.0001', text)
    self.assertIn('4,062', text)


if __name__ == '__main__':
  absltest.main()
