"""The acceptance filter: which right samples become training data.

Accepted is what is right under both hash seeds and is not yet known, however it is spelled; at most
two programs for a prompt in all rounds together (more would be the same behaviour again); and at
most a fifth of a round from mastered depths; never anything of a held-out prompt. What is right and
filtered keeps a name of why.
"""

import collections
from collections.abc import Collection, Sequence
from typing import NamedTuple

from haiku_spectral.self_training import frontier
from haiku_spectral.tasks.problem import Family, Problem
from haiku_spectral.tasks.verified_sample import ACCEPTED

SEEN, ENOUGH, EASY, HELDOUT = 'seen', 'enough', 'easy', 'held_out'
PROGRAMS = 2  # For one prompt.


class Candidate(NamedTuple):
  """A sample with the verdict of the sandbox."""

  problem: Problem
  completion: str
  verdict: str


def choose(
    candidates: Sequence[Candidate], *, family: Family, easy: Collection[int],
    seen: Collection[tuple[str, str]], heldout: Collection[str],
) -> list[str]:
  """The last verdict on each candidate, in their order.

  `easy` are the depths that are mastered; `seen` are prompts with completions that are training
  data already, labelled or accepted in an earlier round; `heldout` are the prompts that the model
  is measured by.
  """
  known = {(prompt, family.canonical(completion)) for prompt, completion in seen}
  programs = collections.Counter(prompt for prompt, _ in known)
  verdicts = []
  for candidate in candidates:
    verdict, prompt = candidate.verdict, candidate.problem.prompt
    if verdict == ACCEPTED:
      program = prompt, family.canonical(candidate.completion)
      if family.split(candidate.problem.key) != 'train' or prompt in heldout:
        verdict = HELDOUT
      elif program in known:
        verdict = SEEN
      elif programs[prompt] >= PROGRAMS:
        verdict = ENOUGH
      else:
        known.add(program)
        programs[prompt] += 1
    verdicts.append(verdict)
  return _thin(candidates, verdicts, easy)


def _thin(
    candidates: Sequence[Candidate], verdicts: list[str], easy: Collection[int]
) -> list[str]:
  """Keeps so few of the mastered depths that they are EASY_SHARE of what is accepted."""
  hard = sum(verdict == ACCEPTED and candidate.problem.depth not in easy
             for candidate, verdict in zip(candidates, verdicts, strict=True))
  allowed = int(hard * frontier.EASY_SHARE / (1 - frontier.EASY_SHARE))
  thinned = []
  for candidate, verdict in zip(candidates, verdicts, strict=True):
    if verdict == ACCEPTED and candidate.problem.depth in easy:
      allowed -= 1
      verdict = verdict if allowed >= 0 else EASY
    thinned.append(verdict)
  return thinned
