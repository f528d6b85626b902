"""prepare_data: what a user sees, for good input and for every kind of bad input."""

import contextlib
import io
import json
import pathlib
import re
import subprocess
import sys
from unittest import mock

from absl.testing import absltest, flagsaver, parameterized

from binaries import command_line, prepare_data
from datasets import registry
from tests.datasets import corpora


class PrepareDataTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)
    self.data_dir = str(self.root / 'data')
    self.source = corpora.write(self.root / 'source', {
        **{f'{i}.txt': corpora.letters(i, 500) for i in range(10)},
        'a.py': b'print()', 'bad.txt': b'\xff', 'image.txt': b'\x89PNG\0'})

  def run_program(self, *arguments):
    """Returns (exit code, stdout, stderr)."""
    argv = ['prepare_data', f'--data_dir={self.data_dir}', *arguments]
    with flagsaver.flagsaver(), mock.patch.object(sys, 'argv', argv), \
        contextlib.redirect_stdout(io.StringIO()) as out, \
        contextlib.redirect_stderr(io.StringIO()) as err, \
        self.assertRaises(SystemExit) as exited:
      command_line.run(prepare_data.main)
    return exited.exception.code or 0, out.getvalue(), err.getvalue()

  def run_folder(self, *arguments):
    return self.run_program(
        '--dataset=text_folder', f'--source={self.source}', '--name=books', *arguments)

  def test_summary_says_what_went_in_and_what_did_not(self):
    code, out, err = self.run_folder('--extensions=.txt')
    self.assertEqual(code, 0)
    self.assertIn(f'text_folder/books: {self.data_dir}/text_folder/books/1.0.0\n', out)
    documents = sum(int(n) for n in re.findall(r'(\d+) documents', out))
    size = sum(int(n.replace(',', '')) for n in re.findall(r'([\d,]+) bytes', out))
    self.assertEqual((documents, size), (10, 5000))
    self.assertIn('left out: 1 x invalid UTF-8\n', out)
    self.assertIn('    bad.txt: invalid UTF-8 at byte 0\n', out)
    self.assertIn('left out: 1 x other extension\n', out)
    self.assertNotIn('Traceback', err)
    for stage in ('checking', 'packing'):
      self.assertRegex(err, stage + r': 100%.*5\.00k/5\.0.k.*B/s')

  def test_report_lies_beside_the_dataset(self):
    self.run_folder('--extensions=txt', '--invalid=replace')
    path = pathlib.Path(self.data_dir, 'text_folder/books/1.0.0/report.json')
    report = json.loads(path.read_text())
    self.assertEqual(report['source'], self.source)
    self.assertEqual((report['extensions'], report['invalid']), (['.txt'], 'replace'))
    self.assertEqual(sum(part['documents'] for part in report['splits'].values()), 12)
    self.assertEqual(report['rejected'], {'other extension': 1})

  def test_built_again_only_when_asked(self):
    self.assertEqual(self.run_folder()[0], 0)
    code, out, err = self.run_folder()
    self.assertEqual(code, 0)
    self.assertIn('text_folder/books is already built; --overwrite builds it again.', err)
    self.assertNotIn('built in', out)
    code, out, _ = self.run_folder('--overwrite', '--invalid=replace')
    self.assertEqual(code, 0)
    self.assertIn('built in', out)

  def test_starter_is_built_by_one_command(self):
    root = pathlib.Path(__file__).parents[2]
    result = subprocess.run(
        [sys.executable, '-m', 'binaries.prepare_data', f'--data_dir={self.data_dir}'],
        cwd=root, capture_output=True, text=True, check=False)
    self.assertEqual(result.returncode, 0, result.stderr)
    self.assertIn('validation', result.stdout)
    self.assertEqual(registry.built(self.data_dir), ['starter'])

  @parameterized.parameters(
      (['--source=/no/where', '--name=x'], "the folder '/no/where' does not exist: give a folder"),
      (['--source={file}', '--name=x'], "0.txt' is a file: give the folder that holds it"),
      (['--source={empty}', '--name=x'], "' is empty: give a folder of text files."),
      (['--source={source}', '--name=x', '--extensions=.md'], "no text with .md in '"),
      (['--source={source}', '--name=x', '--extensions=.py'], 'found 1 document: training needs'),
      (['--source={source}', '--name=x', '--invalid=fail'], 'bad.txt: invalid UTF-8 at byte 0'),
      (['--source={source}', '--name=x', '--invalid=drop'], "invalid='drop' is not allowed"),
      (['--source={source}', '--name=x', '--validation=0.99'], 'validation=0.99, test=0.05 are'),
      (['--source={source}', '--name=a b'], "the name 'a b' is not allowed: give letters"),
      (['--source={source}'], '--dataset=text_folder needs --name'),
      (['--name=x'], '--dataset=text_folder needs --source'),
      (['--dataset=starter', '--name=x'], "--name belongs to --dataset=text_folder, not to 'star"),
      (['--dataset=books'], "there is no dataset 'books': give starter or text_folder."),
      (['--data_dir={file}', '--source={source}', '--name=x'], 'a file stands in its way'),
      (['{source}'], 'unknown argument'),
  )
  def test_mistakes_are_one_line_and_exit_code_1(self, arguments, message):
    (self.root / 'empty').mkdir()
    places = {'source': self.source, 'file': f'{self.source}/0.txt', 'empty': self.root / 'empty'}
    arguments = [argument.format(**places) for argument in arguments]
    code, out, err = self.run_program('--dataset=text_folder', *arguments)
    self.assertEqual((code, out), (1, ''))
    last = err.strip().splitlines()[-1]
    self.assertStartsWith(last, 'error: ')
    self.assertIn(message, last)
    self.assertNotIn('Traceback', err)
    self.assertEmpty(registry.built(self.data_dir))


if __name__ == '__main__':
  absltest.main()
