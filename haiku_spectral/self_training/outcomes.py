"""How the rounds of an arm end, and the note of it that a report needs.

A seed whose rounds end early is counted like any other: to leave it out would make the rest look
better than the loop is.
"""

import json
import pathlib
from typing import ClassVar, NamedTuple

from haiku_spectral.self_training.settings import LEAD
from haiku_spectral.storage import atomic_file, strict_json

COMPLETED = 'completed'


class Ended(Exception):
  """The rounds of an arm end before the last one."""

  kind: ClassVar[str]


class Mastered(Ended):
  """The model solves nearly all problems of every depth: nothing is left to learn."""

  kind = 'mastered'


class NoSignal(Ended):
  """The model solves nothing new at the frontier, so there is nothing to learn from."""

  kind = 'no_signal'


class Regression(Ended):
  """A round has made the model worse than is allowed."""

  kind = 'regression'


class Stopped(Exception):
  """A signal came; the same command goes on."""


class Outcome(NamedTuple):
  """How an arm has ended."""

  kind: str  # COMPLETED, or that of an Ended.
  rounds: int  # That it has.
  message: str = ''


def save(path: pathlib.Path, outcome: Outcome) -> None:
  """Writes it so that it is there complete or not at all."""
  path.parent.mkdir(parents=True, exist_ok=True)
  atomic_file.write_text(path, json.dumps(outcome._asdict()) + '\n')


def load(path: pathlib.Path) -> Outcome | None:
  """What `save` wrote; None where the arm has not ended. Raises ValueError for another file."""
  if not path.exists():
    return None
  try:
    return Outcome(**strict_json.loads(path.read_bytes()))
  except (TypeError, ValueError) as error:
    raise ValueError(f'{path} is damaged or of another version ({error}): remove it, and give the '
                     'same command again.') from error


def of_lead(path: pathlib.Path, *, seed: int, arm: str) -> Outcome:
  """How LEAD has ended, which `arm` follows. Raises ValueError if it has not."""
  if not (ended := load(path)):
    raise ValueError(f'--arm={arm} asks what {LEAD} has asked, which has not come to its end for '
                     f'seed {seed}: give --arm={LEAD},{arm}.')
  return ended
