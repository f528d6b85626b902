"""Builds of a corpus are the same: in parallel, or ended by kill -9 and resumed."""

import fcntl
import multiprocessing
import os
import pathlib
import signal
from unittest import mock

from absl.testing import absltest, parameterized

from datasets import streaming_builder
from haiku_spectral.storage import atomic_file
from tests.datasets import corpora
from tests.datasets.streaming import small_corpus


def build_and_die(data_dir: str, folder: str, stage: str, pieces: int, workers: int) -> None:
  """Runs in a process of its own: kill -9 at a piece of work of a stage."""
  def progress(current, total):
    left = iter(range(pieces, 0, -1))

    def advance(size):
      if current == stage and next(left) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return advance

  builder = small_corpus.make(data_dir, pathlib.Path(folder), workers=workers)
  builder.progress = progress
  with small_corpus.small_shards():
    builder.download_and_prepare(file_format='array_record')


def wait_for_orphans(folder):
  """Until no worker of a build that was killed is at a unit any more."""
  for lock in folder.rglob('*.lock'):
    with lock.open('rb') as file:
      fcntl.flock(file, fcntl.LOCK_EX)


class StreamingBuilderKillTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    root = corpora.temporary_folder(cls)
    cls.source = small_corpus.write_files(root / 'source')
    with small_corpus.small_shards():
      cls.complete = small_corpus.build(root / 'complete', cls.source)

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def test_a_build_with_two_workers_is_the_same(self):
    with small_corpus.small_shards():
      small_corpus.assert_same(
          small_corpus.build(self.folder, self.source, workers=2), self.complete)

  @parameterized.parameters(('reading', 70, 1), ('packing', 5, 1), ('reading', 2, 2))
  def test_killed_and_resumed(self, stage, pieces, workers):
    process = multiprocessing.get_context('spawn').Process(
        target=build_and_die,
        args=(str(self.folder), str(self.source), stage, pieces, workers))
    process.start()
    process.join()
    self.assertEqual(process.exitcode, -signal.SIGKILL)
    wait_for_orphans(self.folder)
    finished = {path: path.stat().st_mtime_ns for path in self.folder.rglob('done.json')
                if path.parent.suffix != atomic_file.UNFINISHED}
    self.assertNotEmpty(finished)
    kept = {}

    def link(source, place):  # Called when all is done, before the work units are deleted.
      kept.update((path, path.stat().st_mtime_ns) for path in finished)
      place.hardlink_to(source)

    with small_corpus.small_shards(), mock.patch.object(streaming_builder, '_link', link):
      small_corpus.assert_same(small_corpus.build(self.folder, self.source), self.complete)
    self.assertEqual(kept, finished)  # Nothing that was finished was made again.
    self.assertEmpty(list(self.folder.rglob('done.json')))


if __name__ == '__main__':
  absltest.main()
