"""Counting models: probabilities, the written-out formula, and an order that helps."""

import math
from unittest import mock

import hypothesis
import hypothesis.strategies as st
import numpy as np
from absl.testing import absltest

from haiku_spectral.evaluation import ngram
from tests.fixed_examples import fixed_examples

TEXTS = [b'the cat sat on the mat', b'', b'x', b'xy', b'\x00\xff\xfe']
COUNTS = ngram.count(TEXTS)


def written_out(texts, context, target):
  """Interpolated Witten-Bell by counting strings."""
  shorter = written_out(texts, context[1:], target) if context else 1 / 256
  followers = [
      text[i + len(context)] for text in texts for i in range(len(text) - len(context))
      if text[i:i + len(context)] == context]
  if not followers:
    return shorter
  distinct = len(set(followers))
  return (followers.count(target) + distinct * shorter) / (len(followers) + distinct)


class NgramTest(absltest.TestCase):

  @hypothesis.given(text=st.text('theca \xe9', max_size=40).map(str.encode))
  @fixed_examples(20)
  def test_is_interpolated_witten_bell(self, text):
    model = ngram.fit(COUNTS)
    contexts = [text[max(i - 2, 0):i] for i in range(len(text))]
    trigram = -sum(math.log(written_out(TEXTS, context, target))
                   for context, target in zip(contexts, text, strict=True))
    unigram = -sum(math.log(written_out(TEXTS, b'', target)) for target in text)
    self.assertAlmostEqual(ngram.trigram_nats(model, text), trigram, places=6)
    self.assertAlmostEqual(ngram.unigram_nats(model, text), unigram, places=6)

  def test_probabilities_sum_to_one_after_any_context(self):
    model = ngram.fit(COUNTS)
    for context in (b'th', b'zz', b'\xff\xfe', b'at'):
      total = sum(
          math.exp(ngram.trigram_nats(model, context)
                   - ngram.trigram_nats(model, context + bytes([byte]))) for byte in range(256))
      self.assertAlmostEqual(total, 1, places=9)

  def test_long_documents_are_counted_and_scored_in_pieces(self):
    text = np.random.default_rng(0).integers(97, 100, 1000).astype(np.uint8).tobytes()
    whole = ngram.fit(ngram.count([text]))
    with mock.patch.object(ngram, '_PIECE', 7):
      pieces = ngram.fit(ngram.count([text]))
      self.assertAlmostEqual(
          ngram.trigram_nats(pieces, text), ngram.trigram_nats(whole, text), places=6)
    self.assertEqual(pieces.counts.trigram.sum(), 998)
    np.testing.assert_array_equal(pieces.counts.trigram, whole.counts.trigram)
    np.testing.assert_array_equal(pieces.counts.bigram, whole.counts.bigram)

  def test_counting_stops_after_the_bytes_it_may_read(self):
    reported = []
    counts = ngram.count([b'abcd'] * 10, max_bytes=10, on_progress=reported.append)
    self.assertEqual(counts.unigram.sum(), 12)
    self.assertEqual(reported, [4, 4, 4])

  def test_context_helps_where_there_is_structure(self):
    generator = np.random.default_rng(0)
    # A byte is the sum of the two before it, or noise: three bits of entropy, two of them known.
    ids = [1, 2]
    for noise in generator.integers(0, 8, 6000):
      ids.append((ids[-1] + ids[-2] + (noise == 0)) % 8)
    text = bytes(ids)
    found = ngram.baselines(ngram.count([text[:5000]]), [text[5000:]])
    self.assertEqual(found.train_bytes, 5000)
    self.assertBetween(found.unigram, 2.95, 3.05)
    self.assertBetween(found.trigram, 0.4, 1.0)
    self.assertLessEqual(found.unigram_entropy, found.unigram)

  def test_entropy(self):
    self.assertAlmostEqual(ngram.entropy([bytes(range(256)), bytes(range(256))]), 8)
    self.assertEqual(ngram.entropy([b'aaaa']), 0)


if __name__ == '__main__':
  absltest.main()
