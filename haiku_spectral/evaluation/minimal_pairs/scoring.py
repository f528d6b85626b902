"""Which sentence of each pair is the likelier one, by phenomenon, beside what length alone decides.

A text costs bits per byte, so that the shorter sentence of a pair mostly wins, whatever the rule
is. Therefore a scorer's preference is counted four ways: by the sum over the sentence, which is the
usual one; per byte; on pairs of equal length, where both agree; and where the right one is longer
or shorter. `shorter` takes the shorter sentence and knows nothing else. A tie counts half.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from haiku_spectral.evaluation import bootstrap
from haiku_spectral.evaluation.bootstrap import Estimate
from haiku_spectral.evaluation.minimal_pairs.pair import Pair

Nats = Mapping[bytes, float]  # The negative log-likelihood of each sentence.
SHORTER = 'shorter'
WAYS = ('sum', 'per byte', 'equal length', 'right is shorter', 'right is longer')
AVERAGE = 'average'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
  """A phenomenon, or the mean over all."""

  phenomenon: str
  pairs: int  # Of two different sentences.
  identical: int  # Pairs of the same sentence twice, which are not counted.
  equal_length: int
  # Scorer -> way of counting -> share of the pairs, 0 .. 1; None where there are no such pairs.
  shares: Mapping[str, Mapping[str, Estimate | None]]


def evaluate(pairs: Sequence[Pair], scorers: Mapping[str, Nats]) -> list[Row]:
  """A row per phenomenon, in order, and last their mean.

  Intervals are over different pairs: one that comes several times is drawn as one. Pairs made from
  one another with other words depend on each other all the same, so that they are narrow.
  """
  groups: dict[str, list[Pair]] = {}
  for pair in pairs:
    groups.setdefault(pair.phenomenon, []).append(pair)
  rows = [_row(name, group, scorers) for name, group in groups.items()]
  return [*rows, _average(rows)]


def _row(name: str, group: list[Pair], scorers: Mapping[str, Nats]) -> Row:
  times: dict[Pair, int] = {}
  for pair in group:
    times[pair] = times.get(pair, 0) + 1
  distinct = [pair for pair in times if pair.good != pair.bad]
  weights = np.array([times[pair] for pair in distinct], np.float64)
  lengths = np.array([(len(pair.good), len(pair.bad)) for pair in distinct]).reshape(-1, 2)
  longer = lengths[:, 0] - lengths[:, 1]
  every = np.ones(len(distinct), bool)
  chosen = dict(zip(WAYS, (every, every, longer == 0, longer < 0, longer > 0), strict=True))

  def shares(cost: np.ndarray) -> dict[str, Estimate | None]:  # [N, 2]
    hits = {way: _hits(cost / lengths if way == 'per byte' else cost) for way in WAYS}
    return {way: _share(hits[way], weights, chosen[way]) for way in WAYS}

  found = {scorer: shares(np.array([(nats[pair.good], nats[pair.bad]) for pair in distinct])
                          .reshape(-1, 2)) for scorer, nats in scorers.items()}
  found[SHORTER] = {'sum': _share(_hits(lengths.astype(np.float64)), weights, every)}
  return Row(
      phenomenon=name, pairs=round(weights.sum()), identical=len(group) - round(weights.sum()),
      equal_length=round(weights[longer == 0].sum()), shares=found)


def _hits(cost: np.ndarray) -> np.ndarray:  # [N, 2] -> [N]
  """1 where the right sentence costs less, 0 where more, a half where the same."""
  return (np.sign(cost[:, 1] - cost[:, 0]) + 1) / 2


def _share(hits: np.ndarray, weights: np.ndarray, chosen: np.ndarray) -> Estimate | None:
  if not chosen.any():
    return None
  table = np.stack([hits * weights, weights], axis=1)[chosen]
  found = bootstrap.estimate(table, lambda sums: sums[..., 0] / sums[..., 1])
  return Estimate(found.value, *(
      None if end is None else min(max(end, 0.0), 1.0) for end in found[1:]))


def _average(rows: Sequence[Row]) -> Row:
  """The mean over phenomena, which weigh the same; their errors are independent."""
  shares = {
      scorer: {way: _mean([row.shares[scorer][way] for row in rows]) for way in ways}
      for scorer, ways in rows[0].shares.items()}
  return Row(phenomenon=AVERAGE, pairs=sum(row.pairs for row in rows),
             identical=sum(row.identical for row in rows),
             equal_length=sum(row.equal_length for row in rows), shares=shares)


def _mean(found: Sequence[Estimate | None]) -> Estimate | None:
  known = [each for each in found if each is not None]
  if not known:
    return None
  value = float(np.mean([each.value for each in known]))
  ends = [(each.low, each.high) for each in known]
  if any(low is None or high is None for low, high in ends):
    return Estimate(value, None, None)
  reach = math.hypot(*((high - low) / 2 for low, high in ends)) / len(known)  # type: ignore[operator]
  return Estimate(value, value - reach, value + reach)
