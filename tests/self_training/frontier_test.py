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

  def test_the_frontier_is_the_deepest_depth_below_which_all_are_open(self):
    rights = {1: [8] * 20, 2: [8] * 15 + [0] * 5, 3: [1, *[0] * 19], 4: [0] * 20, 5: [8] * 20}
    self.assertEqual(frontier.find(rights), frontier.Frontier(3, (1,)))
    self.assertEqual(frontier.find({1: [0] * 20, 2: [8] * 20}), frontier.Frontier(0, ()))
    self.assertEqual(frontier.find({1: [8], 2: [8]}), frontier.Frontier(2, (1, 2)))

  def test_a_depth_is_open_from_a_twentieth_of_its_problems_on(self):
    self.assertTrue(frontier.is_open(8, [1, *[0] * 19]))
    self.assertFalse(frontier.is_open(8, [1, *[0] * 20]))

  @parameterized.parameters(10, 23, 1000)
  def test_a_round_asks_what_is_not_mastered_and_one_beyond(self, count):
    shares = frontier.shares(frontier.Frontier(6, (1, 4)), count, labelled=3, deepest=9)
    self.assertEqual(sum(shares.values()), count)
    self.assertEqual(list(shares), [4, 5, 6, 7])
    self.assertEqual(shares[4], int(frontier.EASY_SHARE * count))
    self.assertEqual(shares[7], int(frontier.AHEAD_SHARE * count))
    self.assertBetween(shares[6] - shares[5], 0, 1)

  def test_where_all_is_mastered_it_asks_at_the_frontier_and_beyond(self):
    found = frontier.Frontier(5, (1, 2, 3, 4, 5))
    self.assertEqual(frontier.shares(found, 10, labelled=3, deepest=9), {4: 2, 5: 4, 6: 4})

  @parameterized.parameters(
      (2, 3, 9, {2: 5, 3: 5}), (3, 3, 9, {3: 5, 4: 5}), (4, 3, 9, {4: 8, 5: 2}),
      (9, 3, 9, {4: 1, 5: 1, 6: 2, 7: 2, 8: 2, 9: 2}), (2, 3, 3, {1: 4, 2: 4, 3: 2}),
      (6, 6, 6, {1: 1, 2: 1, 3: 2, 4: 2, 5: 2, 6: 2}))
  def test_neither_labelled_depths_unless_all_are_nor_what_does_not_exist(
      self, depth, labelled, deepest, want):
    found = frontier.Frontier(depth, ())
    self.assertEqual(frontier.shares(found, 10, labelled=labelled, deepest=deepest), want)


if __name__ == '__main__':
  absltest.main()
