"""Confidence intervals by resampling documents.

Bytes of one document depend on each other, documents hardly do: documents are what is drawn again.
Source: Efron, "Bootstrap methods: another look at the jackknife" (1979), percentile intervals.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95


class Estimate(NamedTuple):
  """A number and its 95 % interval; None where one document alone gives no interval."""

  value: float
  low: float | None
  high: float | None


def estimate(
    table: np.ndarray,  # [N documents, C] float64 sums, one row a document.
    statistic: Callable[[np.ndarray], np.ndarray],  # [..., C] sums -> [...]
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
  """The statistic of the table's total, with the interval of totals over documents drawn again.

  With the statistic `a / b` this is a ratio of sums, not a mean of ratios: a long document weighs
  more than a short one. O(resamples x N).
  """
  count = table.shape[0]
  value = float(statistic(table.sum(axis=0)))
  if count < 2:
    return Estimate(value, None, None)
  generator = np.random.default_rng(seed)
  draws = generator.multinomial(count, np.full(count, 1 / count), size=resamples)
  values = statistic(draws @ table)
  tail = 100 * (1 - CONFIDENCE) / 2
  low, high = np.percentile(values, [tail, 100 - tail])
  return Estimate(value, float(low), float(high))
