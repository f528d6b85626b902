"""The program that evaluates context length: its files, its table, and whoever made a mistake."""

import contextlib
import dataclasses
import io
import json
import pathlib
from unittest import mock

from absl.testing import absltest, flagsaver, parameterized

from binaries import eval_context
from datasets import pipeline
from haiku_spectral import config
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import checkpoint
from tests.decoding import tiny_model
from tests.evaluation import toy_models

LOADED = (
    config.Config(model=tiny_model.CONFIG, data=config.DataConfig(
        segment=32, mixture='starter:1', stateful_rows=2, chunk_segments=4)),
    tiny_model.params(), 1234)
OTHER = (dataclasses.replace(LOADED[0], data=config.DataConfig(segment=64)), *LOADED[1:])


def documents(name, *, data_dir, split, limit=None):
  assert (name, data_dir, split) == ('starter', 'data', 'test')
  for number, data in toy_models.documents([150, 300, 40]):
    yield pipeline.Document(number, data[:limit])


class EvalContextTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.run_dir = self.create_tempdir().full_path

  def _run(self, loaded=LOADED, **flags):
    load = {'side_effect': loaded} if isinstance(loaded, list) else {'return_value': loaded}
    chosen = {'run_dir': self.run_dir, 'min_bytes': 100, 'max_bytes': 200, 'contexts': [16, 64],
              'batch_size': 2, 'chunk': 32, **flags}
    out = io.StringIO()
    with (
        flagsaver.flagsaver(**chosen), mock.patch.object(checkpoint, 'load_params', **load),
        mock.patch.object(spectral_gpt, 'make_model', return_value=tiny_model.MODEL),
        mock.patch.object(pipeline, 'documents', documents),
        contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()),
    ):
      eval_context.main(['eval_context'])
    return out.getvalue()

  def _report(self):
    return json.loads(pathlib.Path(self.run_dir, 'context.json').read_text())

  def test_writes_and_prints_the_report(self):
    out = self._run()
    found = self._report()
    self.assertEqual((found['documents'], found['bytes'], found['longest']), (2, 38 + 50, 200))
    self.assertEqual([row['context'] for row in found['rows']], [16, 64, 150])
    self.assertEqual((found['train_length'], found['trained_context']), (32, 128))
    for part in ('at step 1,234 on starter (test)', 'PPMd order 6', 'whole', 'context.png'):
      self.assertIn(part, out)
    self.assertTrue(pathlib.Path(self.run_dir, 'context.png').read_bytes().startswith(b'\x89PNG'))

  def test_files_and_folders_of_text(self):
    folder = self.create_tempdir()
    for name, length in (('a.txt', 120), ('b/c.txt', 140), ('d.txt', 20)):
      folder.create_file(name, content='abcd efg\n' * (length // 9) + 'x' * (length % 9))
    self._run(text=[folder.full_path], last_part=0.5)
    self.assertEqual((self._report()['documents'], self._report()['bytes']), (2, 60 + 70))
    out = self._run(text=[f'{folder.full_path}/a.txt'])
    self.assertEqual(self._report()['longest'], 120)
    self.assertIn('a.txt', out)

  def test_several_runs(self):
    out = self._run(run_dir=f'{self.run_dir},/runs/b')
    self.assertIn('/runs/b at step 1,234', out)
    self.assertIn('Means over 2 runs', out)
    row = self._report()['rows'][2]
    self.assertEqual(row['over_runs'], row['bits_per_byte'] | {
        'low': row['over_runs']['value'], 'high': row['over_runs']['value']})  # They are one.

  def test_runs_of_different_configs(self):
    with self.assertRaisesRegex(ValueError, 'a and b differ in their model or data'):
      self._run([LOADED, OTHER], run_dir='a,b')

  @parameterized.parameters(
      ({'run_dir': ''}, '--run_dir is missing'),
      ({'run_dir': 'a,a'}, 'names a run twice'),
      ({'last_part': 0.0}, '--last_part=0.0 is not allowed'),
      ({'min_bytes': 1000}, 'No document of starter .test. has --min_bytes=1000 bytes'),
      ({'contexts': [4000]}, 'but the shortest context is to have 4000'),
      ({'text': ['/no/such/file']}, "the text '/no/such/file' does not exist"),
      ({'text': ['/tmp'], 'dataset': ['starter']}, '--text and --dataset exclude each other'),
      ({'output': '/proc/x'}, 'could not be saved .*: give another --output path'),
  )
  def test_mistakes(self, flags, message):
    with self.assertRaisesRegex((ValueError, FileNotFoundError), message):
      self._run(**flags)


if __name__ == '__main__':
  absltest.main()
