"""Chains of Turkish suffixes: take a word apart, or put one together.

Analysis is by synthesis: the model gets a stem and a word and generates a program, which is right
if it gives the word back. No prompt needs a label, and all programs that do are equally right.
"""

import functools
import inspect
import re

import numpy as np

from haiku_spectral.sandbox.result import ExecResult, Job, Status
from haiku_spectral.tasks import turkish_operators
from haiku_spectral.tasks.problem import Family, Problem, check_request, identical, side
from haiku_spectral.tasks.turkish_operators import SUFFIXES, build, follows
from haiku_spectral.tasks.turkish_stems import STEMS, root

OPERATORS = inspect.getsource(turkish_operators)  # What the sandbox runs.
ECHO = 'def echo(word):\n  return word\n'
PROGRAM = re.compile(rf'(?:\+(?:{"|".join(SUFFIXES)})){{1,6}}')
WORD = re.compile('[abcçdefgğhıijklmnoöprsştuüvyz]{1,48}')


@functools.cache
def chains(depth: int) -> tuple[tuple[str, ...], ...]:
  """All chains of `depth` suffixes whose slots are in order."""
  if depth == 0:
    return ((),)
  return tuple((*chain, name) for chain in chains(depth - 1) for name in SUFFIXES
               if follows(chain[-1] if chain else None, name))


@functools.cache
def stems(split: str) -> tuple[str, ...]:
  """The stems of one side of the split, related ones together."""
  return tuple(stem for stem in STEMS if side(root(stem)) == split)


class _SuffixChains(Family):
  """What both directions share: a stem and a chain are drawn, each uniformly.

  The object is the stem and its related ones: what is held out is held out with all its words,
  either way, and no training stem builds one of them.
  """

  version = '2'
  depths = range(1, 7)

  def propose(self, rng: np.random.Generator, depth: int, split: str) -> Problem:
    check_request(self, depth, split)
    stem = stems(split)[rng.integers(len(stems(split)))]
    chain = chains(depth)[rng.integers(len(chains(depth)))]
    program = ''.join(f'+{name}' for name in chain)
    return self._problem(depth, stem, program, build(stem, program))

  def _problem(self, depth: int, stem: str, program: str, word: str) -> Problem:
    raise NotImplementedError

  def check(self, problem: Problem, result: ExecResult) -> bool:
    ((_, expected),) = problem.hidden
    return result.status is Status.OK and identical(result.value, expected)


class TurkishSuffixes(_SuffixChains):
  """Analysis: `ev:evlerimde>` is answered by `+pl+p1+loc`, which the sandbox executes."""

  name = 'turkish_suffixes'
  max_bytes = 25

  def _problem(self, depth: int, stem: str, program: str, word: str) -> Problem:
    return Problem(self.name, depth, root(stem), f'{stem}:{word}>', program, (((stem,), word),))

  def job(self, problem: Problem, completion: str) -> Job | None:
    if not PROGRAM.fullmatch(completion):
      return None
    ((args, _),) = problem.hidden
    return Job(OPERATORS, 'build', (*args, completion))


class TurkishSynthesis(_SuffixChains):
  """Synthesis: `ev+pl+p1+loc=` is answered by `evlerimde`.

  A word is no program, so nothing that the model generated is executed: the word crosses the
  sandbox as data, on the way of all answers, and the host compares it.
  """

  name = 'turkish_synthesis'
  max_bytes = 64

  def _problem(self, depth: int, stem: str, program: str, word: str) -> Problem:
    return Problem(self.name, depth, root(stem), f'{stem}{program}=', word, (((), word),))

  def job(self, problem: Problem, completion: str) -> Job | None:
    return Job(ECHO, 'echo', (completion,)) if WORD.fullmatch(completion) else None
