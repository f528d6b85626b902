"""Addition with its carries: `347+589=` is answered by `6c3c9`, digits from the last to the first.

The answer is a program of the column machine, which executes it in the sandbox and stops at a
column that is wrong. The host compares the number that comes out with the sum.
"""

import inspect
import re

import numpy as np

from haiku_spectral.sandbox.result import ExecResult, Job, Status
from haiku_spectral.tasks import column_addition
from haiku_spectral.tasks.problem import Family, Problem, check_request, identical, side

MACHINE = inspect.getsource(column_addition)  # What the sandbox runs.
PROGRAM = re.compile('(?:[0-9]c?){1,7}')


class Arithmetic(Family):
  """Sums of two numbers of `depth` digits each. The object is the pair, in either order."""

  name = 'arithmetic'
  version = '1'
  depths = range(1, 7)
  max_bytes = 15

  def propose(self, rng: np.random.Generator, depth: int, split: str) -> Problem:
    check_request(self, depth, split)
    least = 10**(depth - 1) if depth > 1 else 0
    while True:
      a, b = map(int, rng.integers(least, 10**depth, size=2))
      key = f'{min(a, b)}+{max(a, b)}'
      if side(key) == split:
        return Problem(self.name, depth, key, f'{a}+{b}=', _program(a, b), (((a, b), a + b),))

  def job(self, problem: Problem, completion: str) -> Job | None:
    if not PROGRAM.fullmatch(completion):
      return None
    ((args, _),) = problem.hidden
    return Job(MACHINE, 'add', (*args, completion))

  def check(self, problem: Problem, result: ExecResult) -> bool:
    ((_, expected),) = problem.hidden
    return result.status is Status.OK and identical(result.value, expected)


def _program(a: int, b: int) -> str:
  """The only right program."""
  program, carry = '', 0
  while a or b or carry or not program:
    carry, digit = divmod(a % 10 + b % 10 + carry, 10)
    program += f'{digit}{"c" * carry}'
    a, b = a // 10, b // 10
  return program
