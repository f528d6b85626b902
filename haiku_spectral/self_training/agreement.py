"""Accepting answers without a verifier: by agreement of the samples, and by their length.

Of the samples for a prompt, the answer that most of them give is accepted, however it is spelled,
if they are AGREE of all and it is not much shorter than the longest such answer of its depth: a
model that fails at a greater depth than it knows leaves steps out. After Lee et al.,
"Self-improving transformers overcome easy-to-hard and length generalization challenges" (2025,
arXiv 2502.01612), whose votes are those of several models; here they are of one model's samples.
"""

import collections
import math
from collections.abc import Mapping, Sequence

from haiku_spectral.self_training.verifier_cache import MALFORMED
from haiku_spectral.tasks.problem import Family, Problem
from haiku_spectral.tasks.verified_sample import ACCEPTED

AGREE = 0.6  # Of the samples for a prompt.
SHORTEST = 0.5  # Of the longest answer of the depth that was agreed upon.
OUTVOTED, SHORT, REPEATED = 'outvoted', 'short', 'repeated'


def choose(
    samples: Sequence[tuple[Problem, str | None]], *, family: Family
) -> list[str]:
  """The verdict on each sample, in their order: a completion, or None for what did not end.

  One sample is accepted for a prompt at most: the same answer twice teaches nothing more.
  """
  problems = [problem for problem, _ in samples]
  answers = [_answer(family, *sample) for sample in samples]
  agreed = _agreed([problem.prompt for problem in problems], answers)
  longest = _longest(problems, agreed)
  done: set[str] = set()
  verdicts = []
  for problem, answer in zip(problems, answers, strict=True):
    verdict = _verdict(answer, agreed.get(problem.prompt), longest[problem.depth])
    if verdict == ACCEPTED and problem.prompt in done:
      verdict = REPEATED
    if verdict == ACCEPTED:
      done.add(problem.prompt)
    verdicts.append(verdict)
  return verdicts


def _answer(family: Family, problem: Problem, completion: str | None) -> str | None:
  """The answer in its one spelling; None for what has not the shape of one."""
  if completion is None or family.job(problem, completion) is None:
    return None
  return family.canonical(completion)


def _agreed(prompts: Sequence[str], answers: Sequence[str | None]) -> dict[str, str | None]:
  """By prompt the answer that enough of its samples give; None where there is none such."""
  votes: dict[str, collections.Counter[str]] = {}
  for prompt, answer in zip(prompts, answers, strict=True):
    if answer is not None:
      votes.setdefault(prompt, collections.Counter())[answer] += 1
  counts = collections.Counter(prompts)
  return {prompt: _winner(found, math.ceil(AGREE * counts[prompt]))
          for prompt, found in votes.items()}


def _longest(problems: Sequence[Problem], agreed: Mapping[str, str | None]) -> dict[int, int]:
  """By depth the length of the longest answer that was agreed upon."""
  longest: dict[int, int] = {}
  for problem in problems:
    length = len(agreed.get(problem.prompt) or '')
    longest[problem.depth] = max(longest.get(problem.depth, 0), length)
  return longest


def _winner(votes: collections.Counter[str], needed: int) -> str | None:
  """The answer with enough votes: one at most, for AGREE is more than a half."""
  (answer, count), = votes.most_common(1)
  return answer if count >= needed else None


def _verdict(answer: str | None, agreed: str | None, longest: int) -> str:
  if answer is None:
    return MALFORMED
  if answer != agreed:
    return OUTVOTED
  return ACCEPTED if len(answer) >= SHORTEST * longest else SHORT
