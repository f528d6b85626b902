"""The text that programs measure."""

from unittest import mock

from absl.testing import absltest

from binaries import text_sources
from datasets import pipeline


class FirstBytesTest(absltest.TestCase):

  def test_as_many_bytes_of_each_dataset(self):
    texts = {'a': [b'a' * 7, b'b' * 2, b'c' * 9], 'b': [b'd' * 3], 'c': [b'e' * 20]}

    def documents(name, *, data_dir, split, limit):
      assert (data_dir, split) == ('data', 'train')
      for number, data in enumerate(texts[name]):
        yield pipeline.Document(number, data[:limit])

    def first(**given):
      return list(text_sources.first_bytes('abc', data_dir='data', split='train', **given))

    with mock.patch.object(pipeline, 'documents', documents):
      self.assertEqual(first(limit=29), [b'a' * 7, b'b' * 2, b'c', b'd' * 3, b'e' * 10])
      self.assertEqual(first(limit=29, longest=4),
                       [b'a' * 4, b'b' * 2, b'c' * 4, b'd' * 3, b'e' * 4])


if __name__ == '__main__':
  absltest.main()
