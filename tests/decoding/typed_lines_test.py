"""Lines from pipes and terminals, and the file that remembers them."""

import os
import pathlib
import pty
import stat
import subprocess
import sys

from absl.testing import absltest

# What a person does at a terminal: asked twice, in a process of their own.
ASK = '''
import sys
from haiku_spectral.decoding import typed_lines
with typed_lines.asking(sys.argv[1]) as ask:
  print('heard', [ask(), ask()])
'''


class AskingTest(absltest.TestCase):

  def _at_a_terminal(self, history, typed):
    """(exit code, what is shown) of asking twice at a terminal of its own."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, '-c', ASK, history], stdin=theirs, stdout=theirs,
        stderr=theirs) as process:
      os.close(theirs)
      os.write(ours, typed.encode())
      code = process.wait(timeout=60)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    return code, shown

  def test_history_that_cannot_be_used_costs_a_note(self):
    folder = self.create_tempdir().full_path
    file = self.create_tempfile('file').full_path
    for history in ('/no/such/home/history', folder, os.path.join(file, 'history')):
      code, shown = self._at_a_terminal(history, 'one\ntwo\n')
      self.assertEqual(code, 0, shown)
      self.assertIn("heard ['one', 'two']", shown)
      self.assertEqual(shown.count(f'note: lines typed are not kept in {history}: '), 1, shown)
      self.assertNotIn('Traceback', shown)

  def test_a_closed_standard_input_ends_the_conversation(self):
    done = subprocess.run(
        ['sh', '-c', 'exec "$0" -c "$1" history <&-', sys.executable, """
from haiku_spectral.decoding import typed_lines
with typed_lines.asking('history') as ask:
  try:
    ask()
  except EOFError:
    print('ended')
"""], capture_output=True, text=True, check=False)
    self.assertEqual((done.stdout, done.stderr), ('ended\n', ''))

  def test_piped_lines_of_any_bytes_without_a_prompt(self):
    done = subprocess.run(
        [sys.executable, '-c', ASK, '/no/such/folder/history'], input=b'one\n\xff\n',
        capture_output=True, check=True, env={**os.environ, 'PYTHONUTF8': '1'})
    self.assertEqual(done.stdout.decode(), "heard ['one', '\\udcff']\n")

  def test_terminal_has_a_prompt_and_remembers_lines(self):
    history = pathlib.Path(self.create_tempdir().full_path, 'history')
    up = '\x1b[A'  # The key: the line before.
    for typed, heard in ((f'one\n{up}!\n', ['one', 'one!']), (f'{up}{up}\ntwo\n', ['one', 'two'])):
      code, shown = self._at_a_terminal(history, typed)
      self.assertEqual(code, 0)
      self.assertNotIn('note', shown)
      self.assertIn('> ', shown)
      self.assertIn(f'heard {heard}', shown)
    self.assertEqual(history.read_text().split(), ['one', 'one!', 'one', 'two'])
    self.assertEqual(stat.S_IMODE(history.stat().st_mode), 0o600)


if __name__ == '__main__':
  absltest.main()
