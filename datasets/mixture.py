"""Which window comes when: weighted, shuffled, without end, and a pure function of the position."""

import functools
import sys
from collections.abc import Sequence

import grain
import numpy as np

# Below this many windows an epoch's order is made at once and kept. Grain's index shuffle, which
# needs no memory, takes 10 us from 65536 windows up but 0.04 s / n below (measured).
SMALL = 4096


def mix(
    counts: Sequence[int],  # Windows of each source.
    weights: Sequence[float],  # Shares of the windows, and so of the bytes; any scale.
    *,
    seed: Sequence[int],
) -> grain.MapDataset:
  """A dataset of (source, window), any position of which is found in constant time and memory.

  Every source gives each of its windows once, in a random order, before it starts over in another
  order. Among the first n windows each source has its share of n, give or take a few.
  """
  sources = []
  for source, count in enumerate(counts):
    source_seed = int(np.random.SeedSequence([*seed, source]).generate_state(1)[0])
    sources.append(_shuffled(count, source_seed).map(
        lambda window, source=source: (source, window)))
  return grain.MapDataset.mix(sources, weights)


def _shuffled(count: int, seed: int) -> grain.MapDataset:
  """All windows of a source without end, in another order in each epoch."""
  if count >= SMALL:
    return grain.MapDataset.range(count).seed(seed).shuffle().repeat()

  @functools.lru_cache(maxsize=2)
  def order(epoch: int) -> np.ndarray:
    keys = np.random.Philox(key=(seed, epoch)).random_raw(count)
    return np.argsort(keys, kind='stable')

  return grain.MapDataset.range(sys.maxsize).map(
      lambda position: int(order(position // count)[position % count]))


def spread(
    counts: Sequence[int], weights: Sequence[float], total: int | None
) -> list[tuple[int, int]]:
  """A fixed choice of at most `total` windows (None: all), evenly spread over every source.

  Sources share `total` by weight, at least one window each; one with fewer windows than its share
  gives all that it has. Raises ValueError for more sources than windows.
  """
  shares = counts if total is None else apportion(weights, total)
  chosen = []
  for source, (count, share) in enumerate(zip(counts, shares, strict=True)):
    wanted = min(count, share)
    chosen += [(source, (2 * i + 1) * count // (2 * wanted)) for i in range(wanted)]
  return chosen


def apportion(weights: Sequence[float], total: int) -> list[int]:
  """`total` seats by weight: at least one each, the others by largest remainder."""
  if total < len(weights):
    raise ValueError(
        f'{total} windows cannot measure {len(weights)} sources: evaluate on at least one window '
        'per source (config.train.eval_batches x config.data.batch_size), or mix fewer sources.')
  quotas = np.array(weights, np.float64) * total / np.sum(weights)
  single = np.zeros(len(weights), bool)  # Sources whose share is less than one seat get one.
  while (small := ~single & (quotas < 1)).any():
    single |= small
    others = np.where(single, 0, weights)
    quotas = np.where(single, 1, others * (total - single.sum()) / max(others.sum(), 1e-300))
  seats = np.floor(quotas).astype(int)
  remainders = np.where(single, -1, quotas - seats)
  seats[np.argsort(-remainders, kind='stable')[:total - seats.sum()]] += 1
  return seats.tolist()
