"""Guessing changes how many calls there are, and nothing else."""

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import generate, prefill, sampling, speculation
from tests import chunk_law
from tests.decoding import tiny_model

DECODER = tiny_model.decoder()
PROMPT = b'the cat sat on the mat, the cat sat'


def context(data=PROMPT, decoder=DECODER):
  model, params = decoder.model, decoder.params
  return prefill.read(
      model, params, prefill.begin(model, params), vocab.encode(data)[None], chunk=8)


class IndexTest(parameterized.TestCase):

  def test_guesses_what_followed_the_last_time(self):
    index = speculation.Index(orders=(3, 2))
    index.feed(b'abcdef abcxyz ab')
    self.assertEqual(index.guess(ord('c'), 3), b'xyz')
    self.assertEqual(index.guess(ord('q'), 3), b'')

  def test_a_precedent_that_runs_into_the_present_repeats(self):
    index = speculation.Index(orders=(2,))
    index.feed(b'xyxy')
    self.assertEqual(index.guess(ord('x'), 5), b'yxyxy')

  def test_more_agreement_comes_first(self):
    index = speculation.Index(orders=(4, 2))
    index.feed(b'1abc-X 2abc-Y abc.Z 1ab')
    self.assertEqual(index.guess(ord('c'), 2), b'-X')

  def test_cutting_the_text_changes_nothing(self):
    whole, parts = speculation.Index(), speculation.Index()
    data = b'one two three one two ' * 3
    whole.feed(data)
    for byte in data:
      parts.feed(bytes([byte]))
    for byte in range(256):
      self.assertEqual(whole.guess(byte, 9), parts.guess(byte, 9))

  def test_nothing_read(self):
    self.assertEqual(speculation.Index().guess(65, 4), b'')


class SpeculationTest(parameterized.TestCase):

  @parameterized.product(seed=(0, 1), num_bytes=(1, 64, 300))
  def test_same_bytes_as_greedy_writing(self, seed, num_bytes):
    decoder = tiny_model.decoder(seed)
    greedy = generate.generate(
        decoder, context(decoder=decoder), num_bytes=num_bytes, key=jax.random.key(0),
        config=sampling.SamplingConfig(temperature=0))
    told = []
    got = speculation.generate_greedily(
        decoder, context(decoder=decoder), num_bytes=num_bytes, past=PROMPT, on_bytes=told.append)
    self.assertEqual(got.text, greedy.texts[0])
    self.assertEqual(b''.join(told), got.text)
    np.testing.assert_array_equal(got.context.recent, greedy.context.recent)
    np.testing.assert_array_equal(got.context.position, greedy.context.position)
    chunk_law.assert_close(
        (got.context.logits, got.context.state), (greedy.context.logits, greedy.context.state),
        1e-5)

  def test_a_text_that_repeats_itself_takes_few_calls(self):
    got = speculation.generate_greedily(DECODER, context(), num_bytes=300, past=PROMPT)
    self.assertEqual(got.calls + got.accepted, 300)
    self.assertLess(got.calls, 150)

  def test_wrong_guesses_cost_only_calls(self):
    want = speculation.generate_greedily(DECODER, context(), num_bytes=70, past=PROMPT)

    class Wrong:
      """Knows one byte, and is then sure of what does not come."""

      def __init__(self):
        self._known = 0

      def feed(self, data):
        self._known += len(data)

      def guess(self, byte, count):
        right = want.text[self._known - len(PROMPT) + 1:][:1]
        return (right + bytes([(byte + 1) % 256] * count))[:count]

    self.enter_context(absltest.mock.patch.object(speculation, 'Index', Wrong))
    got = speculation.generate_greedily(DECODER, context(), num_bytes=70, past=PROMPT)
    self.assertEqual(got.text, want.text)
    self.assertGreater(got.guessed - got.accepted, 20)
    chunk_law.assert_close(got.context.state, want.context.state, 1e-5)

  def test_ends_with_the_document(self):
    def generated(**kwargs):
      return generate.generate(
          DECODER, start, key=jax.random.key(0), num_bytes=40,
          config=sampling.SamplingConfig(temperature=0, end_of_document=True), **kwargs)

    # A context in which the end is all that can come.
    start = context()
    start = start._replace(logits=start.logits.at[:, vocab.BOUNDARY].set(1e3))
    got = speculation.generate_greedily(DECODER, start, num_bytes=40, end_of_document=True)
    self.assertEqual(got.text, b'')
    self.assertEqual(got.context.recent[0, -1], vocab.BOUNDARY)
    np.testing.assert_array_equal(got.context.recent, generated().context.recent)


if __name__ == '__main__':
  absltest.main()
