"""The golden rule: which right samples become training data.

Accepted is what is right under both hash seeds and is not yet known, at most two programs for a
prompt (more would be the same behaviour again) and at most a fifth of a round from below the
frontier; never anything of a held-out prompt. What is right and left out keeps a name of why.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from haiku_spectral.self_training import frontier
from haiku_spectral.tasks import golden_record
from haiku_spectral.tasks.problem import Family, Problem

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

  `easy` are the depths below the frontier; `seen` are prompts with completions that were accepted
  before; `heldout` are the prompts that the model is measured by.
  """
  verdicts, known = [], set(seen)
  programs: dict[str, int] = {}
  for candidate in candidates:
    verdict = candidate.verdict
    if verdict == golden_record.ACCEPTED:
      verdict = _rule(candidate, family, known, programs, heldout)
    if verdict == golden_record.ACCEPTED:
      known.add((candidate.problem.prompt, candidate.completion))
      programs[candidate.problem.prompt] = programs.get(candidate.problem.prompt, 0) + 1
    verdicts.append(verdict)
  return _thin(candidates, verdicts, easy)


def _rule(
    candidate: Candidate, family: Family, known: Collection[tuple[str, str]],
    programs: dict[str, int], heldout: Collection[str],
) -> str:
  prompt = candidate.problem.prompt
  if family.split(candidate.problem.key) != 'train' or prompt in heldout:
    return HELDOUT
  if (prompt, candidate.completion) in known:
    return SEEN
  return ENOUGH if programs.get(prompt, 0) >= PROGRAMS else golden_record.ACCEPTED


def _thin(
    candidates: Sequence[Candidate], verdicts: list[str], easy: Collection[int]
) -> list[str]:
  """Keeps so few from below the frontier that they are EASY_SHARE of what is accepted."""
  depths = [candidate.problem.depth for candidate, verdict in zip(
      candidates, verdicts, strict=True) if verdict == golden_record.ACCEPTED]
  hard = sum(depth not in easy for depth in depths)
  left = int(hard * frontier.EASY_SHARE / (1 - frontier.EASY_SHARE))
  thinned = []
  for candidate, verdict in zip(candidates, verdicts, strict=True):
    if verdict == golden_record.ACCEPTED and candidate.problem.depth in easy:
      left -= 1
      verdict = verdict if left >= 0 else EASY
    thinned.append(verdict)
  return thinned
