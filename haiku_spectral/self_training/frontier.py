"""Which depths a round asks: as deep as the model can reach by luck, and one deeper.

A depth is open while the model solves some of its problems within eight attempts. The frontier is
the deepest open depth below which all are open. A depth is mastered when nearly every attempt is
right. A round asks most of all what is open and not mastered, for there it finds both right answers
and wrong ones; a little one depth beyond the frontier, so that what is solved there by luck opens
it; and a little of what is mastered, so that it is not lost. What lies further off would teach
nothing, because nothing right would ever be found.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

ATTEMPTS = 8
OPEN = 0.05  # pass@8 from which a depth is open.
MASTERED = 0.95  # pass@1.
EASY_SHARE = 0.2  # Of a round, at most: what is mastered.
AHEAD_SHARE = 0.2  # Of a round: the depth beyond the frontier.


class Frontier(NamedTuple):
  """What a probe showed."""

  depth: int  # The deepest that is open, as all before it; 0 if there is none.
  mastered: tuple[int, ...]  # Of those that are open.


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


def is_open(attempts: int, rights: Sequence[int]) -> bool:
  """Whether a depth is, by the right ones among the attempts at each of its problems."""
  return mean_pass_at(ATTEMPTS, attempts, rights) >= OPEN


def first_asked(labelled: int, deepest: int) -> int:
  """The first depth that rounds ask: without labels, or 1 where all depths have them."""
  return labelled + 1 if labelled < deepest else 1


def find(rights: Mapping[int, Sequence[int]], attempts: int = ATTEMPTS) -> Frontier:
  """By depth, from 1 on: the right ones among the attempts at each probed problem."""
  reached: list[int] = []
  for depth in sorted(rights):
    if not is_open(attempts, rights[depth]):
      break
    reached.append(depth)
  mastered = tuple(depth for depth in reached
                   if mean_pass_at(1, attempts, rights[depth]) >= MASTERED)
  return Frontier(reached[-1] if reached else 0, mastered)


def shares(found: Frontier, count: int, *, labelled: int, deepest: int) -> dict[int, int]:
  """How many of `count` problems a round asks at each depth.

  Of the open depths from `first_asked` on, the mastered ones get EASY_SHARE together, the depth
  beyond the frontier gets AHEAD_SHARE, and the others share the rest. Where there are no others,
  the frontier and the depth beyond it share the rest evenly.
  """
  asked = range(first_asked(labelled, deepest), found.depth + 1)
  learning = [depth for depth in asked if depth not in found.mastered]
  ahead = [found.depth + 1] if found.depth < deepest else []
  beyond = int(count * AHEAD_SHARE) if ahead else 0
  if not learning:
    learning, ahead, beyond = [found.depth, *ahead], [], 0
  mastered = [depth for depth in asked if depth not in learning]
  easy = int(count * EASY_SHARE) if mastered else 0
  return {**_evenly(easy, mastered), **_evenly(count - easy - beyond, learning),
          **_evenly(beyond, ahead)}


def _evenly(count: int, depths: Sequence[int]) -> dict[int, int]:
  """The deeper ones get what does not divide."""
  each, rest = divmod(count, len(depths) or 1)
  return {depth: each + (len(depths) - place <= rest) for place, depth in enumerate(depths)}
