"""Likelihoods of continuations: those of the model read at once, whatever shares a batch."""

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.evaluation import likelihood
from tests.decoding import tiny_model

PAIRS = [(b'abc', b'de'), (b'', b'xyzzy'), (b'a longer context of many bytes, ' * 3, b'and more'),
         (b'nothing follows', b''), (b'', b'')]


APPLY = jax.jit(tiny_model.MODEL.apply)
LENGTH = 128  # Of all texts, padded: one program.


def log_probs(text):
  """[len(text), V] from one call."""
  ids = np.full((1, LENGTH), vocab.PAD, np.int32)
  ids[0, :len(text) + 1] = [vocab.BOUNDARY, *text]
  logits, _ = APPLY(tiny_model.params(), ids, tiny_model.MODEL.initial_state(1))
  return np.asarray(jax.nn.log_softmax(logits[0]))[:len(text)]


class LikelihoodTest(parameterized.TestCase):

  @parameterized.parameters((3, 16), (8, 256))
  def test_is_that_of_one_call(self, batch_size, chunk):
    done = []
    found = likelihood.score(tiny_model.MODEL, tiny_model.params(), PAIRS, batch_size=batch_size,
                             chunk=chunk, on_progress=done.append)
    self.assertEqual(sum(done), sum(map(len, (c + t for c, t in PAIRS))))
    for (context, continuation), each in zip(PAIRS, found, strict=True):
      table = log_probs(context + continuation)[len(context):]
      wanted = sum(row[byte] for row, byte in zip(table, continuation, strict=True))
      self.assertAlmostEqual(each.log_prob, wanted, places=3)
      self.assertEqual(each.greedy, bytes(table.argmax(axis=1).astype(np.uint8)) == continuation)

  def test_what_greedy_decoding_gives_is_greedy(self):
    text = b'abc'
    for _ in range(3):
      text += bytes([log_probs(text + b'?')[-1].argmax() % 256])
    (found, other) = likelihood.score(
        tiny_model.MODEL, tiny_model.params(), [(b'abc', text[3:]), (b'abc', b'\0\1\2')],
        batch_size=3, chunk=16)
    self.assertTrue(found.greedy)
    self.assertFalse(other.greedy)
    self.assertGreater(found.log_prob, other.log_prob)

  def test_no_pairs(self):
    self.assertEqual(likelihood.score(tiny_model.MODEL, tiny_model.params(), []), [])


if __name__ == '__main__':
  absltest.main()
