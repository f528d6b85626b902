"""Files: which are found, which are good, and that reading them is a stream."""

import os
import pathlib
from unittest import mock

import hypothesis
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from datasets import text_files
from haiku_spectral.storage import file_name
from tests.datasets import corpora
from tests.fixed_examples import fixed_examples

BOM = b'\xef\xbb\xbf'


class TextFilesTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def file(self, data):
    path = self.folder / 'file.txt'
    path.write_bytes(data)
    return path

  def read(self, data, **options):
    return b''.join(text_files.read_text(self.file(data), **options))

  @fixed_examples(60)
  @hypothesis.given(st.text(st.characters(exclude_characters='\0', exclude_categories=('Cs',))),
                    st.integers(1, 9), st.booleans())
  def test_any_text_in_any_buffer(self, text, buffer_bytes, bom):
    data = text.encode()
    for replace in (False, True):
      result = self.read((BOM if bom else b'') + data, replace=replace, buffer_bytes=buffer_bytes)
      self.assertEqual(result, data.removeprefix(BOM) if not bom else data)

  @fixed_examples(100)
  @hypothesis.given(st.binary(max_size=40), st.integers(1, 9))
  def test_replacing_agrees_with_python_and_is_valid(self, data, buffer_bytes):
    expected = data.decode('utf-8', 'replace').removeprefix('\ufeff').replace('\0', '\ufffd')
    self.assertEqual(self.read(data, replace=True, buffer_bytes=buffer_bytes), expected.encode())

  def test_documents_of_files_and_folders(self):
    folder = self.folder / 'sub'
    (folder / 'deep').mkdir(parents=True)
    (folder / 'b.txt').write_bytes(b'0123456789')
    (folder / 'deep/a.txt').write_bytes(b'abc')
    (folder / 'c.bin').write_bytes(b'\0')
    single = str(self.file(b'single'))
    filtered = text_files.Filtered()
    found = list(text_files.documents([single, str(folder)], limit=7, filtered=filtered))
    beside = [(str(folder / 'b.txt'), b'0123456'), (str(folder / 'deep/a.txt'), b'abc')]
    self.assertEqual(found, [(single, b'single'), *beside])
    alone = text_files.documents([str(folder)], limit=7, filtered=text_files.Filtered())
    self.assertEqual(list(alone), [('b.txt', b'0123456'), ('deep/a.txt', b'abc')])
    self.assertEqual(filtered.first, [('c.bin', 'contains NUL (binary, or not UTF-8) at byte 0')])
    with self.assertRaises(text_files.NotText):
      list(text_files.documents([str(folder / 'c.bin')], limit=7, filtered=filtered))
    with self.assertRaisesRegex(FileNotFoundError, "'/none' does not exist: give a file or a fold"):
      list(text_files.documents(['/none'], limit=7, filtered=filtered))

  @parameterized.product(
      bad=((b'ab\xff', 'invalid UTF-8', 2), ('ğ'.encode()[:1], 'invalid UTF-8', 0),
           (b'abcdefgh\0', 'contains NUL (binary, or not UTF-8)', 8),
           (BOM + 'ğüş'.encode() + b'\xed\xa0\x80', 'invalid UTF-8', 9),
           ('text'.encode('utf-16-le'), 'contains NUL (binary, or not UTF-8)', 1)),
      buffer_bytes=(1, 2, 3, 4, 100))
  def test_what_is_wrong_and_where(self, bad, buffer_bytes):
    data, reason, position = bad
    with self.assertRaises(text_files.NotText) as caught:
      self.read(data, buffer_bytes=buffer_bytes)
    self.assertEqual(caught.exception.reason, reason)
    self.assertEqual(caught.exception.position, position)
    self.assertIn(f'file.txt: {reason} at byte {position}: mend the file', str(caught.exception))

  def test_no_more_than_the_buffer_is_read_at_once(self):
    path = self.file('ğ'.encode() * 5000)
    chunks = list(text_files.read_text(path, buffer_bytes=101))
    self.assertLessEqual(max(map(len, chunks)), 102)  # One byte may wait for its second half.
    self.assertLen(b''.join(chunks), 10_000)

  def test_finds_nested_files_in_order_and_counts_the_rest(self):
    corpora.write(self.folder, {
        'b.txt': b'b', 'a/deep/er.TXT': b'long', 'a/x.py': b'x', 'a.txt': b'a', '.git/c.txt': b'c',
        'a/.hidden.txt': b'h', 'ünlü.txt': b'u', 'Makefile': b'm'})
    os.mkfifo(self.folder / 'pipe.txt')
    (self.folder / 'link.txt').symlink_to(self.folder / 'a.txt')
    (self.folder / 'loop').symlink_to(self.folder)
    (self.folder / 'broken.txt').symlink_to('nowhere')
    filtered = text_files.Filtered()
    found = list(text_files.find(str(self.folder), ('.txt',), filtered))
    self.assertEqual([(name, size) for _, name, size in found],
                     [('a/deep/er.TXT', 4), ('a.txt', 1), ('b.txt', 1), ('ünlü.txt', 1)])
    self.assertEqual(filtered.counts, {
        'symbolic link': 3, 'other extension': 2, 'not a regular file': 1,
        'hidden (its name begins with a dot)': 2})

  def test_unreadable_files_and_folders_are_counted(self):
    corpora.write(self.folder, {'a.txt': b'a', 'closed/b.txt': b'b'})
    listdir = os.listdir

    def refuse(path):
      if str(path).endswith('closed'):
        raise PermissionError(13, 'Permission denied')
      return listdir(path)

    filtered = text_files.Filtered()
    with mock.patch.object(os, 'listdir', refuse):
      found = list(text_files.find(str(self.folder), (), filtered))
    with mock.patch.object(pathlib.Path, 'open', side_effect=PermissionError(13, 'Denied')):
      self.assertIsNone(text_files.check(*found[0][:2], invalid='fail', filtered=filtered))
    self.assertEqual(filtered.first, [('closed', 'unreadable (Permission denied)'),
                                      ('a.txt', 'unreadable (Denied)')])

  def test_names_that_are_not_utf8_are_found_and_printable(self):
    (pathlib.Path(os.fsdecode(os.fsencode(self.folder) + b'/\xff.txt'))).write_bytes(b'text')
    (_, name, size), = text_files.find(str(self.folder), ('.txt',), text_files.Filtered())
    self.assertEqual((file_name.printable(name), size), ('\\xff.txt', 4))

  @parameterized.parameters(
      (b'', 'skip', 'empty'), (BOM, 'replace', 'empty'), (b'a\xff', 'skip', 'invalid UTF-8'),
      (b'a\0', 'skip', 'contains NUL (binary, or not UTF-8)'))
  def test_filtered_and_counted(self, data, invalid, reason):
    filtered = text_files.Filtered()
    path = str(self.file(data))
    self.assertIsNone(text_files.check(path, 'file.txt', invalid=invalid, filtered=filtered))
    self.assertEqual(filtered.counts, {reason: 1})

  def test_size_is_what_reading_gives(self):
    path, advanced = str(self.file(BOM + b'a\xffb\0c')), []
    good = text_files.check(path, 'n', invalid='replace', filtered=text_files.Filtered(),
                            advance=advanced.append)
    self.assertEqual(good.size, len('a\ufffdb\ufffdc'.encode()))
    self.assertEqual(sum(advanced), good.size)

  def test_only_the_first_filtered_are_named(self):
    filtered = text_files.Filtered()
    for index in range(1000):
      filtered.add(str(index), 'empty')
    self.assertEqual(filtered.counts['empty'], 1000)
    self.assertLen(filtered.first, text_files.LISTED)

  def test_extensions(self):
    self.assertEqual(text_files.normalise_extensions(['txt', ' .PY', '', '.txt']), ('.py', '.txt'))
    self.assertEqual(text_files.normalise_extensions([]), ())

  def test_folder_errors(self):
    with self.assertRaisesRegex(FileNotFoundError, "'/no/where' does not exist: give a folder"):
      text_files.require_folder('/no/where')
    with self.assertRaisesRegex(NotADirectoryError, 'is a file: give the folder that holds it'):
      text_files.require_folder(str(self.file(b'x')))


if __name__ == '__main__':
  absltest.main()
