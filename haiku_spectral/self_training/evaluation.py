"""How much of the held-out problems a model solves: greedily, and within k attempts."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from haiku_spectral.self_training import frontier
from haiku_spectral.storage import atomic_file, strict_json
from haiku_spectral.tasks.problem import Problem

KS = (1, 4, 8, 16)
DEEP = 3  # The depth from which problems are hard: what is claimed is about these.


class Evaluation(NamedTuple):
  """One model on the held-out problems."""

  step: int  # Of its checkpoint.
  bits_per_byte: float  # On held-out real text.
  greedy: Mapping[str, Sequence[bool]]  # By depth: whether the greedy completion is right.
  objects: Mapping[str, Sequence[int]]  # By depth: its object, see `number_objects`.
  attempts: int
  sampled: Mapping[str, Sequence[int]]  # By depth: right completions among the attempts.
  round: Mapping[str, float] = {}  # Metrics of the round before it; empty for the base model.

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


def number_objects(problems: Sequence[Problem]) -> dict[str, list[int]]:
  """By depth, a number for the object of each problem: the same for the same behaviour or stem.

  Problems of one object are no independent evidence, so intervals count objects.
  """
  numbers: dict[str, int] = {}
  found: dict[str, list[int]] = {}
  for problem in problems:
    number = numbers.setdefault(problem.key, len(numbers))
    found.setdefault(str(problem.depth), []).append(number)
  return found


def save(path: pathlib.Path, evaluation: Evaluation) -> None:
  """Writes it so that it is there complete or not at all."""
  atomic_file.write_text(path, json.dumps(evaluation._asdict()) + '\n')


def load(path: pathlib.Path) -> Evaluation:
  """What `save` wrote. Raises ValueError for another file."""
  try:
    return Evaluation(**strict_json.loads(path.read_bytes()))
  except (TypeError, ValueError) as error:
    raise ValueError(f'{path} is damaged or of another version ({error}): remove it, and '
                     'self_improve measures that model again.') from error
