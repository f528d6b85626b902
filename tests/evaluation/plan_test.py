"""Every counted position is scored once, with 3/4 of the training length or more before it."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
from absl.testing import absltest

from haiku_spectral.evaluation import plan as plan_lib
from tests.evaluation import toy_models
from tests.fixed_examples import fixed_examples

T = 32


class PlanTest(absltest.TestCase):

  @hypothesis.given(length=st.integers(0, 2000), power=st.integers(0, 6))
  @fixed_examples()
  def test_plan_scores_each_counted_position_in_one_window(self, length, power):
    plan = plan_lib.Plan(T, 2**power)
    half, end = T // 2, plan.end(length)
    context = 3 * T // 4
    scored = [p for start, stop in plan.windows(length) for p in range(start + context, stop)]
    self.assertEqual(scored, list(range(T, end)))
    self.assertLessEqual(end, min(length, plan.limit))
    counted = plan.factor_index(np.arange(half, end))
    self.assertEqual(sorted(set(counted)), list(range(plan.factors(length))))
    self.assertTrue(all(
        2 * (counted == i).sum() >= half * 2**i for i in range(plan.factors(length))))

  def test_factors_written_out(self):
    plan = plan_lib.Plan(T, 8)
    cases = (0, 0), (23, 0), (24, 1), (47, 1), (48, 2), (95, 2), (96, 3), (9999, 4)
    for length, factors in cases:
      self.assertEqual(plan.factors(length), factors)


class LongestTest(absltest.TestCase):

  @hypothesis.given(
      lengths=st.lists(st.integers(0, 30), max_size=20), count=st.integers(1, 8),
      limit=st.integers(1, 40))
  @fixed_examples()
  def test_is_sorting_by_length_as_far_as_it_is_read(self, lengths, count, limit):
    documents = toy_models.documents(lengths)
    want = sorted(documents, key=lambda document: -min(len(document[1]), limit))[:count]
    got = plan_lib.longest(iter(documents), count=count, limit=limit)
    self.assertEqual(got, [(name, data[:limit]) for name, data in want])

  def test_count_is_checked(self):
    with self.assertRaisesRegex(ValueError, 'max_documents=0 is not allowed: give 1 or more'):
      plan_lib.longest([], count=0, limit=1)


if __name__ == '__main__':
  absltest.main()
