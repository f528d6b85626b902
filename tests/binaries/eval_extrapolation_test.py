"""The program that evaluates extrapolation: its files, its tables, and whoever made a mistake."""

import contextlib
import io
import json
import math
import os
import pathlib
import subprocess
import sys
from unittest import mock

from absl.testing import absltest, flagsaver, parameterized

from binaries import eval_extrapolation
from datasets import pipeline
from haiku_spectral import config
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import checkpoint
from tests.decoding import tiny_model
from tests.evaluation import toy_models

T = 32
LOADED = (
    config.Config(model=tiny_model.CONFIG,
                  data=config.DataConfig(segment=T, mixture='starter:1,text_folder/mine:2')),
    tiny_model.params(), 1234)
SPLITS = {
    ('starter', 'validation'): [150, 20], ('text_folder/mine', 'validation'): [70, 300],
    ('starter', 'train'): [500], ('text_folder/mine', 'train'): [600],
}


def documents(name, *, data_dir, split, limit=None):
  assert data_dir == 'data'
  lengths = SPLITS.get((name, split), [])
  for number, data in toy_models.documents(lengths, seed=len(name)):
    yield pipeline.Document(number, data[:limit])


class EvalExtrapolationTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.run_dir = self.create_tempdir().full_path

  def _run(self, source=documents, out=None, **flags):
    out = out or io.StringIO()
    with (
        flagsaver.flagsaver(**{'run_dir': self.run_dir, 'max_factor': 8, 'batch_size': 2, **flags}),
        mock.patch.object(checkpoint, 'load_params', return_value=LOADED),
        mock.patch.object(spectral_gpt, 'make_model', return_value=tiny_model.MODEL),
        mock.patch.object(pipeline, 'documents', source),
        contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()),
    ):
      eval_extrapolation.main(['eval_extrapolation'])
    return out.getvalue()

  def _report(self, folder=None):
    return json.loads(pathlib.Path(folder or self.run_dir, 'extrapolation.json').read_text())

  def test_writes_and_prints_the_report(self):
    out = self._run()
    found = self._report()
    self.assertEqual([row['factor'] for row in found['factors']], [1, 2, 4, 8])
    self.assertEqual([row['documents'] for row in found['factors']], [3, 3, 2, 1])
    self.assertEqual((found['documents'], found['skipped']), (3, 1))
    self.assertEqual(found['bytes'], 150 + 70 + 8 * T)
    self.assertEqual(found['baselines']['train_bytes'], 1100)
    self.assertEqual(found['factors'][0]['full'], found['factors'][0]['cut'])
    for row in found['factors']:
      self.assertTrue(math.isfinite(row['gain']['value']))
    for part in ('at step 1,234 on starter, text_folder/mine (validation)', '8x', 'byte trigram',
                 'byte unigram', 'this model, full context', 'extrapolation.png'):
      self.assertIn(part, out)
    png = pathlib.Path(self.run_dir, 'extrapolation.png').read_bytes()
    self.assertTrue(png.startswith(b'\x89PNG'))

  def test_dataset_split_documents_and_output_by_flag(self):
    folder = os.path.join(self.create_tempdir().full_path, 'new')
    self._run(dataset=['text_folder/mine'], split='train', max_documents=1, output=folder)
    found = self._report(folder)
    self.assertEqual((found['documents'], found['bytes']), (1, 8 * T))
    self.assertIn('on text_folder/mine (train)', found['source'])
    self.assertEmpty(os.listdir(self.run_dir))

  @parameterized.parameters(
      ({'run_dir': ''}, '--run_dir is missing: give the folder of a training run'),
      ({'max_factor': 3}, 'max_factor=3 is not allowed: give a power of two'),
      ({'max_factor': 0}, 'max_factor=0 is not allowed'),
      ({'max_documents': 0}, 'max_documents=0 is not allowed: give 1 or more'),
      ({'batch_size': 0}, 'batch_size=0 is not allowed: give 1 or more'),
      ({'chunk': 64}, 'chunk=64 is not allowed: give 1 to the training length 32'),
      ({'split': 'nothing'}, 'There are no held-out documents: give another split or dataset'),
  )
  def test_mistakes(self, flags, message):
    with self.assertRaisesRegex(ValueError, message):
      self._run(**flags)

  def test_values_and_places_are_refused_before_any_work(self):
    def touched(*unused, **also_unused):
      raise AssertionError('work has begun')

    file = self.create_tempfile('report.txt').full_path
    for flags, message in (
        ({'max_factor': 3}, '--max_factor=3 is not allowed'), ({'chunk': -1}, '--chunk=-1'),
        ({'batch_size': 0}, '--batch_size=0'),
        ({'output': file}, f'report {file} is a file: give the path of a folder as --output'),
        ({'output': file + '/x'}, 'could not be saved .*: give another --output path'),
        ({'output': '/proc/x'}, 'could not be saved .*: give another --output path')):
      with self.assertRaisesRegex(ValueError, message):
        self._run(source=touched, **flags)

  def test_a_report_that_cannot_be_written_is_printed(self):
    out = io.StringIO()
    full = mock.patch.object(
        eval_extrapolation.extrapolation_report, 'write', side_effect=OSError('disk full'))
    with full, self.assertRaisesRegex(OSError, 'disk full'):
      self._run(out=out)
    self.assertIn('this model, full context', out.getvalue())

  def test_documents_that_are_all_too_short(self):
    short = mock.patch.dict(SPLITS, {('starter', 'validation'): [23, 5]})
    with short, self.assertRaisesRegex(
        ValueError, 'No document is long enough: the longest of 2 has 23 bytes, which is 0.72x'):
      self._run(dataset=['starter'])

  def test_dataset_that_is_not_built(self):
    with self.assertRaisesRegex(FileNotFoundError, "'starter' is not built in '/none'"):
      self._run(source=pipeline.documents, data_dir='/none')

  def test_a_mistake_is_one_line(self):
    done = subprocess.run(
        [sys.executable, '-m', 'binaries.eval_extrapolation', '--run_dir=/no/such/run'],
        capture_output=True, text=True, check=False)
    self.assertEqual(done.returncode, 1)
    self.assertRegex(done.stderr.splitlines()[-1], '^error: .*/no/such/run')
    self.assertNotIn('Traceback', done.stderr)


if __name__ == '__main__':
  absltest.main()
