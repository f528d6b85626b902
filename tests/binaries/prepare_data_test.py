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
from datasets import pipeline, registry
from datasets.streaming import collect
from tests.datasets import corpora
from tests.datasets.streaming import small_corpus


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
    self.assertIn('filtered: 1 x invalid UTF-8\n', out)
    self.assertIn('    bad.txt: invalid UTF-8 at byte 0\n', out)
    self.assertIn('filtered: 1 x other extension\n', out)
    self.assertNotIn('Traceback', err)
    for stage in ('checking', 'packing'):
      self.assertRegex(err, stage + r': 100%.*5\.00k/5\.0.k.*B/s')

  def test_a_corpus_of_a_single_file(self):
    text = b'First Citizen:\nBefore we proceed any further, hear me speak.\n' * 9
    corpora.write(self.root, {'input.txt': text})
    code, out, _ = self.run_program(
        '--dataset=tiny_shakespeare', f'--source={self.root / "input.txt"}')
    self.assertEqual(code, 0, out)
    parts = [document.data for split in ('train', 'validation') for document in pipeline.documents(
        'tiny_shakespeare', data_dir=self.data_dir, split=split)]
    self.assertEqual(b''.join(parts), text)
    self.assertLen(parts[0], len(text) * 9 // 10)

  def test_copies_are_told(self):
    self.assertNotIn('copies:', self.run_folder()[1])
    corpora.write(self.root / 'source', {'1 (kopya).txt': corpora.letters(1, 500)})
    self.assertIn('copies: 1 x the text of another document of the same split\n',
                  self.run_folder('--overwrite')[1])

  def test_report_lies_beside_the_dataset(self):
    self.run_folder('--extensions=txt', '--invalid=replace')
    path = pathlib.Path(self.data_dir, 'text_folder/books/1.0.0/report.json')
    report = json.loads(path.read_text())
    self.assertEqual(report['source'], self.source)
    self.assertEqual((report['extensions'], report['invalid']), (['.txt'], 'replace'))
    self.assertEqual(sum(part['documents'] for part in report['splits'].values()), 12)
    self.assertEqual(report['filtered'], {'other extension': 1})

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

  def test_lists_what_there_is(self):
    self.run_folder()
    code, out, _ = self.run_program('--list')
    self.assertEqual(code, 0)
    built = [line.split()[0] for line in out.splitlines() if ' built ' in f'{line} ']
    self.assertEqual(built, ['text_folder/books'])
    self.assertRegex(out, r'\ntiny_stories +CDLA-Sharing-1.0 +https://')

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
      (['--dataset=books'], "there is no dataset 'books': give one of agent_tra"),
      (['--dataset=agent_transcripts', '--source=a'], '--dataset=agent_transcripts needs --name'),
      (['--dataset=agent_transcripts', '--source={source}', '--name=x'], 'no transcript.jsonl of'),
      (['--dataset=agent_transcripts', '--source=a', '--name=x', '--invalid=fail'],
       '--invalid belongs to --dataset=text_folder, not to agent_transcripts'),
      (['--manual_dir={source}'], '--manual_dir belongs to a corpus, not to --dataset=text_folder'),
      (['--dataset=starter', '--workers=2'], "--workers belongs to a corpus, not to 'starter'"),
      (['--dataset=pg19', '--name=x'], "--name belongs to --dataset=text_folder, not to 'pg19'"),
      (['--dataset=pg19', '--manual_dir=/a', '--mirror=/b'], 'both say where the source files are'),
      (['--dataset=tiny_shakespeare', '--source=a', '--mirror=b'], '--source and --mirror both'),
      (['--dataset=tiny_shakespeare', '--source={file}'], "give the path of a file 'input.txt'"),
      (['--dataset=pg19', '--source={file}'], "corpora of a single file, not to 'pg19'"),
      (['--dataset=starter', '--source={file}'], "--source belongs to a corpus, not to 'starter'"),
      (['--dataset=pg19', '--manual_dir=/no/where'], "the folder '/no/where' does not exist"),
      (['--dataset=pg19', '--on_error=stop'], "on_error='stop' is not allowed: give one of skip,"),
      (['--imports=no.such_module', '--dataset=x'], "the module 'no.such_module' cannot be"),
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


OUTSIDE = """
import tensorflow_datasets as tfds
from datasets import streaming_builder

class Builder(streaming_builder.StreamingBuilder):
  '''Written by somebody else.'''
  VERSION = tfds.core.Version('2.0.0')
  LICENCE = 'my own'

  def sources(self, dl_manager):
    return {'train': sorted(self.source_folder(dl_manager).glob('*.jsonl'))}
"""


class CorpusTest(parameterized.TestCase):
  """A streaming builder that is written outside of the repository."""

  run_program = PrepareDataTest.run_program

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    modules = corpora.temporary_folder(cls)
    corpora.write(modules, {'outside/__init__.py': b'',
                            'outside/outside_dataset_builder.py': OUTSIDE.encode()})
    cls.enterClassContext(mock.patch.object(sys, 'path', [str(modules), *sys.path]))
    cls.enterClassContext(mock.patch.dict(registry.BUILDERS))

  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)
    self.data_dir = str(self.root / 'data')
    for number in range(3):
      small_corpus.write_lines(
          self.root / 'mirror/outside' / f'{number}.jsonl',
          [small_corpus.words(100 * number + i, 50) for i in range(20)] + ['to\u0308r\u0308t'])

  def run_outside(self, *arguments):
    return self.run_program('--imports=outside.outside_dataset_builder', '--dataset=outside',
                            f'--mirror={self.root}/mirror', *arguments)

  def train(self):
    return [document.data for document in pipeline.documents(
        'outside', data_dir=self.data_dir, split='train')]

  def test_built_and_read(self):
    code, out, err = self.run_outside()
    self.assertEqual(code, 0, err)
    self.assertIn(f'outside: {self.data_dir}/outside/2.0.0\n', out)
    self.assertRegex(out, r'read +63 documents +[\d,]+ bytes +3 files\n')
    self.assertRegex(out, r'61 documents +[\d,]+ bytes my own\n')
    self.assertIn('changed: 3 x nfc\n', out)
    self.assertIn('filtered: 2 x duplicate\n    1.jsonl: 21: duplicate\n', out)
    for stage in ('reading', 'packing'):
      self.assertRegex(err, stage + r': 100%.*B/s')
    self.assertLen(self.train(), 60)
    _, listed, _ = self.run_program('--list')
    self.assertRegex(listed, r'outside +built +my own')
    with mock.patch.dict(registry.BUILDERS):
      del registry.BUILDERS['outside']
      _, listed, _ = self.run_program('--list')
    self.assertRegex(listed, r'outside +built\n')

  def test_rules_are_switches(self):
    code, out, _ = self.run_outside('--nonfc', '--noexact_duplicates', '--minimal_bytes=100')
    self.assertEqual(code, 0)
    self.assertNotIn('changed', out)
    self.assertIn('filtered: 3 x too short\n    0.jsonl: 21: too short (', out)
    _, _, err = self.run_outside('--near_duplicates')
    self.assertIn('already built with rules=', err)

  def test_cut_off_and_gone_on(self):
    full = mock.patch.object(pathlib.Path, 'hardlink_to', side_effect=OSError)
    with full, mock.patch('shutil.copyfile', side_effect=OSError(28, 'No space left on device')):
      code, _, err = self.run_outside()
    self.assertEqual(code, 1)
    self.assertIn("error: 'outside' was not built: [Errno 28] No space left on device", err)
    self.assertEmpty(registry.built(self.data_dir))
    with mock.patch.object(collect, '_collect', side_effect=AssertionError('read again')):
      code, _, err = self.run_outside()
    self.assertEqual(code, 0, err)
    self.assertLen(self.train(), 60)
    self.assertEmpty(list(pathlib.Path(self.data_dir, '.building').rglob('done.json')))

  def test_a_sample(self):
    self.assertEqual(self.run_outside('--max_bytes=1000')[0], 0)
    self.assertBetween(sum(map(len, self.train())), 600, 1500)

  def test_broken_input_is_refused(self):
    (self.root / 'mirror/outside/3.jsonl').write_text('{"text":')
    code, _, err = self.run_outside('--on_error=refuse')
    self.assertEqual(code, 1)
    self.assertIn('error: 3.jsonl: line 1: invalid_json', err)

  def test_evaluation_sets_by_name(self):
    self.run_outside()
    [held_out] = [document.data for document in pipeline.documents(
        'outside', data_dir=self.data_dir, split='validation')]
    small_corpus.write_lines(
        self.root / 'mirror/outside/9.jsonl', ['x' + held_out.decode()[3:100]])
    code, out, err = self.run_outside('--evaluation=outside', '--overwrite')
    self.assertEqual(code, 0, err)
    self.assertIn('filtered: 2 x in an evaluation set\n', out)
    self.assertIn('9.jsonl: 1: in an evaluation set (at byte ', out)


if __name__ == '__main__':
  absltest.main()
