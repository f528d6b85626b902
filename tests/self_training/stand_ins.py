"""A family and a sandbox that are quick, for tests of what uses them."""

from typing import ClassVar

from haiku_spectral.sandbox import result
from haiku_spectral.tasks.problem import Family, Problem, identical


class Doubling(Family):
  """`3=` is answered by `6`; depth d has the numbers below 10^d."""

  name, version, depths, max_bytes = 'doubling', '1', range(1, 4), 8

  def split(self, key):
    return ('train', 'gate', 'heldout', 'train')[int(key) % 4]  # There are few of one digit.

  def propose(self, rng, depth, split):
    while True:
      number = int(rng.integers(10**(depth - 1), 10**depth))
      if self.split(str(number)) == split:
        return self.problem(number, depth)

  def problem(self, number, depth=1):
    return Problem(self.name, depth, str(number), f'{number}=', str(2 * number),
                   (((), 2 * number),))

  def job(self, problem, completion):
    return result.Job(completion, 'f') if completion.isascii() and completion else None

  def check(self, problem, ran):
    return ran.status is result.Status.OK and identical(ran.value, problem.hidden[0][1])


class Executor:
  """Takes the source for the value, as a number; some words stand for what may go wrong."""

  FAILURES: ClassVar = {'loop': result.Status.TIMEOUT_CPU, 'lost': result.Status.INFRASTRUCTURE}

  def __init__(self):
    self.jobs = []

  def map(self, jobs):
    for job in jobs:
      self.jobs.append(job)
      status = self.FAILURES.get(job.source, result.Status.OK)
      value = job.hash_seed if job.source == 'chance' else job.source
      if status is result.Status.OK and str(value).isdigit():
        value = int(value)
      yield result.ExecResult(
          status=status, value=value if status is result.Status.OK else None, error='gone',
          cpu_seconds=0.001 * (len(self.jobs) % 50), wall_seconds=0.002, peak_bytes=9_000_000)
