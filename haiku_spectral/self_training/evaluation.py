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
_DEEP = 3  # The depth from which problems are hard where all depths have labels.


class Evaluation(NamedTuple):
  """One model on the held-out problems, and on those of the gate."""

  step: int  # Of its checkpoint.
  labelled_depth: int  # The greatest depth that the base model saw labels of.
  bits_per_byte: float  # On held-out real text.
  greedy: Mapping[str, Sequence[bool]]  # By depth: whether the greedy completion is right.
  objects: Mapping[str, Sequence[int]]  # By depth: its object, see `number_objects`.
  attempts: int
  sampled: Mapping[str, Sequence[int]]  # By depth: right completions among the attempts, at the
  # first of these problems.
  # Of the gate, which decides while the rounds go on; no claim reads it. By depth:
  gate: Mapping[str, float] = {}  # pass@1 where there are labels.
  probe: Mapping[str, Sequence[int]] = {}  # Right ones among frontier.ATTEMPTS, up to the frontier.
  round: Mapping[str, float] = {}  # Metrics of the round before it; empty for the base model.

  @property
  def easy(self) -> list[str]:
    """The depths at which nothing may be lost."""
    return [depth for depth in self.greedy if depth not in self.hard]

  @property
  def hard(self) -> list[str]:
    """The depths that a claim is about: those without labels, if there are any."""
    deepest = max(map(int, self.greedy))
    first = self.labelled_depth + 1 if self.labelled_depth < deepest else _DEEP
    return [depth for depth in self.greedy if int(depth) >= first]

  @property
  def frontier(self) -> int:
    """The frontier on held-out problems: what a report shows."""
    rights = {int(depth): rights for depth, rights in self.sampled.items()}
    return frontier.find(rights, self.attempts).depth

  def pass_at(self, k: int, depth: str) -> float:
    """Unbiased pass@k at a depth."""
    return frontier.mean_pass_at(k, self.attempts, self.sampled[depth])

  def scalars(self) -> dict[str, float]:
    """All of it as a row of metrics."""
    return {
        'bits_per_byte': self.bits_per_byte, 'frontier': float(self.frontier),
        **{f'greedy/{depth}': float(np.mean(right)) for depth, right in self.greedy.items()},
        **{f'pass_{k}/{depth}': self.pass_at(k, depth)
           for k in KS if k <= self.attempts for depth in self.sampled},
        **{f'gate/{depth}': share for depth, share in self.gate.items()},
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
