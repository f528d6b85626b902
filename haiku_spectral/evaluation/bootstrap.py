"""Confidence intervals over documents, and over runs.

Bytes of one document depend on each other, documents hardly do: documents are what is drawn again.
Where runs with different seeds answer the same problems, both are drawn again (`of_runs`).
Sources: Efron, "Better bootstrap confidence intervals" (1987), BCa; Tukey (1958), the jackknife;
Wilson (1927), "Probable inference"; Owen, "The pigeonhole bootstrap" (2007), for runs and problems.
"""

import math
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95
# Fewer documents than this have too few different resamples (10 of 3): their intervals would be too
# narrow.
MIN_BOOTSTRAP = 10
_BATCH = 100  # Resamples that are held at a time.


class Estimate(NamedTuple):
  """A number and its 95 % interval; None where one document alone gives no interval."""

  value: float
  low: float | None
  high: float | None


Statistic = Callable[[np.ndarray], np.ndarray]  # [..., C] sums -> [...]


def estimate(
    table: np.ndarray,  # [N documents, C] float64 sums, one row per document.
    statistic: Statistic,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
  """The statistic of the table's total, with its interval over documents.

  With the statistic `a / b` this is a ratio of sums, not a mean of ratios: a long document weighs
  more than a short one. The interval is BCa from `MIN_BOOTSTRAP` documents on, below that
  Student's t with the standard error of the jackknife. O(resamples x N).
  """
  count = table.shape[0]
  value = float(statistic(table.sum(axis=0)))
  if count < 2:
    return Estimate(value, None, None)
  if count >= MIN_BOOTSTRAP:
    low, high = _bca(table, statistic, resamples, seed)
    if math.isfinite(low) and math.isfinite(high):  # Not so when all resamples are alike.
      return Estimate(value, low, high)
  without_one = statistic(table.sum(axis=0) - table)  # [N]
  return _student(value, float(without_one.std()) * math.sqrt(count - 1), count)


def of_runs(
    table: np.ndarray,  # [R runs, N problems, C] float64 sums.
    statistic: Statistic,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
  """The statistic of the table's total, with its interval over runs and over problems.

  Hierarchical: first runs are drawn again, then problems, which are the same for all runs that were
  drawn, since all runs answer the same ones. The interval is Student's t with R - 1 degrees of
  freedom: of a few runs a bootstrap alone would be too narrow, by the factor sqrt((R - 1) / R) and
  by the quantiles of the normal distribution. None where one run gives no interval.
  O(resamples x R x N).
  """
  runs, problems = table.shape[:2]
  value = float(statistic(table.sum(axis=(0, 1))))
  if runs < 2:
    return Estimate(value, None, None)
  rng = np.random.default_rng(seed)
  drawn = []
  for start in range(0, resamples, _BATCH):
    size = min(_BATCH, resamples - start)
    of_run = rng.multinomial(runs, np.full(runs, 1 / runs), size)  # [B, R] times each was drawn.
    of_problem = rng.multinomial(problems, np.full(problems, 1 / problems), size)  # [B, N]
    drawn.append(statistic(np.einsum('br,bn,rnc->bc', of_run, of_problem, table, optimize=True)))
  error = float(np.nanstd(np.concatenate(drawn)))
  return _student(value, error * math.sqrt(runs / (runs - 1)), runs)


def of_proportion(share: float, count: int) -> tuple[float, float]:
  """Wilson's interval of a share of `count` independent trials: never empty, also at 0 and 1."""
  z2 = 1.959964**2 / count
  middle = (share + z2 / 2) / (1 + z2)
  half = math.sqrt(z2 * (share * (1 - share) + z2 / 4)) / (1 + z2)
  return max(0.0, middle - half), min(1.0, middle + half)


def _bca(
    table: np.ndarray, statistic: Statistic, resamples: int, seed: int
) -> tuple[float, float]:
  """NaN where the distribution is degenerate."""
  from scipy import stats  # Here, because it takes as long to import as jax.

  def of_rows(rows: np.ndarray, axis: int) -> np.ndarray:  # [..., N] numbers of documents -> [...]
    del axis  # The last one.
    return statistic(table[rows].sum(axis=-2))

  with warnings.catch_warnings(), np.errstate(invalid='ignore', divide='ignore'):
    warnings.simplefilter('ignore', stats.DegenerateDataWarning)
    interval = stats.bootstrap(
        (np.arange(len(table)),), of_rows, n_resamples=resamples, batch=_BATCH, vectorized=True,
        confidence_level=CONFIDENCE, method='BCa', rng=np.random.default_rng(seed),
    ).confidence_interval
  return float(interval.low), float(interval.high)


def _student(value: float, error: float, count: int) -> Estimate:
  """Student's t interval of a value with a standard error from `count` observations."""
  from scipy import stats  # Here, because it takes as long to import as jax.

  reach = error * float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1))
  return Estimate(value, value - reach, value + reach)


def over_runs(values: np.ndarray) -> Estimate:  # [R]
  """The mean of what runs with different seeds reached, with Student's t interval."""
  value, count = float(values.mean()), len(values)
  if count < 2:
    return Estimate(value, None, None)
  return _student(value, float(values.std(ddof=1)) / math.sqrt(count), count)
