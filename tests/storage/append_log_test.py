"""A log that was cut anywhere goes on, and what was cut off is lost only where it may be."""

import errno
import os
import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

from haiku_spectral.storage import append_log

LINES = (b'one\n', b'\r\x85 two\r\n', b'\n', b'\xff three\n')


class AppendLogTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.path = pathlib.Path(self.create_tempdir().full_path) / 'log'

  def write(self, lines=LINES):
    with append_log.Log(self.path) as log:
      for line in lines:
        log.append(line)
    return self.path.read_bytes()

  def test_lines_come_back(self):
    self.assertEqual(self.write(), b''.join(LINES))
    self.assertEqual(append_log.read(self.path), ([*LINES], b''))
    with append_log.Log(self.path) as log:
      self.assertEqual((log.lines, log.removed, log.kept_in), ([*LINES], 0, ''))

  def test_a_log_that_is_not_there_is_empty(self):
    self.assertEqual(append_log.read(self.path), ([], b''))

  @parameterized.parameters(False, True)
  def test_cut_at_every_byte(self, keep_torn):
    data = self.write()
    for size in range(len(data)):
      self.path.write_bytes(data[:size])
      complete, torn = data[:size].count(b'\n'), data[:size].rpartition(b'\n')[2]
      with append_log.Log(self.path, keep_torn=keep_torn) as log:
        self.assertEqual((log.lines, log.removed), ([*LINES[:complete]], len(torn)))
        self.assertEqual(bool(log.kept_in), bool(keep_torn and torn))
        if log.kept_in:
          self.assertEqual(pathlib.Path(log.kept_in).read_bytes(), torn)
        for line in LINES[complete:]:
          log.append(line)
      self.assertEqual(self.path.read_bytes(), data)

  def test_what_is_kept_replaces_nothing(self):
    for torn in (b'a', b'b'):
      self.path.write_bytes(torn)
      append_log.Log(self.path, keep_torn=True).close()
    self.assertEqual([self.path.with_name(f'log.torn-{n}').read_bytes() for n in (1, 2)],
                     [b'a', b'b'])

  def test_a_torn_line_may_be_completed_or_refused(self):
    self.path.write_bytes(b'one\ntwo')
    with append_log.Log(self.path, mend=lambda torn: torn + b'\n', keep_torn=True) as log:
      self.assertEqual((log.lines, log.removed, log.kept_in), ([b'one\n', b'two\n'], 0, ''))
    self.assertEqual(self.path.read_bytes(), b'one\ntwo\n')

    def refuse(torn):
      raise ValueError(f'{torn} is strange')

    self.path.write_bytes(b'one\rtwo\r')
    with self.assertRaisesRegex(ValueError, 'is strange'):
      append_log.Log(self.path, mend=refuse)
    self.assertEqual(self.path.read_bytes(), b'one\rtwo\r')

  def test_a_full_disk_while_it_is_mended_loses_nothing(self):
    self.path.write_bytes(b'one\ntwo')
    full = mock.patch.object(append_log.atomic_file, 'write', side_effect=OSError('disk full'))
    with full, self.assertRaisesRegex(OSError, 'disk full'):
      append_log.Log(self.path, keep_torn=True)
    self.assertEqual(self.path.read_bytes(), b'one\ntwo')

  @parameterized.parameters('write', 'fsync')
  def test_a_line_that_could_not_be_added_leaves_no_trace(self, step):
    data, really = self.write(), os.write

    def full(file, *line):
      if step == 'write' and len(line[0]) > 3:
        return really(file, line[0][:3])
      raise OSError(errno.ENOSPC, 'No space left on device')

    with append_log.Log(self.path) as log:
      with mock.patch.object(os, step, full), self.assertRaisesRegex(OSError, 'No space left'):
        log.append(b'more\n', durably=True)
      self.assertEqual(self.path.read_bytes(), data)
      log.append(b'more\n')
    self.assertEqual(self.path.read_bytes(), data + b'more\n')

  def test_a_pipe_is_refused_without_waiting(self):
    os.mkfifo(self.path)
    with self.assertRaisesRegex(ValueError, 'is not a regular file'):
      append_log.Log(self.path)


if __name__ == '__main__':
  absltest.main()
