"""The registry: names to datasets, cheaply, and never to half of one."""

import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
from absl.testing import absltest, parameterized

import datasets
from datasets import registry, windows
from tests.datasets import corpora


class RegistryTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    root = corpora.temporary_folder(cls)
    source = corpora.write(root / 'source', {
        f'{i}.txt': corpora.letters(i, 40_000) for i in range(20)})
    cls.data_dir = str(root / 'data')
    corpora.build('books', source, cls.data_dir)
    cls.place = registry.folder('text_folder/books', cls.data_dir)
    cls.file = next(cls.place.glob('*-train.array_record*'))

  def read_all(self):
    records = windows.Records('text_folder/books', data_dir=self.data_dir, split='train')
    return list(records.stream())

  def test_a_report_of_an_earlier_version_says_what_to_do(self):
    report = self.place / 'report.json'
    data = report.read_bytes()
    self.addCleanup(report.write_bytes, data)
    report.write_bytes(data.replace(b'"filtered"', b'"rejected"'))
    with self.assertRaisesRegex(ValueError, "of 'text_folder/books' was written by an earlier "
                                "version, though .*build it again with `./run .*--overwrite`"):
      registry.report('text_folder/books', self.data_dir)

  def test_this_package_is_the_one_imported(self):
    root = pathlib.Path(__file__).parents[2]
    self.assertEqual(pathlib.Path(datasets.__file__), root / 'datasets/__init__.py')
    with self.assertRaises(importlib.metadata.PackageNotFoundError):
      importlib.metadata.version('datasets')

  @absltest.skipUnless(
      shutil.which('localedef') and os.path.exists('/usr/share/i18n/locales/tr_TR'),
      'no Turkish locale can be made here')
  @parameterized.parameters('UTF-8', 'ISO-8859-9')
  def test_json_names_are_the_same_in_a_turkish_locale(self, encoding):
    # There the C library's capital of 'i' is another letter than 'I'.
    folder, locale = self.create_tempdir().full_path, f'tr_TR.{encoding}'
    subprocess.check_call(['localedef', '-i', 'tr_TR', '-f', encoding, f'{folder}/{locale}'])
    code = ('from datasets import registry\n'
            f'registry.open_split("text_folder/books", {self.data_dir!r}, "train")\n'
            'from tensorflow_datasets.core.proto import dataset_info_pb2 as proto\n'
            'print(proto.DatasetInfo.DESCRIPTOR.fields_by_name["size_in_bytes"].json_name)')
    printed = subprocess.check_output(
        [sys.executable, '-c', code], text=True,
        env={**os.environ, 'LOCPATH': folder, 'LC_ALL': locale})
    self.assertEqual(printed.strip(), 'sizeInBytes')

  def test_importing_is_cheap(self):
    slow = {'tensorflow_datasets', 'grain', 'jax', 'numpy'}
    code = f'import sys, datasets.registry; print({slow} & set(sys.modules))'
    printed = subprocess.check_output([sys.executable, '-c', code], text=True)
    self.assertEqual(printed.strip(), 'set()')

  def test_lists_what_is_built(self):
    self.assertEqual(registry.built(self.data_dir), ['text_folder/books'])
    self.assertEqual(registry.built('/no/where'), [])

  def test_folders_of_any_name_are_shown_safely(self):
    root = pathlib.Path(self.create_tempdir().full_path)
    shutil.copytree(self.place, root / 'red\x1b[31m/1.0.0')
    with self.assertRaisesRegex(FileNotFoundError, r'Built there: red\\x1b\[31m\.$'):
      registry.open_split('starter', str(root), 'train')

  @parameterized.parameters('starter', 'text_folder/other')
  def test_a_dataset_never_built(self, name):
    with self.assertRaises(FileNotFoundError) as caught:
      registry.open_split(name, self.data_dir, 'train')
    message = str(caught.exception)
    self.assertIn(f'the dataset {name!r} is not built in {self.data_dir!r}: run '
                  '`./run //binaries:prepare_data --dataset=', message)
    self.assertIn('Built there: text_folder/books.', message)

  def test_the_command_is_the_one_to_type(self):
    self.assertEqual(registry.build_command('starter', 'data'),
                     './run //binaries:prepare_data --dataset=starter')
    self.assertEqual(
        registry.build_command('text_folder/x', '/d'),
        './run //binaries:prepare_data --dataset=text_folder --source=DIR --name=x --data_dir=/d')

  @parameterized.parameters(
      ('nothing', "there is no dataset 'nothing': give one of agent_transcripts, c4"),
      ('turkish_web/nothing', "is not allowed: give 'turkish_web' or one of turkish_web/fine"),
      ('turkish_web/', "is not allowed: give 'turkish_web' or one of"),
      ('text_folder', "the dataset name 'text_folder' is not allowed: give 'text_folder/NAME'"),
      ('starter/x', "the dataset name 'starter/x' is not allowed: give 'starter'"),
      ('text_folder/a/b', "is not allowed: give 'text_folder/NAME'"),
      ('golden/..', "the name '..' is not allowed: give letters"),
      ('golden/1.0.0', "the name '1.0.0' is not allowed: give letters"))
  def test_names_that_cannot_be(self, name, message):
    with self.assertRaisesRegex(ValueError, message):
      registry.open_split(name, self.data_dir, 'train')

  @parameterized.parameters(
      ('turkish_web', 'turkish_web/fineweb2'), ('turkish_web/hplt', 'turkish_web/hplt'),
      ('pg19', 'pg19'), ('text_folder/x', 'text_folder/x'), ('golden', 'golden'),
      ('golden/x', 'golden/x'))
  def test_a_builder_alone_stands_for_its_first_corpus(self, name, full):
    self.assertEqual(registry.full_name(name), full)
    self.assertEqual(registry.folder(name, '/d'), pathlib.Path('/d', full, '1.0.0'))

  def test_what_a_builder_from_elsewhere_built_is_opened_by_its_newest_version(self):
    root = pathlib.Path(self.create_tempdir().full_path)
    for version in ('2.0.0', '10.0.0'):
      shutil.copytree(self.place, root / 'mine' / version)
    shutil.copytree(self.place, root / 'many/words/1.0.0')
    (root / 'mine/11.0.0').mkdir()  # Not whole.
    self.assertEqual(registry.folder('mine', str(root)), root / 'mine/10.0.0')
    self.assertEqual(registry.built(str(root)), ['many/words', 'mine'])
    self.assertNotEmpty(registry.open_split('many/words', str(root), 'train'))
    with self.assertRaisesRegex(ValueError, "there is no dataset 'other': give one of agent_"):
      registry.folder('other', str(root))

  def test_builders_of_ones_own(self):
    folder = self.create_tempdir()
    code = ('import tensorflow_datasets as tfds\nfrom datasets import streaming_builder\n'
            'class {name}(streaming_builder.StreamingBuilder):\n  """A test."""\n'
            '  VERSION = tfds.core.Version("3.0.0")\n'
            '  def sources(self, dl_manager):\n    return {{}}\n')
    folder.create_file('empty_mod.py', 'import datasets.published\n')
    folder.create_file('own_mod.py', code.format(name='OwnSet'))
    folder.create_file('clash_dataset_builder.py', 'Other = 1\n' + code.format(name='Clash'))
    with (absltest.mock.patch.object(sys, 'path', [*sys.path, folder.full_path]),
          absltest.mock.patch.dict(registry.BUILDERS, {'clash': 'elsewhere'})):
      self.assertEqual(registry.add('own_mod'), ['own_set'])
      self.assertEqual(registry.add('own_mod'), ['own_set'])
      self.assertEqual(registry.folder('own_set', '/d'), pathlib.Path('/d/own_set/3.0.0'))
      with self.assertRaisesRegex(ValueError, "'own_set' is not allowed|give 'own_set'"):
        registry.folder('own_set/x', '/d')
      with self.assertRaisesRegex(ValueError, "has a builder 'clash', but so has 'elsewhere'"):
        registry.add('clash_dataset_builder')
      with self.assertRaisesRegex(ValueError, "'empty_mod' holds no builder"):
        registry.add('empty_mod')
      with self.assertRaisesRegex(ValueError, "'no_such_mod' cannot be imported .*PYTHONPATH"):
        registry.add('no_such_mod')

  def test_a_split_that_is_not_there(self):
    with self.assertRaisesRegex(ValueError, "has no split 'dev': it has .*train.*validation"):
      registry.open_split('text_folder/books', self.data_dir, 'dev')

  @parameterized.named_parameters(
      ('truncated', lambda data: data[:len(data) // 2]),
      ('one_bit', lambda data: data[:100_000] + bytes([data[100_000] ^ 1]) + data[100_001:]),
      ('empty', lambda data: b''))
  def test_a_damaged_file_is_named_and_never_read(self, damage):
    data = self.file.read_bytes()
    self.file.write_bytes(damage(data))
    try:
      with self.assertRaisesRegex(
          ValueError, "the dataset 'text_folder/books' is damaged .*build it again.*--overwrite"):
        self.read_all()
    finally:
      self.file.write_bytes(data)
    self.assertNotEmpty(self.read_all())

  def test_a_missing_file_is_named(self):
    moved = self.file.rename(self.file.with_name('moved'))
    try:
      with self.assertRaisesRegex(ValueError, f'its file .*{self.file.name}.* is missing'):
        self.read_all()
    finally:
      moved.rename(self.file)

  def test_a_description_that_is_cut(self):
    path = self.place / 'dataset_info.json'
    text = path.read_text()
    path.write_text(text[:100])
    try:
      with self.assertRaisesRegex(ValueError, 'is damaged .*build it again'):
        self.read_all()
    finally:
      path.write_text(text)

  @parameterized.parameters('dataset_info.json', 'features.json')
  def test_half_a_dataset_is_none(self, name):
    moved = (self.place / name).rename(self.place / 'moved')
    try:
      with self.assertRaisesRegex(FileNotFoundError, 'is not built'):
        self.read_all()
    finally:
      moved.rename(self.place / name)

  def test_only_the_last_records_are_kept(self):
    records = windows.Records('text_folder/books', data_dir=self.data_dir, split='train')
    with absltest.mock.patch.object(records, '_recent', wraps=records._recent) as recent:
      for _ in range(2):
        for index in range(len(records)):
          np.testing.assert_array_equal(recent(index)['bytes'], records._read(index)['bytes'])
    self.assertEqual(records._recent.cache_info().misses, len(records))
    self.assertEqual(records._recent.cache_info().maxsize, windows.CACHED_RECORDS)


if __name__ == '__main__':
  absltest.main()
