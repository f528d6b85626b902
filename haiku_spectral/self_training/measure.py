"""How much of the held-out problems a model solves: greedily, and within k attempts."""

import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np

from haiku_spectral.self_training import frontier, verdicts
from haiku_spectral.self_training import sampler as samplers
from haiku_spectral.storage import atomic_file
from haiku_spectral.tasks.problem import Family, Problem

KS = (1, 4, 8, 16)

Progress = Callable[[str, int], Callable[[int], object]]  # Stage and size -> what advances it.


class Evaluation(NamedTuple):
  """One model on the held-out problems."""

  step: int  # Of its checkpoint.
  bits_per_byte: float  # On held-out real text.
  greedy: Mapping[str, Sequence[bool]]  # By depth: whether the greedy completion is right.
  attempts: int
  sampled: Mapping[str, Sequence[int]]  # By depth: right completions among the attempts.
  round: Mapping[str, float] = {}  # What the round before it did; empty for the base model.

  def pass_at(self, k: int, depth: str) -> float:
    """Unbiased pass@k at a depth."""
    return frontier.mean_pass_at(k, self.attempts, self.sampled[depth])

  def scalars(self) -> dict[str, float]:
    """All of it as a row of metrics."""
    return {
        'bits_per_byte': self.bits_per_byte,
        **{f'greedy/{depth}': float(np.mean(right)) for depth, right in self.greedy.items()},
        **{f'pass_{k}/{depth}': self.pass_at(k, depth)
           for k in KS if k <= self.attempts for depth in self.sampled},
        **self.round,
    }


class Examiner(NamedTuple):
  """Has one model write, and its completions judged."""

  family: Family
  sampler: samplers.Sampler
  court: verdicts.Verdicts
  progress: Progress

  def written(
      self, requests: Sequence[tuple[Problem, int]], *, temperature: float, stage: str
  ) -> list[samplers.Sample]:
    """A completion for each problem and seed."""
    return self.sampler.sample(
        [samplers.Request(problem.prompt, seed) for problem, seed in requests],
        num_bytes=self.family.max_bytes, temperature=temperature,
        progress=self.progress(f'{stage}: writing', len(requests)))

  def judged(
      self, requests: Sequence[tuple[Problem, int]], *, temperature: float, stage: str
  ) -> tuple[list[samplers.Sample], list[verdicts.Verdict]]:
    """A completion for each problem and seed, and the verdict on it."""
    samples = self.written(requests, temperature=temperature, stage=stage)
    whole = [place for place, sample in enumerate(samples) if sample.whole]
    found = dict(zip(whole, self.court.judge(
        [(requests[place][0], samples[place].text) for place in whole],
        self.progress(f'{stage}: executing', len(whole))), strict=True))
    return samples, [found.get(place, verdicts.CUT) for place in range(len(samples))]


def attempts(
    examiner: Examiner, problems: Sequence[Problem], count: int, *, key: jax.Array,
    temperature: float, stage: str,
) -> dict[int, list[int]]:
  """By depth: how many of `count` attempts at each problem are right."""
  requests = list(zip(
      [problem for problem in problems for _ in range(count)],
      samplers.seeds(key, count * len(problems)), strict=True))
  _, found = examiner.judged(requests, temperature=temperature, stage=stage)
  rights = np.reshape([verdict.right for verdict in found], (-1, count)).sum(axis=1)
  by_depth: dict[int, list[int]] = {}
  for problem, right in zip(problems, rights.tolist(), strict=True):
    by_depth.setdefault(problem.depth, []).append(right)
  return by_depth


def save(path: pathlib.Path, evaluation: Evaluation) -> None:
  """Writes it so that it is there whole or not at all."""
  atomic_file.write_text(path, json.dumps(evaluation._asdict()) + '\n')


def load(path: pathlib.Path) -> Evaluation:
  """What `save` wrote."""
  return Evaluation(**json.loads(path.read_text(encoding='utf-8')))
