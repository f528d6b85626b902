"""The program that exports: its forms, and that every program takes them in the place of a run."""

import contextlib
import io
import pathlib
import tempfile

import numpy as np
from absl import logging
from absl.testing import absltest, flagsaver, parameterized

from binaries import export, model_flags
from haiku_spectral.training import run_folder
from tests.decoding import tiny_model


def run(**flags):
  out = io.StringIO()
  with flagsaver.flagsaver(**flags), contextlib.redirect_stdout(out):
    export.main(['export'])
  return out.getvalue()


def load(path):
  with flagsaver.flagsaver(run_dir=str(path)):
    return model_flags.load()


class ExportTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    logging.set_verbosity(logging.ERROR)  # Orbax logs much.
    cls.run_dir = tiny_model.save_run(cls.enterClassContext(tempfile.TemporaryDirectory()) + '/run')

  def setUp(self):
    super().setUp()
    self.place = pathlib.Path(self.create_tempdir().full_path)

  def test_a_run_goes_out_and_comes_back_bitwise(self):
    """As a folder, as a file, and as a run again, each made from the one before."""
    last = self.run_dir
    for form, name in (('directory', 'folder'), ('file', 'one.safetensors'), ('run', 'again')):
      out = run(run_dir=last, out=str(self.place / name), form=form)
      self.assertIn('of step 7 in float32', out)
      last = str(self.place / name)
      config, params, step = load(last)
      before = load(self.run_dir)
      self.assertEqual((config, step), (before[0], before[2]))
      for module, of_module in before[1].items():
        for leaf, value in of_module.items():
          np.testing.assert_array_equal(params[module][leaf], value, strict=True)

  def test_the_card_goes_with_it(self):
    self.assertIn('no model card: make one with', run(
        run_dir=self.run_dir, out=str(self.place / 'without')))
    card = pathlib.Path(self.run_dir, run_folder.CARD)
    card.write_text('# Card\n', encoding='utf-8')
    self.addCleanup(card.unlink)
    self.assertNotIn('no model card', run(run_dir=self.run_dir, out=str(self.place / 'with')))
    self.assertEqual((self.place / 'with' / 'README.md').read_text(encoding='utf-8'), '# Card\n')

  @parameterized.parameters(
      ({'run_dir': ''}, '--run_dir is missing'),
      ({'out': None}, '--out is missing'),
      ({'out': 'x.bin', 'form': 'file'}, 'give a name that ends with .safetensors'),
      ({'out': __file__}, 'is there and not empty'),
      ({'out': '/dev/null/x/y'}, 'could not be saved|is a file'))
  def test_mistakes(self, flags, message):
    with self.assertRaisesRegex(ValueError, message):
      run(**{'run_dir': self.run_dir, 'out': str(self.place / 'x'), **flags})

  def test_best_is_of_a_run(self):
    run(run_dir=self.run_dir, out=str(self.place / 'x'))
    with flagsaver.flagsaver(run_dir=str(self.place / 'x'), best=True), self.assertRaisesRegex(
        ValueError, '--best is of a run'):
      model_flags.load()


if __name__ == '__main__':
  absltest.main()
