"""How programs end: their exit codes, and what they say of a mistake."""

import contextlib
import io
import os
import signal
import sys
from unittest import mock

from absl.testing import absltest, flagsaver, parameterized

from binaries import command_line, flag_types
from haiku_spectral.sandbox.result import Unavailable

NUMBER = flag_types.define_integer('number', 1, 'A number.')


def run(main, *arguments):
  """(exit code, stdout, stderr)."""
  with (
      flagsaver.flagsaver(), mock.patch.object(sys, 'argv', ['program', *arguments]),
      contextlib.redirect_stdout(io.StringIO()) as out,
      contextlib.redirect_stderr(io.StringIO()) as err,
  ):
    try:
      command_line.run(main)
    except SystemExit as end:
      return end.code or 0, out.getvalue(), err.getvalue()
  raise AssertionError('it returned')


def fail(error):
  def main(argv):
    del argv
    raise error
  return main


class RunTest(parameterized.TestCase):

  @parameterized.parameters((None, 0), (0, 0), (5, 5))
  def test_the_exit_code_is_what_main_returns(self, returned, code):
    self.assertEqual(run(lambda argv: returned), (code, '', ''))

  @parameterized.parameters(
      (ValueError('--a=1 is not allowed: give 2.'), '--a=1 is not allowed: give 2.'),
      (FileNotFoundError(2, 'No such file or directory', 'a\x1b[2J'),
       r"[Errno 2] No such file or directory: 'a\x1b[2J'"),
      (BrokenPipeError(32, 'Broken pipe'), '[Errno 32] Broken pipe'))
  def test_a_mistake_is_one_line(self, error, message):
    self.assertEqual(run(fail(error)), (1, '', f'error: {message}\n'))

  def test_without_a_sandbox(self):
    error = Unavailable('bubblewrap is missing')
    self.assertEqual(run(fail(error)), (3, '', 'error: bubblewrap is missing\n'))

  def test_no_escape_sequence_reaches_the_terminal(self):
    code, _, err = run(fail(ValueError('run \x1b]0;x\x07\r\x9b1m\udcff is damaged:\n  twice')))
    self.assertEqual(code, 1)
    self.assertEqual(
        err, 'error: run \\x1b]0;x\\x07\\r\\x9b1m\\xff is damaged:\n  twice\n')

  def test_what_is_no_mistake_of_the_user_keeps_its_traceback(self):
    with self.assertRaisesRegex(ZeroDivisionError, 'by nothing'):
      run(fail(ZeroDivisionError('by nothing')))

  @parameterized.parameters(
      ('--number=99999999999999999999', 'a flag cannot be used: flag --number=9+: give a whole'),
      ('--numbre=1', "Unknown command line flag 'numbre'. Did you mean: number . --help lists"),
      ('stray', "unknown argument 'stray': give flags"))
  def test_flags_that_cannot_be_used(self, argument, message):
    code, out, err = run(fail(AssertionError('main ran')), argument)
    self.assertEqual((code, out), (1, ''))
    self.assertRegex(err, f'^error: {message}[^\n]*\n$')

  def test_control_c(self):
    def main(argv):
      del argv
      os.kill(os.getpid(), signal.SIGINT)

    self.assertEqual(run(main), (130, '', 'interrupted\n'))

  def test_a_reader_of_standard_error_that_has_gone_away(self):
    class Gone(io.StringIO):
      def write(self, text):
        raise BrokenPipeError(32, 'Broken pipe')

    def main(argv):
      del argv
      with contextlib.redirect_stderr(Gone()):
        command_line.tell('nobody hears this')
      return 4

    self.assertEqual(run(main), (4, '', ''))


if __name__ == '__main__':
  absltest.main()
