"""The spool: any stretch of what was written can be read."""

import pathlib

import hypothesis
from absl.testing import absltest
from hypothesis import strategies

from datasets.streaming import spool
from tests.datasets import corpora
from tests.fixed_examples import fixed_examples


class SpoolTest(absltest.TestCase):

  @fixed_examples(30)
  @hypothesis.given(strategies.lists(strategies.binary(max_size=99)), strategies.data())
  def test_reads_any_range(self, texts, data):
    path = pathlib.Path(corpora.temporary_folder(type(self)), 'text')
    with absltest.mock.patch.object(spool, 'BLOCK_BYTES', 32):
      writer = spool.Writer(path)
      for text in texts:
        writer.append(text)
      writer.close()
      whole = b''.join(texts)
      reader = spool.Reader(path, len(whole))
      self.addCleanup(reader.close)
      for _ in range(5):
        start = data.draw(strategies.integers(0, len(whole)))
        size = data.draw(strategies.integers(0, len(whole) - start))
        pieces = list(reader.read(start, size))
        self.assertEqual(b''.join(pieces), whole[start:start + size])
        self.assertLessEqual(max(map(len, pieces), default=0), 32)


if __name__ == '__main__':
  absltest.main()
