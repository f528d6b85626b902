"""What all families of problems share: the problem, the split, the comparison of values.

A family proposes problems of a given depth and side of the split. A model generates a completion of
the prompt; `job` makes of it what the sandbox runs; `check` compares what came back. So only the
host ever knows what was expected.
"""

import dataclasses
import hashlib
from typing import Any, Protocol

import numpy as np

from haiku_spectral.sandbox import literals
from haiku_spectral.sandbox.result import ExecResult, Job, Status

STOP = '\n'  # Ends each completion: a document is prompt + completion + STOP.
# Models are trained on the first; the second decides while they are; what is claimed is about the
# third alone.
SPLITS = ('train', 'gate', 'heldout')
HELDOUT, GATE = 0.25, 0.1  # The shares of all objects in the last two.


@dataclasses.dataclass(frozen=True)
class Problem:
  """A prompt, and what only the host knows about it."""

  family: str
  depth: int
  key: str  # Names the underlying object; the split is a hash of it.
  prompt: str  # One line, without its end; the completion begins where it ends.
  answer: str  # A right completion, without STOP; others may be right too.
  hidden: tuple[tuple[tuple[Any, ...], Any], ...]  # (args, expected) of each call.


def side(key: str) -> str:
  """The side of the split that an object is on: it depends on nothing but its key, for ever."""
  digest = hashlib.blake2b(key.encode(), digest_size=8, person=b'heldout').digest()
  place = int.from_bytes(digest, 'big') / 2**64
  return 'heldout' if place < HELDOUT else 'gate' if place < HELDOUT + GATE else 'train'


class Family(Protocol):
  """Problems of one kind, from easy (depth 1) to hard."""

  name: str
  version: str  # Of the verifier: a verdict holds for one version.
  depths: range
  max_bytes: int  # Of a completion in UTF-8, STOP included.

  def propose(self, rng: np.random.Generator, depth: int, split: str) -> Problem:
    """Draws a problem whose object is on that side of the split."""
    ...

  def split(self, key: str) -> str:
    """The side of an object."""
    return side(key)

  def job(self, problem: Problem, completion: str) -> Job | None:
    """What the sandbox shall run, or None if the completion has not the shape of an answer."""
    ...

  def canonical(self, completion: str) -> str:
    """The same text for the same answer, however it is spelled; of what has its shape."""
    return completion

  def check(self, problem: Problem, result: ExecResult) -> bool:
    """Whether the run came to its end and gave back what was expected, in type and value.

    As it stands here: of problems of a single call.
    """
    ((_, expected),) = problem.hidden
    return result.status is Status.OK and identical(result.value, expected)


def check_request(family: Family, depth: int, split: str) -> None:
  """Raises ValueError unless the family has problems of that depth and side."""
  if depth not in family.depths:
    raise ValueError(
        f'depth={depth} is not allowed: {family.name} has the depths {family.depths.start} to '
        f'{family.depths.stop - 1}.')
  if split not in SPLITS:
    raise ValueError(f'split={split!r} is not allowed: choose one of {", ".join(SPLITS)}.')


def identical(left: object, right: object) -> bool:
  """Whether two values are equal in type and value at every level: True is not 1, 0.0 not -0.0.

  No value can bring its own idea of equality along, nor keep the host busy: what is compared are
  canonical texts. What has none, for its type does not leave the sandbox, is identical to nothing.
  """
  try:
    return literals.canonical(left) == literals.canonical(right)
  except literals.LiteralError:
    return False
