"""Sums over steps by dataset: how much was trained on, and how well it was predicted.

Shapes: S datasets. Sums are kept by the names of the datasets, as JSON can hold them.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from jax.typing import ArrayLike

from haiku_spectral.training import metrics

Number = TypeVar('Number', int, float)


class Accumulators(NamedTuple):
  """What is summed from row to row of the training metrics."""

  nats: Mapping[str, float] = {}  # Of the finite steps since the last row of metrics,
  targets: Mapping[str, int] = {}  # what was scored in them,
  total: Mapping[str, int] = {}  # and what was scored since the run began.


def add_step(
    sums: Accumulators,
    names: Sequence[str],
    nats: ArrayLike,  # [S]
    targets: ArrayLike,  # [S]
) -> Accumulators:
  """The sums with those of one more step; one whose loss is not finite counts in the total alone.
  """
  sums = sums._replace(total=add(sums.total, names, targets))
  if not np.all(np.isfinite(nats)):
    return sums
  return sums._replace(
      nats=add(sums.nats, names, nats), targets=add(sums.targets, names, targets))


def add(
    sums: Mapping[str, Number],
    names: Sequence[str],
    more: ArrayLike,  # [S]
) -> dict[str, Number]:
  """The sums with something more of each dataset."""
  return {name: sums.get(name, 0) + x
          for name, x in zip(names, np.asarray(more).tolist(), strict=True)}


def next_row(sums: Accumulators) -> Accumulators:
  """What is left of the sums when a row of metrics has been written."""
  return Accumulators(total=sums.total)


def mean(nats: Mapping[str, float], targets: Mapping[str, int]) -> float:
  """Nats per byte of all datasets together; nan when nothing was scored."""
  return metrics.mean(sum(nats.values()), sum(targets.values()))


def losses(
    names: Sequence[str], nats: Mapping[str, float], targets: Mapping[str, int]
) -> dict[str, float]:
  """Nats per byte of each dataset, for a row of metrics."""
  return {f'loss/{name}': metrics.mean(nats.get(name, 0.0), targets.get(name, 0))
          for name in names}


def describe(names: Sequence[str], nats: Mapping[str, float], targets: Mapping[str, int]) -> str:
  """The same for people; nothing when there is only one dataset."""
  scored = [name for name in names if targets.get(name)]
  if len(scored) < 2:
    return ''
  return ' (' + ', '.join(f'{name} {nats[name] / targets[name]:.4f}' for name in scored) + ')'
