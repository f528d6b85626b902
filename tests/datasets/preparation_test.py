"""Building: all or nothing, whatever happens on the way."""

import fcntl
import multiprocessing
import os
import pathlib
import signal

from absl.testing import absltest

from datasets import pipeline, registry
from haiku_spectral.storage import atomic_file
from tests.datasets import corpora

NAME = 'text_folder/books'


def build_and_die(source: str, data_dir: str, stage: str, overwrite: bool) -> None:
  """Runs in a process of its own: kill -9 after the third piece of work of a stage."""
  def progress(current, total):
    pieces = iter(range(10))

    def advance(size):
      if current == stage and next(pieces) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return advance

  corpora.build('books', source, data_dir, overwrite=overwrite, progress=progress)


class PreparationTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)
    self.data_dir = str(self.root / 'data')
    self.source = corpora.write(self.root / 'source', {
        f'{i}.txt': corpora.letters(i, 30_000) for i in range(12)})

  def train(self):
    """The beginnings of the training documents."""
    return [document.data[:20] for document in pipeline.documents(
        NAME, data_dir=self.data_dir, split='train')]

  def staging(self):
    return [path for path in pathlib.Path(self.data_dir, '.building').rglob('*')
            if path.is_file() and path.suffix != '.lock']

  def kill(self, stage, overwrite=False):
    process = multiprocessing.get_context('spawn').Process(
        target=build_and_die, args=(self.source, self.data_dir, stage, overwrite))
    process.start()
    process.join()
    self.assertEqual(process.exitcode, -signal.SIGKILL)

  def test_killed_while_packing_then_built(self):
    self.kill('packing')
    self.assertNotEmpty(self.staging())
    self.assertEmpty(registry.built(self.data_dir))
    with self.assertRaisesRegex(FileNotFoundError, 'is not built'):
      registry.open_split(NAME, self.data_dir, 'train')
    fresh, _ = corpora.build('books', self.source, self.data_dir)
    self.assertTrue(fresh)
    self.assertEmpty(self.staging())
    self.assertNotEmpty(self.train())

  def test_killed_before_the_last_step_then_built_from_newer_files(self):
    staging = str(pathlib.Path(self.data_dir, '.building', NAME.replace('/', '.')))
    corpora.make_builder(staging, name='books', source=self.source).download_and_prepare(
        file_format='array_record')
    self.assertEmpty(registry.built(self.data_dir))
    corpora.write(self.root / 'source', {f'{i}.txt': b'newer %d' % i for i in range(12)})
    corpora.build('books', self.source, self.data_dir)
    self.assertEqual({text[:5] for text in self.train()}, {b'newer'})

  def test_killed_while_overwriting_keeps_what_was_there(self):
    corpora.build('books', self.source, self.data_dir)
    before = self.train()
    corpora.write(self.root / 'source', {'new.txt': b'new'})
    self.kill('packing', overwrite=True)
    self.assertEqual(self.train(), before)
    corpora.build('books', self.source, self.data_dir, overwrite=True)
    self.assertEmpty(self.staging())
    self.assertLen(self.train(), len(before) + 1)

  def test_killed_between_the_old_and_the_new_keeps_the_old(self):
    corpora.build('books', self.source, self.data_dir)
    before = self.train()
    place = registry.folder(NAME, self.data_dir)
    staging = self.root / 'data/.building' / NAME.replace('/', '.')
    staging.mkdir()
    place.rename(staging / 'replaced')
    self.assertEmpty(registry.built(self.data_dir))
    fresh, _ = corpora.build('books', self.source, self.data_dir)
    self.assertFalse(fresh)
    self.assertEqual(self.train(), before)
    self.assertEmpty(self.staging())

  def test_a_disk_that_fails_at_the_last_step_keeps_the_old(self):
    corpora.build('books', self.source, self.data_dir)
    before, publish = self.train(), atomic_file.publish
    place = registry.folder(NAME, self.data_dir)

    def fail(unfinished, folder):
      if folder == place:
        raise OSError(5, 'Input/output error')
      publish(unfinished, folder)

    corpora.write(self.root / 'source', {'new.txt': b'new'})
    with absltest.mock.patch.object(atomic_file, 'publish', fail), \
        self.assertRaisesRegex(ValueError, 'was not built: .*Input/output error'):
      corpora.build('books', self.source, self.data_dir, overwrite=True)
    self.assertEqual(self.train(), before)
    self.assertEmpty(self.staging())

  def test_built_twice_is_built_once(self):
    fresh, report = corpora.build('books', self.source, self.data_dir)
    modified = registry.folder(NAME, self.data_dir).stat().st_mtime_ns
    again, same_report = corpora.build('books', self.source, self.data_dir)
    self.assertEqual((fresh, again), (True, False))
    self.assertEqual(report, same_report)
    self.assertEqual(registry.folder(NAME, self.data_dir).stat().st_mtime_ns, modified)

  def test_other_settings_are_not_taken_for_what_is_there(self):
    corpora.build('books', self.source, self.data_dir)
    other = corpora.write(self.root / 'other', {'a': b'a', 'b': b'b'})
    with self.assertRaisesRegex(
        ValueError, r"already built with source='.*source', not '.*other': give it another name, "
        'or --overwrite'):
      corpora.build('books', other, self.data_dir)
    with self.assertRaisesRegex(ValueError, "already built with invalid='skip', not 'fail'"):
      corpora.build('books', self.source, self.data_dir, invalid='fail')

  def test_a_new_source_that_fails_leaves_the_old_dataset(self):
    corpora.build('books', self.source, self.data_dir)
    before = self.train()
    empty = corpora.write(self.root / 'empty', {'a': b''})
    with self.assertRaisesRegex(ValueError, 'no text with any extension'):
      corpora.build('books', empty, self.data_dir, overwrite=True)
    self.assertEqual(self.train(), before)
    self.assertEmpty(self.staging())

  def test_reading_sees_the_new_build(self):
    corpora.build('books', self.source, self.data_dir)
    before = self.train()
    corpora.write(self.root / 'source', {f'{i}.txt': b'short %d' % i for i in range(12)})
    corpora.build('books', self.source, self.data_dir, overwrite=True)
    self.assertNotEqual(self.train(), before)
    self.assertEqual({text[:5] for text in self.train()}, {b'short'})

  def test_two_processes_do_not_build_the_same(self):
    lock = pathlib.Path(self.data_dir, '.building/text_folder.books.lock')
    lock.parent.mkdir(parents=True)
    with lock.open('w') as file:
      fcntl.flock(file, fcntl.LOCK_EX)
      with self.assertRaisesRegex(ValueError, f"another process is building '{NAME}'"):
        corpora.build('books', self.source, self.data_dir)
    self.assertTrue(corpora.build('books', self.source, self.data_dir)[0])

  def test_a_file_in_place_of_the_data_folder(self):
    pathlib.Path(self.data_dir).write_bytes(b'')
    with self.assertRaisesRegex(NotADirectoryError, 'cannot be made: a file stands in its way'):
      corpora.build('books', self.source, self.data_dir)

  def test_a_write_that_fails_is_told_and_leaves_nothing(self):
    error = RuntimeError('write() failed: No space left on device')
    with absltest.mock.patch(
        'tensorflow_datasets.core.writer.ShardWriter.write', side_effect=error), \
        self.assertRaisesRegex(ValueError, f"'{NAME}' was not built: .*No space left on device"):
      corpora.build('books', self.source, self.data_dir)
    self.assertEmpty(self.staging())
    self.assertEmpty(registry.built(self.data_dir))


if __name__ == '__main__':
  absltest.main()
