"""Exported models: bitwise round trips, and what cannot be read."""

import json
import pathlib

import numpy as np
from absl.testing import absltest, parameterized
from safetensors import numpy as safetensors_numpy

from haiku_spectral import config
from haiku_spectral.export import exported
from tests.decoding import tiny_model

MODEL = exported.Exported(config.Config(model=tiny_model.CONFIG), tiny_model.params(), 12)


class ExportedTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.place = pathlib.Path(self.create_tempdir().full_path)
    self.folder = self.place / 'new' / 'model'
    self.file = self.place / 'model.safetensors'

  def _assert_same(self, found):
    self.assertEqual((found.config, found.step), (MODEL.config, MODEL.step))
    self.assertEqual(found.params.keys(), MODEL.params.keys())
    for module, of_module in MODEL.params.items():
      self.assertEqual(found.params[module].keys(), of_module.keys())
      for name, value in of_module.items():
        other = found.params[module][name]
        self.assertEqual((other.dtype, other.shape), (value.dtype, value.shape))
        self.assertEqual(other.tobytes(), value.tobytes(), f'{module}/{name}')

  def test_folder_is_bitwise_and_complete(self):
    exported.write_folder(self.folder, MODEL, card='# Card\n')
    self.assertTrue(exported.is_exported(self.folder))
    self._assert_same(exported.read(self.folder))
    self.assertEqual({path.name for path in self.folder.iterdir()},
                     {'model.safetensors', 'config.json', 'numpy_loader.py', 'README.md'})
    self.assertEqual([path.name for path in self.folder.parent.iterdir()], ['model'])

  def test_file_is_bitwise(self):
    exported.write_file(self.file, MODEL)
    self.assertTrue(exported.is_exported(self.file))
    self._assert_same(exported.read(self.file))

  def test_exporting_again_gives_the_same_bytes(self):
    exported.write_folder(self.folder, MODEL)
    again = self.place / 'again'
    exported.write_folder(again, exported.read(self.folder))
    for path in self.folder.iterdir():
      self.assertEqual(path.read_bytes(), (again / path.name).read_bytes(), path.name)

  def test_a_run_is_no_export(self):
    self.assertFalse(exported.is_exported(self.place))
    self.assertFalse(exported.is_exported(self.place / 'none'))

  def test_nothing_is_replaced(self):
    exported.write_folder(self.folder, MODEL)
    with self.assertRaisesRegex(ValueError, 'is there and not empty: give another --out'):
      exported.write_folder(self.folder, MODEL)

  def test_other_types_are_refused_and_leave_nothing(self):
    half = {'a': {'w': np.zeros(2, np.float16)}}
    with self.assertRaisesRegex(ValueError, "only float32 .* 'a/w' is not"):
      exported.write_folder(self.folder, MODEL._replace(params=half))
    self.assertEmpty(list(self.folder.parent.iterdir()))

  @parameterized.parameters(
      ({'version': 2}, 'version 2, and this program reads'),
      ({'format': 'x'}, "the format 'x'"),
      ({'identity': {'model': 'a', 'parameters': 'b'}}, 'are not what was exported'),
      ({'identity': {}}, 'cannot be read as an exported model'),
      ({'config': {'model': {'width': -1}}}, 'config.model.width=-1 is not allowed'))
  def test_config_that_is_not_what_was_written(self, changes, message):
    exported.write_folder(self.folder, MODEL)
    path = self.folder / 'config.json'
    about = json.loads(path.read_text(encoding='utf-8'))
    path.write_text(json.dumps({**about, **changes}), encoding='utf-8')
    with self.assertRaisesRegex(ValueError, message):
      exported.read(self.folder)

  def test_files_that_are_none(self):
    exported.write_folder(self.folder, MODEL)
    weights = self.folder / 'model.safetensors'
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with self.assertRaisesRegex(ValueError, 'config or weights are not what was exported'):
      exported.read(self.folder)
    weights.write_bytes(data[:-9])
    with self.assertRaisesRegex(ValueError, 'cannot be read as an exported model'):
      exported.read(self.folder)
    self.file.write_bytes(safetensors_numpy.save({'a': np.zeros(2, np.float32)}))
    with self.assertRaisesRegex(ValueError, 'metadata hold no config'):
      exported.read(self.file)


if __name__ == '__main__':
  absltest.main()
