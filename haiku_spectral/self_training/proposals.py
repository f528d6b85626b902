"""Which problems are asked: a function of seeds alone, never of what was asked before."""

from collections.abc import Mapping

import numpy as np

from haiku_spectral.tasks.problem import Family, Problem

# What problems are drawn for: the second number of the seed of their draw.
LABELLED, HELDOUT, PROBE, ROUND = range(4)
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


def heldout(family: Family, count: int) -> list[Problem]:
  """The problems that models are measured by: `count` of each depth, the same for all runs."""
  return draw(family, dict.fromkeys(family.depths, count), seed=(0, HELDOUT), split='heldout')
