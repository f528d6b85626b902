"""Compression of held-out text, beside other programs."""

from absl.testing import absltest

from haiku_spectral.benchmarks import compression, settings, subject
from tests.decoding import tiny_model

TEXTS = {'numbers': ' '.join(map(str, range(500))).encode(), 'letters': b'abcdefgh' * 100}
TINY = subject.Subject('tiny', tiny_model.CONFIG, tiny_model.params(), TEXTS)


class CompressionTest(absltest.TestCase):

  def test_bits_per_byte_of_each_program(self):
    rows = compression.compare(TINY, settings.Settings(run_dir='runs/x', text_bytes=600)).rows
    self.assertEqual([row['text'] for row in rows], list(TEXTS))
    for row in rows:
      self.assertEqual(row['bytes'], 600)
      for program in ('gzip -9', 'xz -9e', 'zstd -19', 'PPMd order 6'):
        self.assertBetween(row[program], 0.2, 6)  # Both repeat themselves.
      self.assertGreater(row['ours'], 8)  # Random parameters know nothing.

  def test_skipped_without_a_trained_model(self):
    section = compression.compare(TINY, settings.Settings())
    self.assertEmpty(section.rows)
    self.assertIn('give --run_dir', section.note)


if __name__ == '__main__':
  absltest.main()
