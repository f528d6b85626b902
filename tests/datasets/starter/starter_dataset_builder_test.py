"""starter: what the manifest says is there, with its licence, and enough of it is held out."""

import collections
import sys

from absl.testing import absltest

from datasets import pipeline, preparation, registry, splits
from datasets.starter import starter_dataset_builder as starter

LONG = 17_000  # Extrapolation is measured at 16 x 1024 bytes of one document.
NOVEL = 'english/pride_and_prejudice.txt'
LANGUAGES = ('turkish', 'english', 'code')


class StarterTest(absltest.TestCase):

  def test_every_file_is_listed_and_every_listed_file_is_there(self):
    text = starter.FOLDER / 'text'
    there = {path.relative_to(text).as_posix(): path.stat().st_size
             for path in text.rglob('*') if path.is_file()}
    self.assertEqual({entry.file: entry.bytes for entry in starter.manifest()}, there)

  def test_every_file_has_a_source_and_a_licence_that_is_shipped(self):
    for entry in starter.manifest():
      self.assertTrue(entry.source, entry.file)
      self.assertRegex(entry.licence, r'public domain|official text|PSF-2\.0|CC0')
    self.assertIn('PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2',
                  (starter.FOLDER / 'LICENSES/PSF-2.0.txt').read_text())
    notice = (starter.FOLDER / 'LICENSES/NOTICE.txt').read_text()
    for kind in {entry.file.split('_')[0] for entry in starter.manifest()}:
      folder = kind.split('/')[0]
      self.assertTrue(kind in notice or f'{folder}/*' in notice, kind)

  def test_no_text_is_there_twice(self):
    contents = {entry.file: splits.content_digest(entry.path.read_bytes())
                for entry in starter.manifest()}
    self.assertEqual(splits.count_copies(contents), 0)

  def test_most_text_is_for_training(self):
    sizes = collections.Counter()
    for entry in starter.manifest():
      sizes[entry.split] += entry.bytes
    self.assertEqual(set(sizes), {'train', 'validation', 'test'})
    sizes['test'] -= next(entry.bytes for entry in starter.manifest() if entry.file == NOVEL)
    self.assertGreater(sizes['train'] / sizes.total(), 0.8)

  def test_a_novel_is_held_out_for_long_contexts(self):
    held_out = {entry.file: entry for entry in starter.manifest() if entry.split == 'test'}
    self.assertGreater(held_out[NOVEL].bytes, 1 << 19)
    # No other text speaks of its people.
    for entry in starter.manifest():
      if entry.file != NOVEL:
        self.assertNotIn(b'Bingley', entry.path.read_bytes(), entry.file)

  def test_every_language_has_long_held_out_documents(self):
    for language in LANGUAGES:
      held_out = [entry.bytes for entry in starter.manifest()
                  if entry.split == 'validation' and entry.file.startswith(language)]
      self.assertGreaterEqual(sum(size >= LONG for size in held_out), 2, language)
      self.assertGreater(max(held_out), 30_000, language)

  def test_builds_and_gives_back_every_file(self):
    data_dir = self.create_tempdir().full_path
    fresh, report = preparation.prepare(
        'starter', lambda folder: starter.Builder(data_dir=folder), data_dir=data_dir)
    self.assertTrue(fresh)
    names = registry.document_names('starter', data_dir)
    there = collections.defaultdict(set)
    for split in report['splits']:
      for document in pipeline.documents('starter', data_dir=data_dir, split=split):
        name = names[document.id]
        self.assertEqual((starter.FOLDER / 'text' / name).read_bytes(), document.data)
        there[split].add(name)
    for entry in starter.manifest():
      self.assertIn(entry.file, there[entry.split])
    self.assertEqual(sum(map(len, there.values())), len(starter.manifest()))
    self.assertNotIn('tensorflow', sys.modules)

  def test_no_text_is_taken_for_the_code_of_the_project(self):
    suffixes = {path.suffix for path in (starter.FOLDER / 'text').rglob('*') if path.is_file()}
    self.assertEqual(suffixes, {'.txt'})


if __name__ == '__main__':
  absltest.main()
