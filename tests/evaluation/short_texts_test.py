"""Short texts in one chunk cost what streaming says they cost; long n-grams what counting says."""

import math

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.evaluation import long_ngram, ngram, short_texts, streaming
from tests.decoding import tiny_model

TEXTS = [b'', b'a', b'ab', 'Öğrenci geldi mi?'.encode(), b'abracadabra' * 3, bytes(range(70))]


class ShortTextsTest(parameterized.TestCase):

  def test_equals_streaming(self):
    params = tiny_model.params()
    counted = []
    found = short_texts.nats(
        tiny_model.MODEL, params, [*TEXTS, *TEXTS], on_progress=counted.append)
    sums = dict.fromkeys(range(len(TEXTS)), 0.0)
    sequences = [streaming.Sequence(key, vocab.BOUNDARY, text) for key, text in enumerate(TEXTS)]
    for scores in streaming.score(tiny_model.MODEL, params, sequences, batch_size=2, chunk=8):
      sums[scores.key] += float(scores.nll.sum())
    self.assertEqual(set(found), set(TEXTS))
    for key, text in enumerate(TEXTS):
      self.assertAlmostEqual(found[text], sums[key], delta=1e-5 * max(sums[key], 1))
    self.assertEqual(sum(counted), sum(map(len, TEXTS)))

  def test_no_texts(self):
    self.assertEqual(short_texts.nats(tiny_model.MODEL, tiny_model.params(), []), {})


class LongNgramTest(parameterized.TestCase):

  def test_of_two_bytes_context_equals_the_trigram(self):
    documents = [b'the cat sat on the mat', 'Ağrı dağı'.encode(), b'', b'x']
    tables = long_ngram.count(documents, order=2)
    model = ngram.fit(ngram.count(documents))
    texts = [b'the mat', b'q', b'', 'dağ'.encode(), b'the']
    found = long_ngram.nats(tables, texts)
    for text in texts:
      self.assertAlmostEqual(found[text], ngram.trigram_nats(model, text), places=9)

  def test_probabilities_have_the_sum_one(self):
    tables = long_ngram.count([b'abcabcabd', b'bcd'], order=5)
    for context in (b'abcab', b'zzabc', b'bc'):
      behind = long_ngram.nats(tables, [context])[context]
      costs = long_ngram.nats(tables, [context + bytes([each]) for each in range(256)])
      total = sum(math.exp(behind - cost) for text, cost in costs.items() if text)
      self.assertAlmostEqual(total, 1, places=9)

  def test_longer_contexts_know_more(self):
    text = b'a long sentence that comes again and again. ' * 3
    costs = [long_ngram.nats(long_ngram.count([text], order=order), [text])[text]
             for order in (0, 1, 3, 5, 7)]
    self.assertEqual(costs, sorted(costs, reverse=True))
    self.assertLess(costs[-1], costs[0] / 10)

  def test_counts_no_more_than_it_is_given(self):
    tables = long_ngram.count([b'aaaa', b'bbbb', b'cccc'], order=1, max_bytes=6)
    np.testing.assert_array_equal(tables[0].counts, [4, 2])

  def test_nothing_counted(self):
    self.assertAlmostEqual(
        long_ngram.nats(long_ngram.count([]), [b'ab'])[b'ab'], 2 * math.log(256))
    with self.assertRaisesRegex(ValueError, 'order=8 is not allowed'):
      long_ngram.count([], order=8)


if __name__ == '__main__':
  absltest.main()
