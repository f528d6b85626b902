"""What was read of each dataset, and how well it was predicted: sums by name, as in JSON."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from jax.typing import ArrayLike

from haiku_spectral.training import metrics

Number = TypeVar('Number', int, float)


def added(
    sums: Mapping[str, Number],
    names: Sequence[str],
    more: ArrayLike,  # [S]
) -> dict[str, Number]:
  """The sums with something more of each dataset."""
  return {name: sums.get(name, 0) + x
          for name, x in zip(names, np.asarray(more).tolist(), strict=True)}


def mean(nats: Mapping[str, float], targets: Mapping[str, int]) -> float:
  """Nats per byte of all datasets together; nan when nothing was scored."""
  return metrics.mean(sum(nats.values()), sum(targets.values()))


def losses(
    names: Sequence[str], nats: Mapping[str, float], targets: Mapping[str, int]
) -> dict[str, float]:
  """Nats per byte of each dataset, for a row of metrics."""
  return {f'loss/{name}': metrics.mean(nats.get(name, 0.0), targets.get(name, 0))
          for name in names}


def told(names: Sequence[str], nats: Mapping[str, float], targets: Mapping[str, int]) -> str:
  """The same for people; nothing when there is only one dataset."""
  scored = [name for name in names if targets.get(name)]
  if len(scored) < 2:
    return ''
  return ' (' + ', '.join(f'{name} {nats[name] / targets[name]:.4f}' for name in scored) + ')'
