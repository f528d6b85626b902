"""One process at a time, and the others learn which."""

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest

from haiku_spectral.storage import file_lock


class FileLockTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.path = pathlib.Path(self.create_tempdir().full_path) / 'lock'

  def hold(self):
    return file_lock.exclusive(self.path, busy='X is in use', advice='wait')

  def test_a_second_holder_is_refused_and_told_of_the_first(self):
    for _ in range(2):  # It is free again after the block.
      with self.hold():
        with self.assertRaisesRegex(
            ValueError, rf'^X is in use \(process {os.getpid()}\): wait$'), self.hold():
          self.fail()
        with self.assertRaises(ValueError), self.hold():  # A refusal has freed nothing.
          self.fail()

  def test_a_killed_process_holds_nothing(self):
    program = ('import sys, time\nfrom haiku_spectral.storage import file_lock\n'
               'with file_lock.exclusive(sys.argv[1], busy="", advice=""):\n'
               '  print("held", flush=True)\n  time.sleep(600)\n')
    with subprocess.Popen(
        [sys.executable, '-c', program, str(self.path)], stdout=subprocess.PIPE) as process:
      self.assertEqual(process.stdout.readline(), b'held\n')
      with self.assertRaisesRegex(ValueError, rf'\(process {process.pid}\)'), self.hold():
        self.fail()
      process.kill()
    with self.hold():
      self.assertEqual(self.path.read_text(), f'{os.getpid()}\n')


if __name__ == '__main__':
  absltest.main()
