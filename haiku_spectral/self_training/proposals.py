"""Which problems are asked: a function of seeds alone, never of what was asked before."""

import collections
from collections.abc import Iterable, Mapping

import numpy as np

from haiku_spectral.tasks.problem import Family, Problem

# What problems are drawn for: the second number of the seed of their draw.
LABELLED, HELDOUT, PROBE, ROUND, GATE = range(5)
_TRIES = 50  # For each problem: small depths may not have as many as were asked for.


def draw(
    family: Family, counts: Mapping[int, int], *, seed: tuple[int, ...], split: str
) -> list[Problem]:
  """As many problems of each depth as `counts` says, by depth, no prompt twice.

  Fewer where the family has no more.
  """
  problems: list[Problem] = []
  for depth, count in sorted(counts.items()):
    generator = np.random.default_rng([*seed, depth])
    found: dict[str, Problem] = {}
    for _ in range(_TRIES * count):
      if len(found) == count:
        break
      problem = family.propose(generator, depth, split)
      found.setdefault(problem.prompt, problem)
    problems.extend(found.values())
  return problems


def heldout(family: Family, depths: Iterable[int], count: int) -> list[Problem]:
  """The problems that models are measured by: `count` of each depth, the same for all runs."""
  return draw(family, dict.fromkeys(depths, count), seed=(0, HELDOUT), split='heldout')


def first(problems: Iterable[Problem], count: int) -> list[Problem]:
  """The first `count` of each depth."""
  met: collections.Counter[int] = collections.Counter()
  chosen = []
  for problem in problems:
    met[problem.depth] += 1
    if met[problem.depth] <= count:
      chosen.append(problem)
  return chosen


def gate(family: Family, depths: Iterable[int], count: int) -> list[Problem]:
  """The problems that decide whether a round has made a model worse: on a split of their own."""
  return draw(family, dict.fromkeys(depths, count), seed=(0, GATE), split='gate')
