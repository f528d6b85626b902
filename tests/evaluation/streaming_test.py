"""Streaming gives every byte its loss, whatever the streams, the chunks and the lengths are."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from haiku_spectral import vocab
from haiku_spectral.evaluation import streaming
from tests.evaluation import toy_models
from tests.fixed_examples import fixed_examples

MODEL = toy_models.counting()
PARAMS = MODEL.init(jax.random.key(0))


def collect(sequences, **kwargs):
  """{key: [N] nats}, checking that the scores of a sequence come in order and without gaps."""
  found = {sequence.key: np.zeros(0) for sequence in sequences}
  for key, start, nll, _ in streaming.score(MODEL, PARAMS, iter(sequences), **kwargs):
    assert start == found[key].size, (key, start)
    found[key] = np.concatenate([found[key], nll])
  return found


def written_out(sequence):
  """The loss of counting, by counting."""
  counts, nll = np.full(vocab.SIZE, 0.1), []
  for before, target in zip([sequence.first, *sequence.data], sequence.data, strict=False):
    counts[before] += 1
    nll.append(np.log(counts.sum() / counts[target]))
  return np.array(nll)


class StreamingTest(absltest.TestCase):

  @hypothesis.given(
      lengths=st.lists(st.integers(0, 60), max_size=9),
      batch_size=st.sampled_from([1, 3]), chunk=st.sampled_from([1, 7, 16]))
  @fixed_examples(30)
  def test_every_byte_of_every_sequence_is_scored_once_and_right(self, lengths, batch_size, chunk):
    sequences = [
        streaming.Sequence(number, vocab.BOUNDARY if number % 2 else 65, data)
        for number, data in toy_models.documents(lengths)]
    found = collect(sequences, batch_size=batch_size, chunk=chunk)
    for sequence in sequences:
      np.testing.assert_allclose(
          found[sequence.key], written_out(sequence), rtol=1e-5, atol=1e-5)

  def test_nothing_to_read(self):
    self.assertEmpty(collect([], batch_size=2, chunk=4))

  def test_one_program_whatever_the_lengths(self):
    traced = []

    def apply(params, tokens, state):
      traced.append(tokens.shape)
      return MODEL.apply(params, tokens, state)

    model = MODEL._replace(apply=apply)
    for lengths in ([3], range(40)):
      sequences = [streaming.Sequence(n, 1, b'a' * n) for n in lengths]
      list(streaming.score(model, PARAMS, sequences, batch_size=2, chunk=5))
    self.assertEqual(traced, [(2, 5)])

  def test_takes_no_more_sequences_than_there_are_streams(self):
    taken = []

    def source():
      for number in range(10):
        taken.append(number)
        yield streaming.Sequence(number, 1, b'x' * 40)

    scores = streaming.score(MODEL, PARAMS, source(), batch_size=2, chunk=4)
    next(scores)
    self.assertEqual(taken, [0, 1])
    self.assertEqual(sum(nll.size for _, _, nll, _ in scores) + 4, 400)

  def test_state_of_a_sequence_that_broke_down_does_not_reach_the_next(self):
    # A state that became NaN must not survive the reset (NaN times zero is NaN).
    def apply(params, tokens, state):
      logits, new = MODEL.apply(params, tokens, state)
      broken = jnp.where((tokens == 7).any(), jnp.nan, 0.0)
      return logits, new._replace(counts=new.counts + broken)

    model = MODEL._replace(apply=apply)
    sequences = [streaming.Sequence(0, 1, b'\7\7\7'), streaming.Sequence(1, 1, b'abcdefgh')]
    found = {}
    for key, _, nll, _ in streaming.score(model, PARAMS, sequences, batch_size=1, chunk=4):
      found.setdefault(key, []).extend(nll)
    self.assertTrue(np.isfinite(found[1]).all())


if __name__ == '__main__':
  absltest.main()
