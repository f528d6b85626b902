"""Intervals over documents: right for ratios of sums, and of the right width."""

import numpy as np
import scipy.stats
from absl.testing import absltest

from haiku_spectral.evaluation import bootstrap


def ratio(sums):
  return sums[..., 1] / sums[..., 0]


def share(sums):
  return sums[..., 0] / sums[..., 1]


class BootstrapTest(absltest.TestCase):

  def test_value_is_a_ratio_of_sums(self):
    table = np.array([[100.0, 200.0], [1.0, 10.0]])
    self.assertAlmostEqual(bootstrap.estimate(table, ratio).value, 210 / 101)

  def test_documents_that_agree_leave_no_doubt(self):
    sizes = np.arange(1.0, 20.0)
    estimate = bootstrap.estimate(np.stack([sizes, 3 * sizes], axis=1), ratio)
    np.testing.assert_allclose(estimate, 3)

  def test_one_document_has_no_interval(self):
    estimate = bootstrap.estimate(np.array([[2.0, 3.0]]), ratio)
    self.assertEqual(estimate, (1.5, None, None))

  def test_many_documents_have_the_bca_interval_of_scipy(self):
    values = np.random.default_rng(3).exponential(size=30)
    got = bootstrap.estimate(np.stack([np.ones(30), values], axis=1), ratio)
    want = scipy.stats.bootstrap(
        (values,), np.mean, method='BCa', n_resamples=20_000, rng=np.random.default_rng(4),
    ).confidence_interval
    np.testing.assert_allclose(got[1:], want, rtol=0.03)
    # Of a skewed sample the interval of percentiles ends too low.
    percentile = scipy.stats.bootstrap(
        (values,), np.mean, method='percentile', n_resamples=20_000, rng=np.random.default_rng(4),
    ).confidence_interval
    self.assertGreater(got.high, percentile.high + 0.02)

  def test_few_documents_have_the_t_interval(self):
    values = np.array([1.0, 2.0, 4.0, 3.5])
    got = bootstrap.estimate(np.stack([np.ones(4), values], axis=1), ratio)
    want = scipy.stats.ttest_1samp(values, 0).confidence_interval(bootstrap.CONFIDENCE)
    np.testing.assert_allclose(got[1:], want)

  def test_documents_that_are_exactly_alike_leave_no_doubt(self):
    for count in (3, 20):
      self.assertEqual(bootstrap.estimate(np.full((count, 2), 2.0), ratio), (1.0, 1.0, 1.0))

  def test_interval_over_runs(self):
    values = np.array([1.0, 1.5, 1.2])
    want = scipy.stats.ttest_1samp(values, 0).confidence_interval(bootstrap.CONFIDENCE)
    got = bootstrap.over_runs(values)
    np.testing.assert_allclose(got, (values.mean(), *want))
    self.assertEqual(bootstrap.over_runs(values[:1]), (1.0, None, None))

  def test_runs_and_problems_together_cover_the_truth(self):
    generator = np.random.default_rng(5)
    covered, without_runs = [], []
    for _ in range(300):
      runs, problems = generator.normal(0.2, 0.05, (5, 1)), generator.normal(0, 0.5, 40)
      gains = runs + problems + generator.normal(0, 0.2, (5, 40))
      table = np.stack([gains, np.ones_like(gains)], axis=2)
      found = bootstrap.of_runs(table, share, resamples=200)
      covered.append(found.low <= 0.2 <= found.high)
      alone = bootstrap.over_runs(gains.mean(axis=1))
      without_runs.append(alone.low <= 0.2 <= alone.high)
    self.assertBetween(np.mean(covered), 0.93, 1.0)
    # The problems that all runs have in common are a chance that runs alone do not show.
    self.assertLess(np.mean(without_runs), 0.8)

  def test_of_runs_that_differ_in_seeds_alone_the_interval_is_that_over_runs(self):
    gains = np.repeat([[0.27], [0.19], [0.20]], 30, axis=1)
    found = bootstrap.of_runs(np.stack([gains, np.ones_like(gains)], axis=2), share)
    want = bootstrap.over_runs(gains[:, 0])
    np.testing.assert_allclose(found, want, atol=0.01)
    np.testing.assert_allclose(want[1:], (0.11, 0.33), atol=0.01)

  def test_one_run_has_no_interval(self):
    self.assertEqual(bootstrap.of_runs(np.ones((1, 9, 2)), share), (1.0, None, None))

  def test_the_same_table_gives_the_same_interval(self):
    table = np.random.default_rng(0).uniform(1, 2, (9, 2))
    self.assertEqual(bootstrap.estimate(table, ratio), bootstrap.estimate(table, ratio))

  def test_covers_the_truth_about_as_often_as_it_says(self):
    generator = np.random.default_rng(1)
    covered = []
    for _ in range(300):
      rates = generator.normal(2, 0.5, 40)
      sizes = generator.uniform(50, 150, 40)
      estimate = bootstrap.estimate(
          np.stack([sizes, rates * sizes], axis=1), ratio, resamples=400)
      covered.append(estimate.low <= 2 <= estimate.high)
    self.assertBetween(np.mean(covered), 0.90, 0.98)

  def test_pairing_narrows_the_interval_of_a_difference(self):
    generator = np.random.default_rng(2)
    cut = generator.normal(2, 0.5, 30)
    table = np.stack([np.ones(30), cut - 0.01, cut], axis=1)
    gain = bootstrap.estimate(table, lambda sums: (sums[..., 2] - sums[..., 1]) / sums[..., 0])
    np.testing.assert_allclose(gain, 0.01, rtol=1e-6)


if __name__ == '__main__':
  absltest.main()
