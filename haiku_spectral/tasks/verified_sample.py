"""Verified samples: what is kept of all that a model generates for itself, one line of JSON each.

Accepted or not, a sample says what was asked, what was generated, by which checkpoint and how, and
which verifier judged it: enough to judge it again, and to draw it again. Nothing is ever changed or
removed: a round adds files.

What a family of problems generates itself (labels, reference solutions) is kept in the same form:
its verifier is the family's version, and it is certain of its answers (log_probability 0).
"""

import dataclasses
import json
import math
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from haiku_spectral.requirement import require
from haiku_spectral.storage import strict_json

ACCEPTED = 'accepted'
UNVERIFIED = 'none'  # The verifier of what was accepted without one, to compare with.
NOT_RUN = 'not_run'
SANDBOX = ('ok', 'exception', 'exit', 'signal', 'timeout_wall', 'timeout_cpu', 'memory',
           'output_limit', 'syntax', NOT_RUN)
# Costs are rounded up to these, so that the same run always leaves the same bytes.
SECONDS, PEAK_BYTES = 0.25, 16 << 20
_ALLOWED: dict[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (float, int)}
_MOST = 2.0**63  # Of any number: what readers of these files can hold.


@dataclasses.dataclass(frozen=True, kw_only=True)
class VerifiedSample:
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
      allowed = _ALLOWED[field.type]
      value = getattr(self, field.name)
      require(type(value) in allowed, field.name, value, allowed[0].__name__)
      if allowed[0] is not str:
        require(abs(value) < _MOST, field.name, value, 'a number below 2^63')
    for name in ('depth', 'seed', 'temperature', 'step', 'seconds', 'peak_bytes'):
      require(getattr(self, name) >= 0, name, getattr(self, name), '0 or more')
    require(self.log_probability <= 0, 'log_probability', self.log_probability, 'nats, 0 or less')
    require(re.fullmatch('[0-9a-f]+', self.fingerprint) is not None, 'fingerprint',
            self.fingerprint, 'hexadecimal digits')
    require(re.fullmatch('[a-z][a-z_]*', self.verdict) is not None, 'verdict', self.verdict,
            f'{ACCEPTED!r} or a short name of why not, in small letters')
    require(self.sandbox in SANDBOX, 'sandbox', self.sandbox, f'one of {", ".join(SANDBOX)}')
    ran = self.sandbox == 'ok' or self.verifier == UNVERIFIED
    if self.verdict == ACCEPTED and not (ran and self.prompt + self.completion):
      raise ValueError(f'a sample is accepted with sandbox={self.sandbox!r} and '
                       f'{len(self.completion)} characters: give one that ran, and text.')


FIELDS = tuple(field.name for field in dataclasses.fields(VerifiedSample))


def rounded(*, seconds: float, peak_bytes: int, **fields: Any) -> VerifiedSample:
  """A sample whose cost is rounded up."""
  return VerifiedSample(seconds=math.ceil(seconds / SECONDS) * SECONDS,
                        peak_bytes=math.ceil(peak_bytes / PEAK_BYTES) * PEAK_BYTES, **fields)


def dumps(sample: VerifiedSample) -> str:
  """A line, without its end."""
  return json.dumps(dataclasses.asdict(sample), ensure_ascii=False, allow_nan=False)


def parse(row: Mapping[str, Any]) -> VerifiedSample:
  """The sample of a parsed line. Raises ValueError for fields that are missing, other or wrong."""
  if not isinstance(row, Mapping):
    raise ValueError('no object of fields')
  if missing := sorted(set(FIELDS) - {name for name, value in row.items() if value is not None}):
    raise ValueError(f'no {", ".join(missing)}')
  if unknown := sorted(set(row) - set(FIELDS)):
    raise ValueError(f'unknown {", ".join(unknown)}')
  return VerifiedSample(**row)


def read(path: pathlib.Path) -> Iterator[VerifiedSample]:
  """The samples of a file. Raises ValueError naming the line that is none."""
  with open(path, 'rb') as file:
    for number, line in enumerate(file, 1):
      try:
        yield parse(strict_json.loads(line))
      except ValueError as error:
        raise ValueError(f'{path}, line {number} is not a verified sample: {error}') from error
