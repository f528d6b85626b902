"""The program that distills: the run it writes, what it says of it, and whoever made a mistake."""

import contextlib
import functools
import io
import json
import math
import pathlib
import subprocess
import sys
import tempfile
from unittest import mock

import numpy as np
from absl import logging
from absl.testing import absltest, flagsaver, parameterized

from binaries import distill
from datasets import pipeline
from haiku_spectral import vocab
from haiku_spectral.distillation import comparison
from haiku_spectral.evaluation import streaming
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import checkpoint, run_folder
from tests.decoding import tiny_model

MAKE_MODEL = functools.cache(spectral_gpt.make_model)  # What is compiled once serves again.
TEXTS = [bytes(np.random.default_rng(i).integers(97, 123, 400, np.uint8)) for i in range(2)]


def documents(name, *, data_dir, split, limit=None):
  """Two texts of letters instead of a dataset."""
  assert (name, data_dir, split) == ('starter', 'data', 'validation')
  for i, data in enumerate(TEXTS):
    yield pipeline.Document(i, data[:limit])


def run(**flags):
  """The program in this process; what it prints."""
  out = io.StringIO()
  with (
      flagsaver.flagsaver(**{'modes': 4, 'eval_bytes': 0, 'speed_bytes': 0, **flags}),
      mock.patch.object(pipeline, 'documents', documents),
      mock.patch.object(spectral_gpt, 'make_model', MAKE_MODEL),
      contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()),
  ):
    distill.main(['distill'])
  return out.getvalue()


class DistillTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    logging.set_verbosity(logging.ERROR)  # Orbax logs much.
    cls.run_dir = tiny_model.save_run(cls.enterClassContext(tempfile.TemporaryDirectory()) + '/run')

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.out = self.folder / 'modal'

  def test_writes_a_run_and_says_what_it_cost(self):
    printed = run(run_dir=self.run_dir, out=str(self.out), force=True, eval_bytes=500)
    config, params, step = checkpoint.load_params(self.out)
    self.assertEqual(step, 7)
    self.assertEqual(config.model.hyena.filter.kind, 'modal')
    self.assertEqual(config.model.hyena.filter.modes, 4)

    found = json.loads((self.out / distill.REPORT).read_text())
    self.assertEqual((found['step'], found['modes'], found['bytes_scored']), (7, 4, 126))
    self.assertLen(found['filters'], 1)
    errors = found['filters'][0]
    self.assertLen(errors['l2'], tiny_model.CONFIG.width)
    self.assertEqual(errors['worst_channel'], np.argmax(errors['l2']))
    self.assertRegex(printed, rf'0/block_0/hyena/filter +{max(errors["l2"]):.4g} ')
    self.assertEqual(found['models']['network']['filter_state_bytes'], 4 * 31 * 16)
    self.assertEqual(found['models']['modal']['filter_state_bytes'], 4 * 2 * 4 * 16)

    for name, own, model_config in (
        ('network', tiny_model.params(), tiny_model.CONFIG), ('modal', params, config.model)):
      scores = streaming.score(
          MAKE_MODEL(model_config), own,
          [streaming.Sequence(i, vocab.BOUNDARY, text[:63]) for i, text in enumerate(TEXTS)],
          batch_size=comparison.BATCH_SIZE, chunk=comparison.CHUNK)
      nats = np.mean(np.concatenate([score.nll for score in scores]))
      self.assertAlmostEqual(
          found['models'][name]['bits_per_byte'], nats / math.log(2), delta=1e-4)
      self.assertIn(f'{found["models"][name]["bits_per_byte"]:.4f} bits per byte', printed)
    losses = [found['models'][name]['bits_per_byte'] for name in ('network', 'modal')]
    self.assertNotEqual(*losses)
    self.assertAlmostEqual(*losses, delta=0.1)

  def test_writes_nothing_when_a_channel_is_too_far_from_its_taps(self):
    with self.assertRaisesRegex(
        ValueError, r'\d+ of 16 channels have .* above --tolerance=0.02, .*nothing is written'):
      run(run_dir=self.run_dir, out=str(self.out), modes=1)
    self.assertFalse(self.out.exists())
    run(run_dir=self.run_dir, out=str(self.out), modes=1, tolerance=1.0)
    self.assertTrue(run_folder.has_checkpoint(self.out))

  def test_what_is_modal_already_is_refused(self):
    run(run_dir=self.run_dir, out=str(self.out), force=True)
    with self.assertRaisesRegex(ValueError, "kind='modal'"):
      run(run_dir=str(self.out), out=str(self.folder / 'again'))

  def test_a_place_that_cannot_be_is_refused_before_the_model_is_loaded(self):
    taken = self.create_tempfile('taken').full_path
    with mock.patch.object(checkpoint, 'load_params', side_effect=AssertionError('loaded')):
      for out in (f'{taken}/run', '/proc/none/run'):
        with self.assertRaisesRegex(ValueError, 'The folder of the new run, .*--out'):
          run(run_dir=self.run_dir, out=out)

  def test_a_folder_with_something_in_it_is_left_alone(self):
    (self.folder / 'mine').mkdir()
    (self.folder / 'mine' / 'novel').write_text('once')
    for taken in ('mine', 'mine/novel'):
      with self.assertRaisesRegex(ValueError, f'{taken} is there and not empty: give another'):
        run(run_dir=self.run_dir, out=str(self.folder / taken), force=True)
    self.assertEqual((self.folder / 'mine' / 'novel').read_text(), 'once')

  @parameterized.parameters(
      ({'run_dir': ''}, '--run_dir is missing: give the folder of a training run'),
      ({'out': ''}, '--out is missing: give the folder of the new run'),
      ({'tolerance': 0.0}, '--tolerance=0.0 is not allowed: give more than 0'),
      ({'tolerance': math.nan}, '--tolerance=nan is not allowed'),
  )
  def test_mistakes(self, flags, message):
    with self.assertRaisesRegex(ValueError, message):
      run(**{'run_dir': self.run_dir, 'out': str(self.out), **flags})
    self.assertFalse(self.out.exists())

  def test_a_run_without_checkpoint_is_a_line_and_exit_code_1(self):
    empty = self.folder / 'empty'
    run_folder.write_config(empty, checkpoint.load_params(self.run_dir)[0])
    done = subprocess.run(
        [sys.executable, '-m', 'binaries.distill', f'--run_dir={empty}', f'--out={self.out}'],
        capture_output=True, text=True, check=False)
    self.assertEqual(done.returncode, 1)
    self.assertRegex(done.stderr.splitlines()[-1], '^error: .*empty has no checkpoint yet')
    self.assertFalse(self.out.exists())


if __name__ == '__main__':
  absltest.main()
