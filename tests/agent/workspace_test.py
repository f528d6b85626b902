"""Only plain names and bounded contents come in and out, and the folder is what it should be."""

import os
import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

from haiku_spectral.agent import workspace


class WorkspaceTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path, 'workspace')
    self.folder.mkdir()

  def _found(self):
    return {path.name: path.read_bytes() for path in self.folder.iterdir()}

  @parameterized.parameters(
      '../x', '/x', '', 'a/b', 'a\x00b', '.', '..', '.hidden', '-rf', 'a\n', 'x.part', 'ğ', 'a b',
      'a' * 65, 'a\\b', 3, None, b'x')
  def test_names_that_are_refused(self, name):
    with self.assertRaisesRegex(ValueError, 'cannot be the name of a file: use 1 to 64 letters'):
      workspace.check({name: b''})

  def test_names_and_contents_that_are_kept(self):
    files = {'a': b'\xff', 'B_1.txt': b'', 'a' * 64: b'x', '1-2': 'ğ'}
    self.assertEqual(workspace.check(files), files | {'1-2': 'ğ'.encode()})

  @parameterized.parameters(
      (None, 'files is of type NoneType: leave it a dict'),
      ([('a', b'')], 'files is of type list'),
      ({'a': 3}, 'the file a is of type int: give it bytes or a str'),
      ({'a': '\ud800'}, 'surrogates not allowed'),
      ({'a': b'x' * 40_000, 'b': b'x' * 40_000}, 'the files have 80,000 bytes: keep 65,536'),
      ({str(n): b'' for n in range(33)}, 'there are 33 files: keep 32 at most'),
  )
  def test_contents_that_are_refused(self, files, message):
    with self.assertRaisesRegex(ValueError, message):
      workspace.check(files)

  def test_changes_make_one_of_the_other(self):
    changes = workspace.changes({'a': b'1', 'b': b'2', 'c': b''}, {'a': b'1', 'b': b'3', 'd': b''})
    self.assertEqual(changes, {'b': b'3', 'd': b'', 'c': None})

  def test_the_folder_is_brought_up_to_date(self):
    for name, data in (('same', b'1'), ('old', b'1'), ('gone', b'1'), ('theirs', b'1')):
      (self.folder / name).write_bytes(data)
    before = os.stat(self.folder / 'same').st_mtime_ns
    files = {'same': b'1', 'old': b'2', 'new': b'3'}
    reported = workspace.write(self.folder, files, {'gone', 'never'})
    self.assertEqual(reported, ['old', 'new', 'gone'])
    self.assertEqual(self._found(), files | {'theirs': b'1'})
    self.assertEqual(os.stat(self.folder / 'same').st_mtime_ns, before)
    self.assertEqual(workspace.write(self.folder, files, {'gone'}), [])

  def test_a_link_is_replaced_and_not_followed(self):
    outside = self.create_tempfile('outside', b'safe').full_path
    os.symlink(outside, self.folder / 'a')
    workspace.write(self.folder, {'a': b'safe'}, set())
    self.assertFalse((self.folder / 'a').is_symlink())
    os.symlink(outside, self.folder / 'b')
    workspace.write(self.folder, {}, {'b'})
    self.assertEqual(pathlib.Path(outside).read_bytes(), b'safe')
    self.assertEqual(self._found(), {'a': b'safe'})

  def test_a_full_disk_leaves_the_old_file(self):
    (self.folder / 'a').write_bytes(b'old')
    full = mock.patch.object(os, 'fsync', side_effect=OSError('disk full'))
    with full, self.assertRaisesRegex(OSError, 'disk full'):
      workspace.write(self.folder, {'a': b'new'}, set())
    self.assertEqual(self._found(), {'a': b'old'})

  def test_what_people_put_there_is_read(self):
    (self.folder / 'a').write_bytes(b'\xff')
    (self.folder / 'bX1.part').write_bytes(b'left by a kill')
    self.assertEqual(workspace.read(self.folder), {'a': b'\xff'})

  def test_what_people_must_not_put_there(self):
    for make, message in (
        (lambda path: path.mkdir(), 'x is no ordinary file: move it elsewhere'),
        (lambda path: path.symlink_to('/etc/passwd'), 'x is no ordinary file'),
        (os.mkfifo, 'x is no ordinary file'),
        (lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 2**40),
         'workspace cannot be taken over: the files have 1,099,511,627,776 bytes'),
        (lambda path: path.with_name('ö').touch(), "taken over: 'ö' cannot be the name"),
    ):
      with self.subTest(message):
        path = self.folder / 'x'
        make(path)
        with self.assertRaisesRegex(ValueError, message):
          workspace.read(self.folder)
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


if __name__ == '__main__':
  absltest.main()
