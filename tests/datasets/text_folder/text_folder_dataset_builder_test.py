"""text_folder: files in, equal documents out, twice the same, and every mistake named."""

import hashlib
import pathlib
import shutil
import sys

import numpy as np
import tensorflow_datasets as tfds
from absl.testing import absltest, parameterized

from datasets import packed_builder, packing, pipeline, registry, windows
from datasets.text_folder import text_folder_dataset_builder
from tests.datasets import corpora


def digest(data_dir, name='text_folder/books'):
  """One hash over all records of all splits, in their order."""
  result = hashlib.sha256()
  for split in registry.report(name, data_dir)['splits']:
    for record in windows.Records(name, data_dir=data_dir, split=split).stream():
      for field in sorted(record):
        result.update(np.asarray(record[field]).tobytes())
  return result.hexdigest()


class TextFolderTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)
    self.data_dir = str(self.root / 'data')

  def write(self, files):
    return corpora.write(self.root / 'source', files)

  def documents(self, splits=('train', 'validation', 'test')):
    return {split: [document.data for document in pipeline.documents(
        'text_folder/books', data_dir=self.data_dir, split=split)] for split in splits}

  def test_all_files_come_back_without_the_folder(self):
    files = {f'{i % 7}/{i}.txt': corpora.letters(i, 10 + 900 * i) for i in range(80)}
    source = self.write(files)
    fresh, report = corpora.build('books', source, self.data_dir)
    shutil.rmtree(source)
    self.assertTrue(fresh)
    documents = self.documents()
    self.assertCountEqual(sum(documents.values(), []), files.values())
    for split, part in documents.items():
      self.assertEqual(report['splits'][split]['documents'], len(part))
      self.assertEqual(report['splits'][split]['bytes'], sum(map(len, part)))
    names = registry.document_names('text_folder/books', self.data_dir)
    for document in pipeline.documents(
        'text_folder/books', data_dir=self.data_dir, split='validation'):
      self.assertEqual(files[names[document.id]], document.data)
    self.assertNotIn('tensorflow', sys.modules)

  def test_no_held_out_text_is_trained_on(self):
    texts = [corpora.letters(i, 200) + b'\n' + corpora.letters(i, 50) for i in range(40)]
    files = {f'book{i}.txt': text for i, text in enumerate(texts)}
    files |= {f'book{i} (kopya).txt': text for i, text in enumerate(texts)}
    files['book3 (windows).txt'] = b'\xef\xbb\xbf' + texts[3].replace(b'\n', b'\r\n')
    _, report = corpora.build('books', self.write(files), self.data_dir, validation=0.2, test=0.2)
    self.assertEqual(report['copies'], 41)
    documents = self.documents()
    self.assertEqual(sum(map(len, documents.values())), 81)
    parts = [{text.replace(b'\r', b'') for text in part} for part in documents.values()]
    self.assertTrue(all(len(part) > 3 for part in parts))
    self.assertLen(set().union(*parts), sum(map(len, parts)))

  def test_what_was_built_is_no_text(self):
    files = {f'{i}.txt': corpora.letters(i, 50) for i in range(20)}
    source = self.write(files)
    for times in range(3):  # The folder of the datasets lies among the texts.
      _, report = corpora.build('books', source, f'{source}/data', overwrite=True)
      corpora.build(f'more{times}', source, f'{source}/data')
      self.assertEqual(sum(part['documents'] for part in report['splits'].values()), 20)
      self.assertEqual(report['filtered'].get('a built dataset', 0), 0 if not times else 1 + times)
    place = registry.folder('text_folder/books', f'{source}/data')
    for folder in (place, place / 'below'):
      folder.mkdir(exist_ok=True)
      with self.assertRaisesRegex(ValueError, f"belongs to the built dataset in '{place}': give"):
        corpora.build('more', str(folder), self.data_dir)

  def test_two_builds_give_equal_records(self):
    files = {f'{i}.txt': corpora.letters(i, 5000) for i in range(40)}
    corpora.build('books', self.write(files), self.data_dir)
    first = digest(self.data_dir)
    other = corpora.write(self.root / 'other', dict(reversed(files.items())))
    corpora.build('books', other, str(self.root / 'data2'))
    self.assertEqual(first, digest(str(self.root / 'data2')))

  def test_many_shards_keep_the_order_of_the_stream(self):
    self.enter_context(absltest.mock.patch.object(packed_builder, 'RECORDS_PER_SHARD', 3))
    source = self.write({'long.txt': corpora.letters(0, 15 * packing.RECORD_BYTES),
                         'short.txt': b'short'})
    corpora.build('books', source, self.data_dir)
    place = registry.folder('text_folder/books', self.data_dir)
    self.assertLen(list(place.glob('*.array_record-*-of-00006')), 6)
    expected = [(self.root / 'source/long.txt').read_bytes(), b'short']
    self.assertCountEqual(sum(self.documents(('train', 'validation')).values(), []), expected)

  def test_bad_files_are_filtered_or_mended_or_fail(self):
    files = {'bom.txt': b'\xef\xbb\xbfgood', 'cut.txt': b'abc\xc3', 'fine.txt': b'fine',
             'nothing.txt': b'', 'zero.txt': b'a\0b'}
    source = self.write(files)
    _, report = corpora.build('books', source, self.data_dir)
    self.assertCountEqual(
        sum(self.documents(('train', 'validation')).values(), []), [b'good', b'fine'])
    self.assertEqual(report['filtered'], {
        'contains NUL (binary, or not UTF-8)': 1, 'empty': 1, 'invalid UTF-8': 1})
    self.assertEqual(report['first_filtered'][0],
                     {'file': 'cut.txt', 'reason': 'invalid UTF-8 at byte 3'})
    corpora.build('books', source, self.data_dir, invalid='replace', overwrite=True)
    self.assertContainsSubset(
        ['abc\ufffd'.encode(), 'a\ufffdb'.encode()],
        sum(self.documents(('train', 'validation')).values(), []))
    with self.assertRaisesRegex(ValueError, r'cut\.txt: invalid UTF-8 at byte 3: mend the file'):
      corpora.build('books', source, self.data_dir, invalid='fail', overwrite=True)

  def test_a_file_that_changes_while_it_is_read(self):
    source = self.write({'a.txt': b'a' * 100, 'b.txt': b'b' * 100})

    def append(stage, total):
      if stage == 'packing':
        (self.root / 'source/a.txt').write_bytes(b'a' * 101)
      return lambda size: None

    with self.assertRaisesRegex(
        ValueError, r'a\.txt changed while it was read \(100 bytes before, 101 now\)'):
      corpora.build('books', source, self.data_dir, progress=append)
    self.assertEmpty(registry.built(self.data_dir))

  def test_progress_counts_every_byte_of_both_readings(self):
    source = self.write({'a.txt': b'a' * 100, 'b.txt': b'b' * 100})
    done = {}

    def progress(stage, total):
      done[stage] = [total]
      return done[stage].append

    corpora.build('books', source, self.data_dir, progress=progress)
    self.assertEqual(done, {'checking': [200, 100, 100], 'packing': [200, 100, 100]})

  @parameterized.parameters(
      ({}, {}, "is empty: give a folder of text files"),
      ({'a.md': b'a'}, {'extensions': ('.txt', 'py')},
       r"no text with .py or .txt in '.*' \(filtered out: 1 x other extension\)"),
      ({'a': b'\0', 'b': b'', 'c': b''}, {},
       r'no text with any extension in .* \(filtered out: 2 x empty, 1 x contains NUL'),
      ({'a': b'a'}, {}, 'found 1 document: training needs at least 2'),
      ({'a': b'a', 'b': b'a'}, {}, 'found 1 document and a copy of it: training needs at least 2'),
  )
  def test_folders_with_nothing_to_build(self, files, settings, message):
    (self.root / 'source').mkdir()
    with self.assertRaisesRegex(ValueError, message):
      corpora.build('books', self.write(files), self.data_dir, **settings)
    self.assertEmpty(registry.built(self.data_dir))

  @parameterized.parameters(
      ({'name': 'my/books'}, "the name 'my/books' is not allowed: give letters, digits"),
      ({'name': '1.0.0'}, "the name '1.0.0' is not allowed"),
      ({'invalid': 'drop'}, "invalid='drop' is not allowed: give one of skip, replace, fail"),
      ({'validation': 0.0}, 'validation=0.0, test=0.05 are not allowed'),
  )
  def test_settings_that_are_not_allowed(self, settings, message):
    with self.assertRaisesRegex(ValueError, message):
      text_folder_dataset_builder.TextFolderConfig(**{'name': 'books', 'source': 's', **settings})

  def test_follows_the_conventions_of_tfds(self):
    builder = corpora.make_builder(self.data_dir, name='books', source=self.write({'a': b'a'}))
    self.assertEqual(builder.info.full_name, 'text_folder/books/1.0.0')
    self.assertIn(str(builder.version), builder.RELEASE_NOTES)
    self.assertIn('Your own text', builder.info.description)
    self.assertIs(tfds.builder_cls('text_folder'), text_folder_dataset_builder.Builder)


if __name__ == '__main__':
  absltest.main()
