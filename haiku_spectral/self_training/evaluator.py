"""Has a model answer problems, and its answers verified."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from haiku_spectral.self_training import sampler as samplers
from haiku_spectral.self_training import verifier_cache
from haiku_spectral.self_training.callbacks import Progress
from haiku_spectral.tasks.problem import STOP, Family, Problem

Request = tuple[Problem, int]  # And the seed of its sampling.


class Evaluator(NamedTuple):
  """One model and one verifier."""

  family: Family
  sampler: samplers.Sampler
  verifier: verifier_cache.VerifierCache
  progress: Progress

  def sample(
      self, requests: Sequence[Request], *, temperature: float, stage: str
  ) -> list[samplers.Sample]:
    """A completion for each problem and seed."""
    return self.sampler.sample(
        [samplers.Request(problem.prompt, seed, self._limit(problem))
         for problem, seed in requests],
        temperature=temperature,
        progress=self.progress(f'{stage}: generating', len(requests)))

  def _limit(self, problem: Problem) -> int:
    """Bytes that an answer may take: by far more than the family's own, where that is short."""
    return min(self.family.max_bytes, 2 * len((problem.answer + STOP).encode()) + 32)

  def verify(
      self, requests: Sequence[Request], samples: Sequence[samplers.Sample], *, stage: str
  ) -> list[verifier_cache.Verdict]:
    """The verdict on each completion."""
    complete = [place for place, sample in enumerate(samples) if sample.complete]
    found = dict(zip(complete, self.verifier.verify(
        [(requests[place][0], samples[place].text) for place in complete],
        self.progress(f'{stage}: executing', len(complete))), strict=True))
    return [found.get(place, verifier_cache.NO_ANSWER) for place in range(len(samples))]

  def solves(
      self, requests: Sequence[Request], *, temperature: float, stage: str
  ) -> list[bool]:
    """Whether the completion for each problem and seed is right."""
    samples = self.sample(requests, temperature=temperature, stage=stage)
    return [verdict.right for verdict in self.verify(requests, samples, stage=stage)]


def greedy(
    evaluator: Evaluator, problems: Sequence[Problem], *, stage: str
) -> dict[str, list[bool]]:
  """By depth: whether the greedy completion of each problem is right."""
  solved = evaluator.solves([(problem, 0) for problem in problems], temperature=0.0, stage=stage)
  by_depth: dict[str, list[bool]] = {}
  for problem, right in zip(problems, solved, strict=True):
    by_depth.setdefault(str(problem.depth), []).append(right)
  return by_depth


def attempts(
    evaluator: Evaluator, problems: Sequence[Problem], count: int, *, key: jax.Array,
    temperature: float, stage: str,
) -> dict[int, list[int]]:
  """By depth: how many of `count` attempts at each problem are right."""
  requests = list(zip(
      [problem for problem in problems for _ in range(count)],
      samplers.seeds(key, count * len(problems)), strict=True))
  solved = evaluator.solves(requests, temperature=temperature, stage=stage)
  rights = np.reshape(solved, (-1, count)).sum(axis=1)
  by_depth: dict[int, list[int]] = {}
  for problem, right in zip(problems, rights.tolist(), strict=True):
    by_depth.setdefault(problem.depth, []).append(right)
  return by_depth
