"""The most probable bytes come first; the best text has the best mean log-probability."""

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import candidates

V = vocab.SIZE


class TopCandidatesTest(parameterized.TestCase):

  def test_most_probable_first_and_printable(self):
    shares = {ord('e'): 0.4, ord(' '): 0.2, 0xC3: 0.2, ord('\n'): 0.1, vocab.BOUNDARY: 0.06,
              ord("'"): 0.03, ord('\\'): 0.01}
    logits = jnp.full(V, -jnp.inf)
    for id_, share in shares.items():
      logits = logits.at[id_].set(np.log(share) + 5)
    found = candidates.top_candidates(logits, 7)
    self.assertEqual([candidate.shown for candidate in found],
                     ["'e'", "' '", r"'\xc3'", r"'\n'", 'end', '"\'"', r"'\\'"])
    np.testing.assert_allclose(
        np.exp([candidate.log_prob for candidate in found]), list(shares.values()), rtol=1e-5)
    self.assertEqual(candidates.top_candidates(logits, 2), found[:2])

  @parameterized.parameters(0, 258)
  def test_number_is_checked(self, k):
    with self.assertRaisesRegex(ValueError, f'k={k} is not allowed: give 1 to 257'):
      candidates.top_candidates(jnp.zeros(V), k)


class BestOfTest(parameterized.TestCase):

  @parameterized.parameters(
      ([b'ab', b'abcd'], [-2.0, -3.0], 1),  # -1 and -0.75 per byte, though the sum is smaller.
      ([b'ab', b'cd', b'e'], [-2.0, -2.0, -1.0], 0),
      ([b'', b'zzz'], [0.0, -90.0], 1), ([b'', b'z'], [0.0, float('-inf')], 1),
      ([b'', b''], [0.0, 0.0], 0))
  def test_mean_decides(self, texts, totals, best):
    self.assertEqual(candidates.best_of(texts, totals), best)

  @parameterized.parameters(([], []), ([b'a'], [1.0, 2.0]))
  def test_as_many_totals_as_texts(self, texts, totals):
    with self.assertRaisesRegex(ValueError, f'{len(texts)} texts and {len(totals)} totals: give'):
      candidates.best_of(texts, totals)


if __name__ == '__main__':
  absltest.main()
