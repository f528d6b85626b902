"""What executing a completion showed: kept for ever, and never executed twice.

`verdicts.jsonl` only grows: a line for each completion of each problem, under the hash of all that
the verdict depends on. A torn last line is cut off and its completion is executed again.
"""

import hashlib
import json
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Self

from haiku_spectral.sandbox import result, sandbox
from haiku_spectral.storage import append_log, strict_json
from haiku_spectral.tasks import verified_sample
from haiku_spectral.tasks.problem import Family, Problem, identical

HASH_SEEDS = (0, 1)  # Each completion is run under both: chance must not decide.
MALFORMED, WRONG, FAILED, UNSTABLE = 'malformed', 'wrong', 'failed', 'unstable'


class Verdict(NamedTuple):
  """What became of one completion."""

  verdict: str  # verified_sample.ACCEPTED, or why not.
  sandbox: str  # One of verified_sample.SANDBOX.
  seconds: float = 0.0  # Processor time of all runs.
  peak_bytes: int = 0  # The most that a run took.

  @property
  def right(self) -> bool:
    """Whether the completion solves its problem."""
    return self.verdict == verified_sample.ACCEPTED


NO_ANSWER = Verdict(MALFORMED, verified_sample.NOT_RUN)  # On what did not end, or is no text.

Case = tuple[Problem, str]  # And the completion, without STOP.


class VerifierCache:
  """Verifies the completions of one family. A context manager."""

  def __init__(self, path: pathlib.Path, family: Family, executor: sandbox.Sandbox) -> None:
    self._family, self._executor = family, executor
    self._log = append_log.Log(path)
    try:
      self._known = dict(_verdicts(path, self._log.lines))
    except BaseException:
      self._log.close()
      raise
    self.runs = 0  # That this process has asked the sandbox for.

  def __enter__(self) -> Self:
    """Closes the file at the end of the block."""
    return self

  def __exit__(self, *unused: object) -> None:
    """Closes the file, whatever happened."""
    self._log.close()

  def verify(
      self, cases: Sequence[Case], progress: Callable[[int], object] = lambda done: None
  ) -> list[Verdict]:
    """The verdicts of all cases, in their order.

    Raises result.Unavailable when the sandbox itself fails: that is no verdict on any completion,
    and what was verified before is kept.
    """
    keys = [self._key(*case) for case in cases]
    unknown = {key: case for key, case in zip(keys, cases, strict=True) if key not in self._known}
    progress(len(cases) - len(unknown))
    for key, verdict in self._run(list(unknown), list(unknown.values())):
      self._known[key] = verdict
      self._log.append(json.dumps({'key': key, **verdict._asdict()}).encode() + b'\n')
      progress(1)
    self._log.sync()
    return [self._known[key] for key in keys]

  def _run(self, keys: Sequence[str], cases: Sequence[Case]) -> Iterator[tuple[str, Verdict]]:
    jobs = [self._family.job(*case) for case in cases]
    ran = self._executor.map(
        job._replace(hash_seed=seed) for job in jobs if job for seed in HASH_SEEDS)
    for key, job, (problem, _) in zip(keys, jobs, cases, strict=True):
      if not job:
        yield key, NO_ANSWER
        continue
      self.runs += len(HASH_SEEDS)
      yield key, _verdict(self._family, problem, [next(ran) for _ in HASH_SEEDS])

  def _key(self, problem: Problem, completion: str) -> str:
    asked = (self._family.name, self._family.version, problem.prompt, repr(problem.hidden))
    return hashlib.sha256(json.dumps([*asked, completion]).encode()).hexdigest()[:32]


def _verdict(
    family: Family, problem: Problem, ran: Sequence[result.ExecResult]
) -> Verdict:
  """The verdict on a completion from its runs. Raises result.Unavailable."""
  for each in ran:
    if each.status is result.Status.INFRASTRUCTURE:
      raise result.Unavailable(
          f'the sandbox failed, so nothing was judged: {each.error}. What was judged before is '
          'kept: the same command goes on from there.')
  status = next((each.status for each in ran if each.status is not result.Status.OK),
                result.Status.OK)
  if status is not result.Status.OK:
    verdict = FAILED
  elif not all(identical(each.value, ran[0].value) for each in ran):
    verdict = UNSTABLE
  else:
    right = all(family.check(problem, each) for each in ran)
    verdict = verified_sample.ACCEPTED if right else WRONG
  return Verdict(verdict, status.value, sum(each.cpu_seconds for each in ran),
                 max(each.peak_bytes for each in ran))


def _verdicts(path: pathlib.Path, lines: Sequence[bytes]) -> Iterator[tuple[str, Verdict]]:
  """The verdicts of earlier runs, by their keys."""
  place = 0
  for line in lines:
    try:
      yield _parse(strict_json.loads(line))
    except ValueError as error:
      raise ValueError(
          f'{path} is damaged at byte {place} ({error}): remove that line and what follows, it '
          'will be judged again.') from error
    place += len(line)


def _parse(row: Any) -> tuple[str, Verdict]:
  """Key and verdict of a line."""
  if not isinstance(row, dict) or row.keys() != {'key', *Verdict._fields}:
    raise ValueError(f'not the fields key, {", ".join(Verdict._fields)}')
  verdict = Verdict(*(row[name] for name in Verdict._fields))
  texts = row['key'], verdict.verdict, verdict.sandbox
  numbers = verdict.seconds, verdict.peak_bytes
  if not (all(type(text) is str for text in texts) and verdict.sandbox in verified_sample.SANDBOX
          and all(type(number) in (int, float) and 0 <= number < 2**63 for number in numbers)):
    raise ValueError('a field has a value that is not allowed')
  return row['key'], verdict
