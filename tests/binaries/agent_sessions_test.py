"""Sessions to learn from, as a user writes them."""

import contextlib
import io
import pathlib
from unittest import mock

from absl.testing import absltest, flagsaver

from binaries import agent_sessions
from haiku_spectral.agent import transcript
from haiku_spectral.sandbox import result, sandbox
from tests.agent import taught
from tests.decoding import tiny_model


class AgentSessionsTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.place = pathlib.Path(self.create_tempdir().full_path, 'sessions')
    self.run_dir = tiny_model.save_run(self.create_tempdir().full_path + '/run')

  def _run(self, **flags):
    flags = {'output': str(self.place), 'goals': 3, 'rows': 2, 'most_turns': 6, **flags}
    out, err = io.StringIO(), io.StringIO()
    with (
        flagsaver.flagsaver(**flags), contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
      code = agent_sessions.main(['agent_sessions'])
    return code, out.getvalue(), err.getvalue()

  def test_the_sessions_of_a_teacher(self):
    code, out, _ = self._run()
    self.assertEqual((code, out), (0, f'3 sessions of 3 goals in {self.place}\n'))
    events = [transcript.read(path) for path in sorted(self.place.glob('*/transcript.jsonl'))]
    self.assertEqual([session[-1].text for session in events], [b'done'] * 3)
    with self.assertRaisesRegex(ValueError, '--output=.* give a folder that is not there yet'):
      self._run()

  def test_of_the_model_only_sessions_are_kept_that_reached_their_goals(self):
    with taught.trusted(), taught.plays(change=taught.missed_in(1)):
      code, out, _ = self._run(run_dir=self.run_dir)
    self.assertEqual((code, out), (0, f'2 sessions of 3 goals in {self.place}\n'))
    self.assertEqual(sorted(path.name for path in self.place.iterdir()), ['00000', '00002'])

  def test_when_nothing_is_reached_nothing_is_left(self):
    with taught.trusted(), taught.plays(change=taught.missed_in(0, 1)):
      code, _, err = self._run(run_dir=self.run_dir)
    self.assertEqual(code, 4)
    self.assertIn('error: no session reached its goal, so there is nothing to learn from', err)
    self.assertEmpty(list(self.place.parent.iterdir()))

  def test_without_a_sandbox(self):
    gone = mock.patch.object(
        sandbox.Sandbox, '__enter__', side_effect=result.Unavailable('bubblewrap is missing'))
    with gone, self.assertRaises(result.Unavailable):
      self._run(run_dir=self.run_dir)


if __name__ == '__main__':
  absltest.main()
