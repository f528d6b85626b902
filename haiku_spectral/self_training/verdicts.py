"""What executing a completion showed: kept for ever, and never asked for twice.

`verdicts.jsonl` only grows: a line for each completion of each problem, under the hash of all that
the verdict depends on. A line that a kill cut short is cut off and its completion is run again.
"""

import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from haiku_spectral.sandbox import result, sandbox
from haiku_spectral.tasks import golden_record
from haiku_spectral.tasks.problem import Family, Problem, identical

HASH_SEEDS = (0, 1)  # Each completion is run under both: chance must not decide.
MALFORMED, WRONG, FAILED, UNSTABLE = 'malformed', 'wrong', 'failed', 'unstable'


class Verdict(NamedTuple):
  """What became of one completion."""

  verdict: str  # golden_record.ACCEPTED, or why not.
  sandbox: str  # One of golden_record.SANDBOX.
  seconds: float = 0.0  # Processor time of all runs.
  peak_bytes: int = 0  # The most that a run took.

  @property
  def right(self) -> bool:
    """Whether the completion solves its problem."""
    return self.verdict == golden_record.ACCEPTED


CUT = Verdict(MALFORMED, golden_record.NOT_RUN)  # On what did not end, or is no text.

Case = tuple[Problem, str]  # And the completion, without STOP.


class Verdicts:
  """Judges the completions of one family. A context manager."""

  def __init__(self, path: pathlib.Path, family: Family, executor: sandbox.Sandbox) -> None:
    self._family, self._executor = family, executor
    self._known = dict(_read(path))
    self._file = open(path, 'a', encoding='utf-8')  # noqa: SIM115
    self.runs = 0  # That this process has asked the sandbox for.

  def __enter__(self) -> Self:
    """Closes the file at the end of the block."""
    return self

  def __exit__(
      self, kind: type[BaseException] | None, error: BaseException | None,
      traceback: TracebackType | None,
  ) -> None:
    """Closes the file, whatever happened."""
    self._file.close()

  def judge(
      self, cases: Sequence[Case], progress: Callable[[int], object] = lambda done: None
  ) -> list[Verdict]:
    """The verdicts of all cases, in their order.

    Raises sandbox.Unavailable when the sandbox itself fails: that is nobody's verdict, and what was
    judged before is kept.
    """
    keys = [self._key(*case) for case in cases]
    unknown = dict(zip(reversed(keys), reversed(cases), strict=True))
    for key in unknown.keys() & self._known.keys():
      del unknown[key]
    order = [key for key in dict.fromkeys(keys) if key in unknown]
    progress(len(cases) - len(order))
    for key, verdict in self._run(order, [unknown[key] for key in order]):
      self._known[key] = verdict
      self._file.write(json.dumps({'key': key, **verdict._asdict()}) + '\n')
      self._file.flush()
      progress(1)
    os.fsync(self._file.fileno())
    return [self._known[key] for key in keys]

  def _run(self, keys: Sequence[str], cases: Sequence[Case]) -> Iterator[tuple[str, Verdict]]:
    jobs = [self._family.job(*case) for case in cases]
    ran = self._executor.map(
        job._replace(hash_seed=seed) for job in jobs if job for seed in HASH_SEEDS)
    for key, job, (problem, _) in zip(keys, jobs, cases, strict=True):
      if not job:
        yield key, CUT
        continue
      self.runs += len(HASH_SEEDS)
      yield key, self._verdict(problem, [next(ran) for _ in HASH_SEEDS])

  def _verdict(self, problem: Problem, ran: Sequence[result.ExecResult]) -> Verdict:
    status = next((each.status for each in ran if each.status is not result.Status.OK),
                  result.Status.OK)
    if any(each.status is result.Status.INFRASTRUCTURE for each in ran):
      failed = next(each for each in ran if each.status is result.Status.INFRASTRUCTURE)
      raise result.Unavailable(
          f'the sandbox failed, so nothing was judged: {failed.error}. What was judged before is '
          'kept: the same command goes on from there.')
    if status is not result.Status.OK:
      verdict = FAILED
    elif not all(identical(each.value, ran[0].value) for each in ran):
      verdict = UNSTABLE
    else:
      right = all(self._family.check(problem, each) for each in ran)
      verdict = golden_record.ACCEPTED if right else WRONG
    return Verdict(verdict, status.value, sum(each.cpu_seconds for each in ran),
                   max(each.peak_bytes for each in ran))

  def _key(self, problem: Problem, completion: str) -> str:
    asked = (self._family.name, self._family.version, problem.prompt, repr(problem.hidden))
    return hashlib.sha256(json.dumps([*asked, completion]).encode()).hexdigest()[:32]


def _read(path: pathlib.Path) -> Iterator[tuple[str, Verdict]]:
  """The verdicts of earlier runs; cuts off a last line that is not whole."""
  whole = 0
  for line in path.read_bytes().splitlines(keepends=True) if path.exists() else []:
    if not line.endswith(b'\n'):
      os.truncate(path, whole)
      return
    try:
      row = json.loads(line)
      yield row.pop('key'), Verdict(**row)
    except (ValueError, KeyError, TypeError) as error:
      raise ValueError(
          f'{path} is damaged at byte {whole} ({error}): remove that line and what follows, it '
          'will be judged again.') from error
    whole += len(line)
