"""What is kept of everything that the model writes for itself: one line of JSON each.

Accepted or not, a record says what was asked, what came, which checkpoint wrote it and how, and who
judged it: enough to judge it again, and to draw the same sample again. Nothing is ever changed or
taken away: a round appends files.

What a family of problems wrote itself (labels, reference solutions) is kept in the same form: its
author is the family's version, and it is certain of what it writes (log_probability 0).
"""

import dataclasses
import json
import math
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

ACCEPTED = 'accepted'
UNVERIFIED = 'none'  # The verifier of what was accepted without one, to compare with.
NOT_RUN = 'not_run'
SANDBOX = ('ok', 'exception', 'exit', 'signal', 'timeout_wall', 'timeout_cpu', 'memory',
           'output_limit', 'syntax', NOT_RUN)
# Costs are rounded up to these, so that the same run always leaves the same bytes.
SECONDS, PEAK_BYTES = 0.25, 16 << 20
_ALLOWED: dict[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (float, int)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
  """One sample of the model with its verdict."""

  family: str  # Of problems.
  prompt: str
  completion: str
  depth: int  # How hard the task is, as its family counts it: 1 is easiest.
  seed: int  # Of the sampling: with the checkpoint and the temperature it gives the sample again.
  temperature: float  # 0 is greedy.
  log_probability: float  # Of the completion after the prompt, in nats.
  step: int  # The checkpoint's.
  fingerprint: str  # Of its parameters, hexadecimal.
  verifier: str  # Its version.
  verdict: str  # ACCEPTED, or a short name of why not: 'wrong', 'malformed', 'seen'.
  sandbox: str  # One of SANDBOX: how the run ended.
  seconds: float  # Processor time that the run took, in steps of SECONDS.
  peak_bytes: int  # Memory that the run took, in steps of PEAK_BYTES.

  def __post_init__(self) -> None:
    """Raises ValueError for a value that cannot be."""
    for field in dataclasses.fields(self):
      value = getattr(self, field.name)
      if type(value) not in _ALLOWED[field.type]:
        raise ValueError(
            f'{field.name}={value!r} is not allowed: give {_ALLOWED[field.type][0].__name__}.')
    for name in ('temperature', 'log_probability', 'seconds'):
      if not math.isfinite(getattr(self, name)):
        raise ValueError(f'{name}={getattr(self, name)} is not allowed: give a finite number.')
    for name in ('depth', 'seed', 'temperature', 'step', 'seconds', 'peak_bytes'):
      if getattr(self, name) < 0:
        raise ValueError(f'{name}={getattr(self, name)} is not allowed: give 0 or more.')
    if self.log_probability > 0:
      raise ValueError(
          f'log_probability={self.log_probability} is not allowed: give nats, 0 or less.')
    if not re.fullmatch('[0-9a-f]+', self.fingerprint):
      raise ValueError(f'fingerprint={self.fingerprint!r} is not allowed: give hexadecimal digits.')
    if not re.fullmatch('[a-z][a-z_]*', self.verdict):
      raise ValueError(f'verdict={self.verdict!r} is not allowed: give {ACCEPTED!r} or a short '
                       'name of why not, in small letters.')
    if self.sandbox not in SANDBOX:
      raise ValueError(f'sandbox={self.sandbox!r} is not allowed: give one of '
                       f'{", ".join(SANDBOX)}.')
    ran = self.sandbox == 'ok' or self.verifier == UNVERIFIED
    if self.verdict == ACCEPTED and not (ran and self.prompt + self.completion):
      raise ValueError(f'a record is accepted with sandbox={self.sandbox!r} and '
                       f'{len(self.completion)} characters: give one that ran, and text.')


def rounded(*, seconds: float, peak_bytes: int, **said: Any) -> Record:
  """A record whose cost is rounded up."""
  return Record(seconds=math.ceil(seconds / SECONDS) * SECONDS,
                peak_bytes=math.ceil(peak_bytes / PEAK_BYTES) * PEAK_BYTES, **said)


FIELDS = tuple(field.name for field in dataclasses.fields(Record))


def dumps(record: Record) -> str:
  """A line, without its end."""
  return json.dumps(dataclasses.asdict(record), ensure_ascii=False, allow_nan=False)


def parse(row: Mapping[str, Any]) -> Record:
  """The record of a parsed line. Raises ValueError for fields that are missing, other or wrong."""
  if missing := sorted(set(FIELDS) - {name for name, value in row.items() if value is not None}):
    raise ValueError(f'no {", ".join(missing)}')
  if unknown := sorted(set(row) - set(FIELDS)):
    raise ValueError(f'unknown {", ".join(unknown)}')
  return Record(**row)


def read(path: pathlib.Path) -> Iterator[Record]:
  """The records of a file. Raises ValueError naming the line that is none."""
  with open(path, encoding='utf-8') as file:
    for number, line in enumerate(file, 1):
      try:
        yield parse(json.loads(line))
      except ValueError as error:
        raise ValueError(f'{path}, line {number} is no golden record: {error}') from error
