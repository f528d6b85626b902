"""Where a round works, and how much of it."""

import itertools

from absl.testing import absltest, parameterized

from haiku_spectral.self_training import frontier


class FrontierTest(parameterized.TestCase):

  @parameterized.product(attempts=(1, 5, 8), right=(0, 1, 4), k=(1, 3, 5))
  def test_pass_at_k_counts_the_draws_that_hold_a_right_one(self, attempts, right, k):
    if right > attempts or k > attempts:
      with self.assertRaises(ValueError):
        frontier.pass_at(k, attempts, right)
      return
    draws = list(itertools.combinations(range(attempts), k))
    lucky = sum(min(draw) < right for draw in draws)
    self.assertAlmostEqual(frontier.pass_at(k, attempts, right), lucky / len(draws))

  def test_depths_are_mastered_open_or_closed(self):
    found = frontier.find({1: [8] * 20, 2: [8] * 15 + [0] * 5, 3: [1, *[0] * 19], 4: [0] * 20,
                           5: [8] * 20})
    self.assertEqual(found, frontier.Frontier((1,), (2, 3), (4, 5)))
    self.assertTrue(found.signal)

  def test_no_signal_where_luck_never_reaches(self):
    self.assertFalse(frontier.find({1: [8] * 20, 2: [0] * 20}).signal)

  @parameterized.parameters(10, 23, 1000)
  def test_shares_are_even_and_little_is_easy(self, count):
    found = frontier.Frontier((1, 2), (3, 4, 5), (6,))
    shares = frontier.shares(found, count)
    self.assertEqual(sum(shares.values()), count)
    self.assertNotIn(6, shares)
    self.assertLessEqual(shares[1] + shares[2], frontier.EASY_SHARE * count)
    self.assertLessEqual(max(shares[d] for d in (3, 4, 5)) - min(shares[d] for d in (3, 4, 5)), 1)

  def test_a_round_without_mastered_depths_is_all_frontier(self):
    self.assertEqual(frontier.shares(frontier.Frontier((), (1, 2), ()), 5), {1: 2, 2: 3})


if __name__ == '__main__':
  absltest.main()
