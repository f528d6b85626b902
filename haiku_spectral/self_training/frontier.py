"""Which depths a round works on: as deep as the model can already reach by luck, and no deeper.

A depth is open while the model solves some of its problems within eight attempts; beyond the first
depth that is closed nothing would be learned, because nothing right would ever be found. A depth is
mastered when nearly every attempt is right.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

ATTEMPTS = 8
OPEN = 0.05  # pass@8 from which a depth is open.
MASTERED = 0.95  # pass@1.
EASY_SHARE = 0.2  # Of a round, at most: what is below the frontier.


class Frontier(NamedTuple):
  """What a probe showed."""

  mastered: tuple[int, ...]
  open: tuple[int, ...]  # Not mastered.
  closed: tuple[int, ...]

  @property
  def signal(self) -> bool:
    """Whether there is something to learn from."""
    return bool(self.open)


def pass_at(k: int, attempts: int, right: int) -> float:
  """The chance that one of k attempts is right, where `right` of `attempts` were.

  Unbiased: 1 - C(n - c, k) / C(n, k) (Chen et al., "Evaluating large language models trained on
  code", 2021, equation 1).
  """
  if not 1 <= k <= attempts or not 0 <= right <= attempts:
    raise ValueError(f'pass@{k} of {right} right in {attempts} attempts is not defined.')
  return 1.0 - math.comb(attempts - right, k) / math.comb(attempts, k)


def mean_pass_at(k: int, attempts: int, rights: Sequence[int]) -> float:
  """The mean over problems of so many right attempts each."""
  return math.fsum(pass_at(k, attempts, right) for right in rights) / len(rights)


def find(rights: Mapping[int, Sequence[int]]) -> Frontier:
  """From the right attempts, of ATTEMPTS, at each probed problem of each depth."""
  mastered: list[int] = []
  reachable: list[int] = []
  closed: list[int] = []
  for depth in sorted(rights):
    if closed or mean_pass_at(ATTEMPTS, ATTEMPTS, rights[depth]) < OPEN:
      closed.append(depth)
    elif mean_pass_at(1, ATTEMPTS, rights[depth]) >= MASTERED:
      mastered.append(depth)
    else:
      reachable.append(depth)
  return Frontier(tuple(mastered), tuple(reachable), tuple(closed))


def shares(frontier: Frontier, count: int) -> dict[int, int]:
  """How many of `count` problems each depth gets: evenly, the mastered ones EASY_SHARE together."""
  easy = int(count * EASY_SHARE) if frontier.mastered and frontier.open else 0
  return _evenly(easy, frontier.mastered) | _evenly(count - easy, frontier.open)


def _evenly(count: int, depths: Sequence[int]) -> dict[int, int]:
  """The deeper ones get what does not divide."""
  each, rest = divmod(count, len(depths) or 1)
  return {depth: each + (len(depths) - place <= rest) for place, depth in enumerate(depths)}
