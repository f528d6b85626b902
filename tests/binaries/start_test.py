"""How programs start: streams, locale and signals before anything is imported, as a user has them.

Only `prepare_data` is started, the quickest to import: what is tested stands in the package.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from absl.testing import absltest, parameterized

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = f'{sys.executable} -m binaries.prepare_data --data_dir=/none --list'
# Python's own ways to UTF-8 are off, so text is ASCII unless the program does something.
ASCII = {'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'}


def shell(command, **environment):
  """(exit code, stdout, stderr) of a line of bash in the root of the repository."""
  done = subprocess.run(
      ['bash', '-c', command], cwd=ROOT, env={**os.environ, **environment}, capture_output=True,
      check=False, timeout=120)
  return done.returncode, done.stdout, done.stderr


class StreamsTest(parameterized.TestCase):

  @parameterized.parameters('<&-', '2>&-', '<&- 2>&-')
  def test_works_without_a_standard_stream(self, closed):
    code, out, err = shell(f'{PROGRAM} {closed}')
    self.assertEqual((code, err), (0, b''))
    self.assertIn(b'text_folder', out)

  @parameterized.parameters('>&-', '<&- >&-', '> /dev/full', '1</dev/null')
  def test_output_that_cannot_be_written_is_one_line(self, closed):
    code, _, err = shell(f'{PROGRAM} {closed}')
    self.assertEqual(code, 1)
    self.assertRegex(err, rb'^error: [^\n]+\n$')

  def test_no_stream_at_all(self):
    self.assertEqual(shell(f'{PROGRAM} <&- >&- 2>&-'), (1, b'', b''))

  @parameterized.parameters((PROGRAM, b'141'), (f'{PROGRAM} --helpfull', b'0'))
  def test_a_reader_that_goes_away(self, program, code):
    # The pipe has no reader when the program writes.
    _, _, err = shell(f'{program} | exec sleep 0; echo "${{PIPESTATUS[0]}}" >&2')
    self.assertEqual(err, code + b'\n')

  def test_help_is_no_mistake(self):
    code, out, err = shell(f'{PROGRAM} --help')
    self.assertEqual((code, err), (0, b''))
    self.assertIn(b'a path; ~ is your home folder', out)


class LocaleTest(absltest.TestCase):

  def test_what_is_listed_and_built_is_the_same_in_every_locale(self):
    with tempfile.TemporaryDirectory() as folder:
      os.makedirs(f'{folder}/çalışma')
      for word in ('ışık', 'yağmur', 'gölge'):
        pathlib.Path(folder, 'çalışma', f'{word}.txt').write_text(word * 99, encoding='utf-8')
      pathlib.Path(folder, 'çalışma', 'bozuk ş.txt').write_bytes(b'\xff\xff')
      command = (f'{sys.executable} -m binaries.prepare_data --data_dir={folder}/data '
                 f'--dataset=text_folder --source={folder}/çalışma --name=x')
      for _ in range(2):  # The second finds what the first has built.
        code, out, err = shell(command, **ASCII)
        self.assertEqual(code, 0, err)
        self.assertIn('bozuk ş.txt: '.encode(), out)
      self.assertEqual(shell(PROGRAM, **ASCII), shell(PROGRAM))


class InterruptTest(parameterized.TestCase):

  @parameterized.parameters({}, ASCII)
  def test_control_c_while_it_imports_is_quiet(self, **environment):
    process = subprocess.Popen(
        # Each import is a line on stderr, so the moment is chosen by what is imported.
        [sys.executable, '-X', 'importtime', '-m', 'binaries.prepare_data', '--list'], cwd=ROOT,
        env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in process.stderr:
      if line.endswith(b' absl\n') or b'absl.' in line:
        break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    self.assertEqual((process.returncode, out), (130, b''), err)
    self.assertNotIn(b'Traceback', err)
    self.assertEndsWith(err, b'interrupted\n')

  def test_a_background_job_of_a_script_is_left_alone(self):
    # A shell starts it with SIGINT ignored.
    code, out, _ = shell(f'trap "" INT; {PROGRAM} & pid=$!; sleep 0.2; kill -INT $pid; wait $pid')
    self.assertEqual(code, 0)
    self.assertIn(b'text_folder', out)


if __name__ == '__main__':
  absltest.main()
