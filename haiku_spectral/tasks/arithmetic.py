"""Addition with its carries: `347+589=` is answered by `6c3c9`, digits from the last to the first.

The answer is a program of a machine that adds by columns, which the sandbox executes and which
stops at a column that is wrong. The host compares the number that comes out with the sum.

Two families: `arithmetic` as above, and `column_addition`, whose columns have names and whose
answers spell out each step.
"""

import inspect
import re

import numpy as np

from haiku_spectral.sandbox.result import Job
from haiku_spectral.tasks import column_addition, named_columns
from haiku_spectral.tasks.named_columns import END, NAMES, RESULTS
from haiku_spectral.tasks.problem import Family, Problem, check_request, side

MACHINE = inspect.getsource(column_addition)  # What the sandbox runs.
NAMED_MACHINE = inspect.getsource(named_columns)


class _Sums(Family):
  """Sums of two numbers of `depth` digits each. The object is the pair, in either order."""

  def propose(self, rng: np.random.Generator, depth: int, split: str) -> Problem:
    check_request(self, depth, split)
    while True:
      a, b = (_number(rng, depth) for _ in range(2))
      key = f'{min(a, b)}+{max(a, b)}'
      if side(key) == split:
        return self._problem(rng, depth, key, a, b)

  def _problem(self, rng: np.random.Generator, depth: int, key: str, a: int, b: int) -> Problem:
    raise NotImplementedError


class Arithmetic(_Sums):
  """Numbers as they are written: the model has to find the digits of a column by itself."""

  name = 'arithmetic'
  version = '2'
  depths = range(1, 41)
  max_bytes = 2 * 40 + 3
  PROGRAM = re.compile('(?:[0-9]c?){1,41}')

  def _problem(self, rng: np.random.Generator, depth: int, key: str, a: int, b: int) -> Problem:
    return Problem(self.name, depth, key, f'{a}+{b}=', _program(a, b), (((a, b), a + b),))

  def job(self, problem: Problem, completion: str) -> Job | None:
    if not self.PROGRAM.fullmatch(completion):
      return None
    ((args, _),) = problem.hidden
    return Job(MACHINE, 'add', (*args, completion))


class ColumnAddition(_Sums):
  """Columns with names: `=P7C4X3+p9c8x5=` is 347 + 589, answered by `P7p9gC4c8dX3x59+`.

  The names say which digits belong together (index hints: Zhou et al., "What algorithms can
  transformers learn?", 2023). They are drawn, so that none stands for a place. A step of the answer
  copies both digits of a column and adds them; a to j are digits whose column carries. What comes
  after a column, another one or the end, is read in the prompt in the same way, however many there
  are; so is what comes after =, the first column.
  """

  name = 'column_addition'
  version = '2'
  depths = range(1, len(NAMES) + 1)
  max_bytes = 5 * len(NAMES) + 2
  PROGRAM = re.compile(
      rf'(?:[A-Z][0-9][a-z][0-9][{RESULTS}]){{1,{len(NAMES)}}}{re.escape(END)}')

  def _problem(self, rng: np.random.Generator, depth: int, key: str, a: int, b: int) -> Problem:
    names = ''.join(rng.permutation([*NAMES])[:depth])
    columns = list(zip(names, str(a)[::-1], str(b)[::-1], strict=True))
    above = ''.join(name + digit for name, digit, _ in columns)
    below = ''.join(name.lower() + digit for name, _, digit in columns)
    answer, carry = '', 0
    for name, one, other in columns:
      carry, digit = divmod(int(one) + int(other) + carry, 10)
      answer += f'{name}{one}{name.lower()}{other}{RESULTS[10 * carry + digit]}'
    return Problem(
        self.name, depth, key, f'={above}{END}{below}=', answer + END, (((a, b, names), a + b),))

  def job(self, problem: Problem, completion: str) -> Job | None:
    if not self.PROGRAM.fullmatch(completion):
      return None
    ((args, _),) = problem.hidden
    return Job(NAMED_MACHINE, 'add', (*args, completion))


def _number(rng: np.random.Generator, depth: int) -> int:
  """A number of `depth` digits; those of one digit may be 0."""
  digits = rng.integers([int(depth > 1), *[0] * (depth - 1)], 10)
  return int(''.join(map(str, digits)))


def _program(a: int, b: int) -> str:
  """The only right program."""
  program, carry = '', 0
  while a or b or carry or not program:
    carry, digit = divmod(a % 10 + b % 10 + carry, 10)
    program += f'{digit}{"c" * carry}'
    a, b = a // 10, b // 10
  return program
