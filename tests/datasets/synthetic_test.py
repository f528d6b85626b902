"""Synthetic corpora: as much text as asked for, the same in every format."""

import pathlib

from absl.testing import absltest, parameterized

from datasets import synthetic
from datasets.readers import reader


class SyntheticTest(parameterized.TestCase):

  def test_as_much_text_as_asked_for_no_two_files_alike(self):
    texts = [list(synthetic.documents(50_000, seed)) for seed in (0, 0, 1)]
    self.assertEqual(texts[0], texts[1])
    self.assertEmpty(set(texts[0]) & set(texts[2]))
    size = sum(len(text.encode()) for text in texts[0])
    self.assertBetween(size, 50_000, 50_000 + len(texts[0][-1].encode()))

  @parameterized.parameters(*synthetic.FORMATS)
  def test_the_same_documents_in_every_format(self, kind):
    folder = pathlib.Path(self.create_tempdir().full_path)
    synthetic.write(folder, kind, 100_000)
    paths = sorted(folder.iterdir())
    self.assertLen(paths, synthetic.SHARDS)
    for seed, path in enumerate(paths):
      found = [item.text.decode() for item in reader.read(path, synthetic.RandomWords.SPEC)]
      self.assertEqual(found, list(synthetic.documents(100_000 // synthetic.SHARDS, seed)))


if __name__ == '__main__':
  absltest.main()
