"""The agent as a user runs it: goals, limits, the real sandbox, and signals at any moment."""

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
from unittest import mock

from absl.testing import absltest, flagsaver, parameterized

from binaries import agent
from haiku_spectral import config
from haiku_spectral.agent import folder, sampler
from haiku_spectral.sandbox import result, sandbox
from haiku_spectral.training import checkpoint
from tests.decoding import tiny_model

LOADED = config.Config(model=tiny_model.CONFIG), tiny_model.params(), 7
NOISE = {'goal': 'count', 'turns': 5, 'repeats': 99, 'turn_bytes': 40}
WORK = (
    b'```\nfiles["n.txt"] = b"12"\nprint(sum(range(5)))\n```\n',
    b'REMEMBER sum=10\n',
    b'```\nimport os\nos.listdir("/home")\n```\n',
    b'```\nimport socket\nsocket.socket()\n```\n',
    b'```\nfiles["n.txt"] += b"3"\n```\n',
    b'DONE\n',
)


class AgentTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.session = pathlib.Path(self.create_tempdir().full_path, 'session')

  def _run(self, written=None, **flags):
    """(exit code, stdout, stderr) of the program in this process, for any run the tiny model."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
      stack.enter_context(flagsaver.flagsaver(
          **{'run_dir': 'runs/tiny', 'session': str(self.session), **flags}))
      stack.enter_context(mock.patch.object(checkpoint, 'load_params', return_value=LOADED))
      if written:
        write = mock.Mock(side_effect=written)
        stack.enter_context(mock.patch.object(sampler.ModelSampler, 'generate', write))
      stack.enter_context(contextlib.redirect_stdout(out))
      stack.enter_context(contextlib.redirect_stderr(err))
      code = agent.main(['agent'])
    return code, out.getvalue(), err.getvalue()

  def _texts(self, kind):
    lines = (self.session / folder.TRANSCRIPT).read_text().splitlines()
    return [event['text'] for event in map(json.loads, lines) if event['kind'] == kind]

  def test_a_goal_is_worked_on_over_two_days(self):
    code, out, err = self._run(WORK, goal='count', turns=3)
    self.assertEqual((code, err), (2, 'ended by --turns=3; a greater one goes on\n'))
    self.assertIn('--- turn ---\nREMEMBER sum=10\n--- observation ---\nremembered\n', out)
    code, _, err = self._run(WORK[3:])
    self.assertEqual(code, 0)
    self.assertRegex(err, r'^state: [\d,]+ bytes of context were loaded\ndone\n$')
    observed = self._texts('observation')
    self.assertEqual(observed[:2] + observed[4:], ['ok\n10', 'remembered', 'ok', 'done'])
    # What a sandbox is for.
    self.assertStartsWith(observed[2], 'exception: ')
    self.assertStartsWith(observed[3], 'exception: ')
    self.assertEqual((self.session / 'workspace' / 'n.txt').read_bytes(), b'123')
    self.assertEqual(json.loads((self.session / folder.MEMORY).read_text()), {'sum': '10'})

  def test_files_of_all_bytes_pass_through_the_sandbox(self):
    size = folder.workspace.MAX_BYTES - 256
    turns = [b'```\nfiles["a"] = bytes(range(256))\nfiles["b"] = bytes(%d)\n```\n' % size,
             b'```\nassert files["b"] == bytes(%d)\ndel files["b"]\n```\n' % size, b'DONE']
    self.assertEqual(self._run(turns, goal='x')[0], 0)
    self.assertEqual(self._texts('observation'), ['ok', 'ok', 'done'])
    work = self.session / 'workspace'
    self.assertEqual(os.listdir(work), ['a'])
    self.assertEqual((work / 'a').read_bytes(), bytes(range(256)))

  def test_control_c_keeps_the_session(self):
    def interrupted(context, should_stop):
      os.kill(os.getpid(), signal.SIGINT)
      return b'half a tu'

    with mock.patch.object(sampler.ModelSampler, 'generate', staticmethod(interrupted)):
      code, _, err = self._run(goal='count')
    self.assertEqual((code, err), (130, 'stopped by SIGINT; the same command goes on\n'))
    self.assertEqual((self._texts('goal'), self._texts('turn')), (['count'], []))

  @parameterized.parameters((signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL))
  def test_a_signal_loses_nothing(self, number, code):
    run_dir = tiny_model.save_run(self.session.with_name('run'))
    flags = [f'--{name}={value}' for name, value in NOISE.items()]
    process = subprocess.Popen(
        [sys.executable, '-m', 'binaries.agent', f'--run_dir={run_dir}',
         f'--session={self.session}', *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    shown = process.stdout.readline()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    self.assertEqual(shown, b'--- turn ---\n')
    self.assertNotIn(b'Traceback', err)
    self.assertIn(process.returncode, (code, 2))  # 2: it had ended before the signal came.
    self.assertEqual(self._run(**NOISE)[0], 2)
    interrupted = self._texts('turn')
    self.assertLen(interrupted, 5)
    self.session = self.session.with_name('uninterrupted')
    self._run(**NOISE)
    self.assertEqual(interrupted, self._texts('turn'))

  @parameterized.parameters(
      ({'session': '', 'goal': 'x'}, '--session is missing: give a folder for what happens'),
      ({'run_dir': '', 'goal': 'x'}, '--run_dir is missing'),
      ({}, 'session has no goal yet: give --goal'),
      ({'goal': 'x', 'turns': 0}, 'turns=0 is not allowed'),
      ({'goal': 'x', 'temperature': -1.0}, 'temperature=-1.0 is not allowed'))
  def test_mistakes(self, flags, message):
    with self.assertRaisesRegex(ValueError, message):
      self._run(**flags)

  def test_a_reader_that_goes_away_ends_it(self):
    read, write = os.pipe()
    os.close(read)
    with (
        open(write, 'w', encoding='utf-8') as gone, mock.patch.object(sys, 'stdout', gone),
        flagsaver.flagsaver(run_dir='runs/tiny', session=str(self.session), **NOISE),
        mock.patch.object(checkpoint, 'load_params', return_value=LOADED),
    ):
      self.assertEqual(agent.main(['agent']), 141)
    self.assertLen(self._texts('turn'), 1)

  def test_a_session_that_cannot_be_is_refused_before_the_model_is_loaded(self):
    self.session.write_text('mine', encoding='utf-8')
    with mock.patch.object(checkpoint, 'load_params', side_effect=AssertionError('loaded')):
      for session in (str(self.session), f'{self.session}/below'):
        with self.assertRaisesRegex(ValueError, f'The session {session} .*--session'):
          self._run(goal='x', session=session)

  def test_without_a_sandbox_nothing_happens(self):
    gone = mock.patch.object(
        sandbox.Sandbox, '__enter__', side_effect=result.Unavailable('bubblewrap is missing'))
    with gone, self.assertRaises(result.Unavailable):
      self._run(goal='x')
    self.assertFalse(os.path.exists(self.session))


if __name__ == '__main__':
  absltest.main()
