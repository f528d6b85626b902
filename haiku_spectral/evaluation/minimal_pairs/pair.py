"""What a minimal pair is."""

from typing import NamedTuple


class Pair(NamedTuple):
  """Two sentences that differ in one rule of the grammar."""

  phenomenon: str
  good: bytes
  bad: bytes
