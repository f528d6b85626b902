"""The program that evaluates: its suites, its files, and whoever made a mistake."""

import contextlib
import io
import json
import os
import pathlib
import sys
from unittest import mock

from absl.testing import absltest, flagsaver, parameterized

from binaries import evaluate
from haiku_spectral import config
from haiku_spectral.export import exported
from haiku_spectral.training import checkpoint
from tests.decoding import tiny_model
from tests.evaluation.recall import paragraphs

LOADED = (config.Config(model=tiny_model.CONFIG, data=config.DataConfig(segment=32)),
          tiny_model.params(), 1234)
SMALL = {'suite': 'recall', 'tasks': ['verbatim', 'reset'], 'lengths': [96], 'depths': [0.0, 1.0],
         'examples': 2, 'batch_size': 2, 'max_factor': 8}


class EvaluateTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.run_dir = self.create_tempdir().full_path
    self.text = self.create_tempfile('some.txt', paragraphs.TEXT).full_path

  def _run(self, load=None, **flags):
    out, self.err = io.StringIO(), io.StringIO()
    load = load or mock.Mock(return_value=LOADED)
    with (
        flagsaver.flagsaver(**{**SMALL, 'run_dir': self.run_dir, 'text': [self.text], **flags}),
        mock.patch.object(checkpoint, 'load_params', load),
        contextlib.redirect_stdout(out), contextlib.redirect_stderr(self.err),
    ):
      evaluate.main(['evaluate'])
    return out.getvalue()

  def _json(self, name):
    return json.loads(pathlib.Path(self.run_dir, name).read_text(encoding='utf-8'))

  def test_recall(self):
    out = self._run()
    found = self._json('recall.json')
    self.assertEqual([(cell['task'], cell['depth']) for cell in found['cells']],
                     [('verbatim', 0.0), ('verbatim', 1.0), ('reset', 0.0), ('reset', 1.0)])
    for cell in found['cells']:
      self.assertEqual((cell['length'], cell['examples'], cell['answers']), (96, 2, 2))
      self.assertGreater(cell['bits_per_byte'], 1)  # Its parameters are random.
      self.assertLess(cell['bits_per_byte'], 20)
    self.assertIn('at step 1,234', out)
    self.assertRegex(out, r'verbatim +96 +4 .*3.8 %')
    self.assertIn('recall', self.err.getvalue())  # Progress.
    png = pathlib.Path(self.run_dir, 'recall.png').read_bytes()
    self.assertTrue(png.startswith(b'\x89PNG'))

  def test_an_exported_model_in_both_forms(self):
    model = exported.Exported(*LOADED)
    place = pathlib.Path(self.create_tempdir().full_path)
    exported.write_folder(place / 'model', model)
    (place / 'files').mkdir()
    exported.write_file(place / 'files' / 'model.safetensors', model)
    refused = mock.Mock(side_effect=AssertionError('this is no run'))
    found = []
    for run_dir, output in (('model', 'model'), ('files/model.safetensors', 'files')):
      self._run(refused, run_dir=str(place / run_dir), tasks=['copy'], lengths=[160], depths=[0.5])
      found.append(json.loads((place / output / 'recall.json').read_text(encoding='utf-8')))
    self.assertEqual(found[0]['cells'], found[1]['cells'])

  def test_a_report_says_what_made_it(self):
    typed = ['/x/binaries/evaluate.py', '--suite=recall', '--text=a b']
    with mock.patch.object(sys, 'argv', typed):
      self._run(tasks=['copy'], lengths=[160], depths=[0.5], examples=1)
    self.assertEqual(self._json('recall.json')['command'],
                     "./run //binaries:evaluate --suite=recall '--text=a b'")

  def test_recall_between_the_text_of_the_repository(self):
    self._run(text=[], tasks=['copy'], lengths=[160], depths=[0.5], examples=1)
    self.assertLen(self._json('recall.json')['cells'], 1)

  def test_length_on_files_and_folders(self):
    folder = self.create_tempdir()
    folder.create_file('a/long.txt', 'Some words, and again some words. ' * 20)
    folder.create_file('short.md', 'No.')
    folder.create_file('picture', b'\x89PNG\0\xff', mode='wb')
    out = self._run(suite='length', text=[self.text, folder.full_path], lengths=[5])
    found = self._json('length.json')
    self.assertEqual((found['documents'], found['skipped']), (2, 1))
    self.assertEqual([row['factor'] for row in found['factors']], [1, 2, 4, 8])
    self.assertIn('8x', out)
    self.assertIn('not read: 1 x contains NUL', self.err.getvalue())
    self.assertTrue(pathlib.Path(self.run_dir, 'length.png').is_file())

  def test_turkish_by_pairs_made_by_rule_and_of_a_file(self):
    out = self._run(suite='turkish', pairs=2)
    found = self._json('turkish.json')
    self.assertEqual([row['pairs'] for row in found['phenomena']], [*[2] * 8, 16])
    self.assertIn('at step 1,234 on pairs made by rule', out)
    source = self.create_tempfile(
        'pairs.csv', 'good_sentence;bad_sentence;phenomenon\nEv.;Evv.;letters\n').full_path
    self._run(suite='turkish', source=source)
    found = self._json('turkish.json')
    self.assertEqual(found['phenomena'][0]['shares']['shorter']['sum']['value'], 1.0)
    self.assertTrue(pathlib.Path(self.run_dir, 'turkish.png').is_file())

  def test_the_code_length_of_files(self):
    empty = self.create_tempfile('nothing.txt', '').full_path
    out = self._run(suite='compression', text=[self.text, empty], lengths=[5])
    found = self._json('compression.json')
    (document,) = found['documents']
    self.assertEqual(document['bytes'], len(paragraphs.TEXT.encode()))
    self.assertLess(document['coded']['PPMd order 6'], document['coded']['this model'])
    self.assertEqual(document['coded'], found['together']['coded'])
    self.assertIn('this model, relative', out)
    self.assertTrue(pathlib.Path(self.run_dir, 'compression.png').is_file())

  def test_the_code_length_of_files_with_any_names(self):
    folder, other = self.create_tempdir(), self.create_tempdir()
    folder.create_file('a$b_{c$.txt', paragraphs.TEXT)  # No formula, for the plot.
    folder.create_file('line\nbreak.txt', 'Some words. ' * 9)
    other.create_file('a$b_{c$.txt', 'Of another folder. ' * 9)
    self._run(suite='compression', text=[folder.full_path, other.full_path], lengths=[5])
    names = [document['name'] for document in self._json('compression.json')['documents']]
    first, second = (os.path.basename(each.full_path) for each in (folder, other))
    self.assertEqual(names, [f'{first}/a$b_{{c$.txt', f'{first}/line\\nbreak.txt',
                             f'{second}/a$b_{{c$.txt'])
    self.assertTrue(pathlib.Path(self.run_dir, 'compression.png').is_file())

  def test_text_to_train_on_needs_no_run(self):
    folder = os.path.join(self.run_dir, 'new text')
    out = self._run(run_dir='', write_training_text=folder, bytes=1000)
    (file,) = pathlib.Path(folder).iterdir()
    self.assertLen(file.read_bytes(), 1000)
    self.assertIn('--dataset=text_folder --name=recall --source=', out)

  @parameterized.parameters(
      ({'suite': None}, '--suite is missing: give recall or length'),
      ({'run_dir': ''}, '--run_dir is missing'),
      ({'tasks': ['neddle']}, "no recall task 'neddle'"),
      ({'tasks': []}, '--tasks=.. is not allowed: give one or more'),
      ({'lengths': [60]}, '--lengths=60 is not allowed: give 80 bytes, which the task reset'),
      ({'depths': [2.0]}, '--depths=2.0 is not allowed'),
      ({'suite': 'length', 'text': []}, '--text is missing: give files or folders to score'),
      ({'suite': 'compression', 'text': []}, '--text is missing: give files or folders to score'),
      ({'suite': 'length', 'write_training_text': 'x'}, 'is of --suite=recall'),
      ({'write_training_text': 'x'}, '--bytes is missing'),
      ({'suite': 'turkish', 'source': '/no/such.csv'}, 'does not exist: give a CSV file of pairs'),
      ({'text': ['/no/such/text']}, "the text '/no/such/text' does not exist"),
  )
  def test_mistakes_before_the_model_is_loaded(self, flags, message):
    load = mock.Mock(side_effect=AssertionError('work has begun'))
    with self.assertRaisesRegex((ValueError, FileNotFoundError), message):
      self._run(load, **flags)

  @parameterized.parameters(
      ({'suite': 'length', 'max_factor': 3}, '--max_factor=3 is not allowed: give a power of two'),
      ({'output': __file__}, 'is a file: give the path of a folder as --output'))
  def test_mistakes_before_anything_is_scored(self, flags, message):
    with self.assertRaisesRegex(ValueError, message):
      self._run(**flags)

  def test_text_that_is_none(self):
    empty = self.create_tempfile('empty.txt', ' \n').full_path
    with self.assertRaisesRegex(ValueError, 'holds no text: give other files'):
      self._run(text=[empty])
    binary = self.create_tempfile('binary', b'\0', mode='wb').full_path
    with self.assertRaisesRegex(ValueError, 'contains NUL'):
      self._run(text=[binary])


if __name__ == '__main__':
  absltest.main()
