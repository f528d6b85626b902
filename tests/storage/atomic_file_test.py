"""A file that is replaced is the old one or the new one, through links, whatever fails."""

import os
import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

from haiku_spectral.storage import atomic_file


class AtomicFileTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.path = self.folder / 'a'

  def names(self):
    return sorted(os.listdir(self.folder))

  def test_new_bytes_take_the_place_of_the_old(self):
    for data in (b'old', b''):
      atomic_file.write(self.path, data)
      self.assertEqual(self.path.read_bytes(), data)
    self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
    self.assertEqual(self.names(), ['a'])

  @parameterized.parameters('fsync', 'replace', 'fchmod')
  def test_a_failure_leaves_the_old_file_and_nothing_else(self, step):
    self.path.write_bytes(b'old')
    full = mock.patch.object(os, step, side_effect=OSError('disk full'))
    with full, self.assertRaisesRegex(OSError, 'disk full'):
      atomic_file.write(self.path, b'new')
    self.assertEqual(self.path.read_bytes(), b'old')
    self.assertEqual(self.names(), ['a'])

  def test_a_file_and_then_its_name_are_synced(self):
    synced, really = [], os.fsync

    def note(descriptor):
      synced.append((os.readlink(f'/proc/self/fd/{descriptor}'), self.path.exists()))
      really(descriptor)

    with mock.patch.object(os, 'fsync', note):
      atomic_file.write(self.path, b'x')
    (file, there), folder = synced
    self.assertTrue(file.endswith(atomic_file.UNFINISHED))
    self.assertFalse(there)
    self.assertEqual(folder, (str(self.folder), True))

  def test_links_are_followed_and_stay(self):
    (self.folder / 'there').mkdir()
    target = self.folder / 'there' / 'target'
    (self.folder / 'link').symlink_to(target)
    (self.folder / 'relative').symlink_to('link')
    for name, data in (('link', b'1'), ('relative', b'22')):  # First one that leads nowhere.
      atomic_file.check_place(self.folder / name, what='Output', flag='--output')
      atomic_file.write(self.folder / name, data)
      self.assertEqual(target.read_bytes(), data)
      self.assertTrue((self.folder / name).is_symlink())
    self.assertEqual(os.listdir(target.parent), ['target'])

  @parameterized.parameters('pipe', 'loop', 'link_to_pipe', 'folder')
  def test_what_is_no_regular_file_is_refused_and_left(self, name):
    os.mkfifo(self.folder / 'pipe')
    (self.folder / 'loop').symlink_to('loop')
    (self.folder / 'link_to_pipe').symlink_to('pipe')
    (self.folder / 'folder').mkdir()
    with self.assertRaisesRegex(ValueError, f'{name} is not a regular file'):
      atomic_file.write(self.folder / name, b'x')
    with self.assertRaisesRegex(ValueError, rf'Output \S*{name} is (not a regular file|a folder)'):
      atomic_file.check_place(self.folder / name, what='Output', flag='--output')
    self.assertEqual(self.names(), ['folder', 'link_to_pipe', 'loop', 'pipe'])

  def test_an_open_pipe_has_no_name_that_could_be_replaced(self):
    read, write = os.pipe()
    self.addCleanup(os.close, read)
    self.addCleanup(os.close, write)
    for call in (lambda path: atomic_file.check_place(path, what='Output', flag='--output'),
                 lambda path: atomic_file.write(path, b'x')):
      with self.assertRaisesRegex(ValueError, 'is not a regular file'):
        call(f'/proc/self/fd/{write}')  # As /dev/stdout.

  def test_text_is_for_whoever_may_read_new_files(self):
    before = os.umask(0o027)
    self.addCleanup(os.umask, before)
    atomic_file.write_text(self.path, 'ğ')
    self.assertEqual(self.path.read_bytes(), 'ğ'.encode())
    self.assertEqual(self.path.stat().st_mode & 0o777, 0o640)

  def test_long_names(self):
    path = self.folder / ('ğ' * 120)  # 240 bytes of the 255 that are allowed.
    atomic_file.write(path, b'x')
    self.assertEqual(path.read_bytes(), b'x')

  def test_places_where_nothing_can_be_saved(self):
    self.path.write_bytes(b'')
    with self.assertRaisesRegex(ValueError, 'could not be saved .*: give another --output path'):
      atomic_file.check_place(self.path / 'b', what='Output', flag='--output')
    with self.assertRaisesRegex(ValueError, 'could not be saved .*: give another --output path'):
      atomic_file.check_folder(self.path / 'b', what='Output', flag='--output')
    with self.assertRaisesRegex(ValueError, 'Output .*/a is a file: give the path of a folder'):
      atomic_file.check_folder(self.path, what='Output', flag='--output')
    with mock.patch.object(os, 'access', return_value=False), self.assertRaisesRegex(
        ValueError, 'its folder is read-only: give another --output path'):
      atomic_file.check_folder(self.folder / 'new', what='Output', flag='--output')

  def test_a_place_is_asked_not_only_its_mode(self):
    full = mock.patch('tempfile.TemporaryFile', side_effect=OSError(28, 'No space left on device'))
    with full, self.assertRaisesRegex(ValueError, 'No space left .*: give another --output path'):
      atomic_file.check_place(self.path, what='Output', flag='--output')
    with self.assertRaisesRegex(ValueError, 'Output /proc/x could not be saved'):
      atomic_file.check_place('/proc/x', what='Output', flag='--output')
    atomic_file.check_place(self.path, what='Output', flag='--output')
    self.assertEqual(self.names(), [])

  def test_a_published_folder_is_complete_on_the_disk(self):
    unfinished = self.folder / 'unfinished'
    (unfinished / 'deep').mkdir(parents=True)
    (unfinished / 'deep' / 'file').write_bytes(b'x')
    synced, really = [], os.fsync

    def note(descriptor):
      synced.append(os.readlink(f'/proc/self/fd/{descriptor}'))
      really(descriptor)

    with mock.patch.object(os, 'fsync', note):
      atomic_file.publish(unfinished, self.folder / 'folder')
    self.assertCountEqual(synced, map(str, (
        unfinished, unfinished / 'deep', unfinished / 'deep' / 'file', self.folder)))
    self.assertEqual(synced[-1], str(self.folder))
    self.assertEqual((self.folder / 'folder' / 'deep' / 'file').read_bytes(), b'x')
    self.assertEqual(self.names(), ['folder'])


if __name__ == '__main__':
  absltest.main()
