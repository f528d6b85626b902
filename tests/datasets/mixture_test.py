"""Mixing: exact shares, every window once an epoch, and any position at once."""

import collections

import hypothesis
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from datasets import mixture
from tests.fixed_examples import fixed_examples


class MixtureTest(parameterized.TestCase):

  @parameterized.parameters(((8, 2), (30, 3)), ((0.7, 0.2, 0.1), (3, 900, 40)), ((5,), (7,)))
  def test_shares_are_exact(self, weights, counts):
    order = mixture.mix(counts, weights, seed=(1,))
    taken = collections.Counter(order[i][0] for i in range(2000))
    for source, weight in enumerate(weights):
      self.assertAlmostEqual(taken[source] / 2000, weight / sum(weights), delta=0.002)

  @parameterized.parameters(40, mixture.SMALL - 1, mixture.SMALL)
  def test_every_window_once_an_epoch_each_in_another_order(self, count):
    order = mixture.mix((count,), (1.0,), seed=(1,))
    epochs = [[order[i][1] for i in range(k * count, (k + 1) * count)] for k in (0, 1, 10**9)]
    for epoch in epochs:
      self.assertTrue(sorted(epoch) == list(range(count)))
      self.assertFalse(epoch == sorted(epoch))
    self.assertLen({tuple(epoch) for epoch in epochs}, 3)

  def test_epochs_of_a_source_do_not_depend_on_the_others(self):
    order = mixture.mix((10, 1000), (0.3, 0.7), seed=(1,))
    windows = [window for source, window in (order[i] for i in range(200)) if source == 0]
    for start in range(0, 60, 10):
      self.assertCountEqual(windows[start:start + 10], range(10))

  def test_sources_and_seeds_are_shuffled_differently(self):
    order = mixture.mix((500, 500), (0.5, 0.5), seed=(1,))
    pairs = [order[i] for i in range(200)]
    first, second = ([w for source, w in pairs if source == s] for s in (0, 1))
    self.assertNotEqual(first, second)
    other = mixture.mix((500, 500), (0.5, 0.5), seed=(2,))
    self.assertNotEqual(pairs, [other[i] for i in range(200)])

  @parameterized.parameters((1000, [150, 624, 578, 535]), (10_000, [2612, 1479, 3128, 1203]))
  def test_golden_order(self, count, expected):
    # A run that is resumed must read what it would have read: `[order[i][1] for i in range(4)]`.
    order = mixture.mix((count,), (1.0,), seed=(0, 0))
    self.assertEqual([order[i][1] for i in range(4)], expected)

  def test_far_positions_cost_no_more(self):
    order = mixture.mix((10**9, 7), (1.0, 1.0), seed=(0,))
    self.assertEqual({order[10**15 + i][0] for i in range(2)}, {0, 1})

  @fixed_examples()
  @hypothesis.given(
      st.lists(st.tuples(st.integers(1, 300), st.floats(0.01, 10)), min_size=1, max_size=12),
      st.one_of(st.none(), st.integers(1, 200)))
  def test_spread_measures_every_source_and_takes_no_window_twice(self, sources, total):
    counts, weights = zip(*sources, strict=True)
    if total is not None and total < len(counts):
      with self.assertRaisesRegex(ValueError, f'{total} windows cannot measure {len(counts)} so'):
        mixture.spread(counts, weights, total)
      return
    chosen = mixture.spread(counts, weights, total)
    self.assertLen(set(chosen), len(chosen))
    self.assertEqual({source for source, _ in chosen}, set(range(len(counts))))
    for source, window in chosen:
      self.assertBetween(window, 0, counts[source] - 1)
    if total is None:
      self.assertLen(chosen, sum(counts))
    else:
      self.assertLessEqual(len(chosen), total)

  @fixed_examples()
  @hypothesis.given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=40), st.integers(0, 500))
  def test_seats_are_those_asked_for_one_for_each_and_near_the_shares(self, weights, more):
    total = len(weights) + more
    seats = np.array(mixture.apportion(weights, total))
    self.assertEqual(seats.sum(), total)
    self.assertGreaterEqual(seats.min(), 1)
    larger = seats > 1  # What these have follows their weights, whatever the others were given.
    if larger.any():
      quotas = np.array(weights) / np.array(weights)[larger].sum() * seats[larger].sum()
      self.assertTrue((abs(seats - quotas)[larger] < 1 + 1e-9).all())
    order = np.argsort(weights)
    grows = np.diff(np.log(np.array(weights)[order])) > 1e-9  # Equal ones may differ by a seat.
    self.assertTrue((np.diff(seats[order])[grows] >= 0).all())

  @parameterized.parameters(
      ((1.0,) * 10, 10, [1] * 10), ((1.0,) * 10, 14, [2] * 4 + [1] * 6),
      ((3, 3, 3, 3), 10, [3, 3, 2, 2]), ((0.96, 0.01, 0.01, 0.01, 0.01), 8, [4, 1, 1, 1, 1]),
      ((0.5, 0.3, 0.2), 10, [5, 3, 2]), ((41, 29, 17, 13), 20, [8, 6, 3, 3]))
  def test_seats_by_largest_remainder(self, weights, total, expected):
    self.assertEqual(mixture.apportion(weights, total), expected)

  def test_spread_reaches_all_of_a_source_and_keeps_the_shares(self):
    chosen = mixture.spread((1000, 1000), (3, 1), 40)
    self.assertEqual(collections.Counter(source for source, _ in chosen), {0: 30, 1: 10})
    windows = [window for source, window in chosen if source == 1]
    self.assertEqual(windows, list(range(50, 1000, 100)))

  def test_spread_gives_what_a_small_source_has(self):
    self.assertLen(mixture.spread((3,), (1,), 100), 3)


if __name__ == '__main__':
  absltest.main()
