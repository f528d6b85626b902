"""Hashes of many slices of a text at once.

The hash of a slice is the polynomial of its bytes in an odd base modulo 2**64, so that it follows
from the sums up to its two ends: h(i, j) = (P[j] - P[i]) base**-i. Shapes: N bytes.
"""

import functools
from collections.abc import Sequence

import numpy as np

_BASE = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xD6E8FEB86659FD93)


def part_hashes(
    data: np.ndarray,  # [N] uint8
    starts: np.ndarray | slice,  # [M] int
    ends: np.ndarray | slice,  # [M] int
) -> np.ndarray:  # [M] uint64
  """The hashes of the slices data[starts[i]:ends[i]]: equal where their bytes are equal."""
  powers, inverses = _powers(1 << max(16, (len(data) - 1).bit_length()))
  sums = np.zeros(len(data) + 1, np.uint64)
  np.cumsum((data.astype(np.uint64) + np.uint64(1)) * powers[:len(data)], out=sums[1:])
  return _mix((sums[ends] - sums[starts]) * inverses[starts])


def combine(hashes: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:  # K of [M] -> [M] uint64
  """One hash of K hashes, which depends on their order. That of none is empty."""
  total = np.zeros(len(hashes[0]) if len(hashes) else 0, np.uint64)
  for weight, part in zip(_powers(1 << 16)[0][1:], hashes, strict=False):
    total += weight * part
  return _mix(total)


def _mix(hashes: np.ndarray) -> np.ndarray:  # [M] uint64 -> [M] uint64
  """Spreads what the high bits know over all bits; a permutation."""
  hashes = (hashes ^ (hashes >> np.uint64(32))) * _MIX
  return hashes ^ (hashes >> np.uint64(32))


@functools.lru_cache(maxsize=2)
def _powers(count: int) -> tuple[np.ndarray, np.ndarray]:
  """base**i and base**-i for i below count."""
  inverse = pow(_BASE, -1, 1 << 64)
  tables = []
  for factor in (_BASE, inverse):
    steps = np.full(count, factor, np.uint64)
    steps[0] = 1
    tables.append(np.cumprod(steps))
  return tables[0], tables[1]
