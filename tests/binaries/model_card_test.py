"""The program that writes the card of a model."""

import contextlib
import io
import pathlib

import yaml
from absl.testing import absltest, flagsaver, parameterized

from binaries import model_card
from haiku_spectral.training import run_folder
from tests.reporting import measured_run


def run(**flags):
  out = io.StringIO()
  with flagsaver.flagsaver(**flags), contextlib.redirect_stdout(out):
    model_card.main(['model_card'])
  return out.getvalue()


class ModelCardTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = measured_run.write(pathlib.Path(self.create_tempdir().full_path, 'my_run'))

  def test_lies_in_the_run_folder_or_where_it_is_asked_for(self):
    none = str(self.folder / 'none')
    self.assertIn('model_card.md', run(run_dir=str(self.folder), data_dir=none))
    text = (self.folder / run_folder.CARD).read_text(encoding='utf-8')
    self.assertIn('\n# my_run\n', text)
    self.assertEqual(yaml.safe_load(text.split('---\n')[1])['license'], 'unknown')
    path = self.folder / 'cards' / 'README.md'
    run(run_dir=str(self.folder), data_dir=none, output=str(path), name='x', license='apache-2.0')
    front = yaml.safe_load(path.read_text(encoding='utf-8').split('---\n')[1])
    self.assertEqual((front['license'], front['model-index'][0]['name']), ('apache-2.0', 'x'))

  @parameterized.parameters(
      ({'run_dir': ''}, '--run_dir is missing'), ({'run_dir': '/none'}, 'not the folder of a run'),
      ({'license': 'My licence'}, "--license='My licence' is not allowed: give a name of small"),
      ({'output': '/'}, 'is a folder: give the path of a file'))
  def test_mistakes(self, flags, message):
    with self.assertRaisesRegex((ValueError, FileNotFoundError), message):
      run(**{'run_dir': str(self.folder), **flags})


if __name__ == '__main__':
  absltest.main()
