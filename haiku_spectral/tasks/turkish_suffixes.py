"""Chains of Turkish suffixes: take a word apart, or put one together.

Analysis is by synthesis: the model gets a stem and a word and generates a program, which is right
if it gives the word back. No prompt needs a label, and all programs that do are equally right.

One word has up to six suffixes; a deeper problem is a sentence of several words, whose suffixes
are counted together.
"""

import functools
import inspect
import re

import numpy as np

from haiku_spectral.sandbox.result import Job
from haiku_spectral.tasks import turkish_operators
from haiku_spectral.tasks.problem import SPLITS, Family, Problem, check_request, side
from haiku_spectral.tasks.turkish_operators import SUFFIXES, attach, build, follows, spelling
from haiku_spectral.tasks.turkish_stems import STEMS, root

Drawn = tuple[tuple[str, str], ...]  # Stem and program of each word.

OPERATORS = inspect.getsource(turkish_operators)  # What the sandbox runs.
ECHO = 'def echo(words):\n  return words\n'
LONGEST = 6  # Suffixes of a word.
_LETTERS = 'abcçdefgğhıijklmnoöprsştuüvyz'
_NAME = rf'\+(?:{"|".join(SUFFIXES)})'


def _sentence(word: str) -> re.Pattern[str]:
  """One or two of what matches a word."""
  return re.compile(f'{word}(?:;{word})?')


PROGRAM = _sentence(rf'(?:{_NAME}){{1,{LONGEST}}}')
STEPS = _sentence(rf'[{_LETTERS}]{{1,4}}{_NAME}(?: [{_LETTERS}]{{1,4}}{_NAME}){{0,{LONGEST - 1}}}')
WORD = _sentence(f'[{_LETTERS}]{{1,48}}')


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
  """What all directions share: a stem and a chain are drawn for each word, each uniformly.

  The object is the stem and its related ones: what is held out is held out with all its words,
  either way, and no training stem builds one of them. The stems of a sentence are of one side.
  """

  version = '3'
  depths = range(1, 2 * LONGEST + 1)

  def propose(self, rng: np.random.Generator, depth: int, split: str) -> Problem:
    check_request(self, depth, split)
    words = -(-depth // LONGEST)
    parts = [(depth + place) // words for place in range(words)]  # Suffixes of each word.
    drawn = []
    for part in parts:
      stem = stems(split)[rng.integers(len(stems(split)))]
      chain = chains(part)[rng.integers(len(chains(part)))]
      drawn.append((stem, ''.join(f'+{name}' for name in chain)))
    return self._problem(depth, tuple(drawn))

  def split(self, key: str) -> str:
    sides = {side(stem) for stem in key.split()}
    return next(each for each in reversed(SPLITS) if each in sides)

  def _problem(self, depth: int, drawn: Drawn) -> Problem:
    raise NotImplementedError


class TurkishSuffixes(_SuffixChains):
  """Analysis: `ev:evlerimde>` is answered by `+pl+p1+loc`, which the sandbox executes."""

  name = 'turkish_suffixes'
  max_bytes = 2 * 4 * LONGEST + 2
  SHAPE, FUNCTION = PROGRAM, 'build_words'

  def _problem(self, depth: int, drawn: Drawn) -> Problem:
    words = [build(stem, program) for stem, program in drawn]
    prompt = ' '.join(f'{stem}:{word}' for (stem, _), word in zip(drawn, words, strict=True))
    return Problem(self.name, depth, _key(drawn), f'{prompt}>',
                   ';'.join(self._answer(stem, program) for stem, program in drawn),
                   ((([stem for stem, _ in drawn],), words),))

  def _answer(self, stem: str, program: str) -> str:
    del stem
    return program

  def job(self, problem: Problem, completion: str) -> Job | None:
    if not self.SHAPE.fullmatch(completion):
      return None
    ((args, _),) = problem.hidden
    return Job(OPERATORS, self.FUNCTION, (*args, completion.split(';')))


class TurkishSteps(TurkishSuffixes):
  """The same in steps: `ler+pl im+p1 de+loc` spells each suffix before it names it."""

  name = 'turkish_steps'
  version = '1'
  max_bytes = 2 * 10 * LONGEST + 2
  SHAPE, FUNCTION = STEPS, 'build_steps'

  def _answer(self, stem: str, program: str) -> str:
    word, previous, steps = stem, None, []
    for name in program.split('+')[1:]:
      steps.append(f'{spelling(word, previous, name)}+{name}')
      word, previous = attach(word, previous, name), name
    return ' '.join(steps)


class TurkishSynthesis(_SuffixChains):
  """Synthesis: `ev+pl+p1+loc=` is answered by `evlerimde`.

  A word is no program, so nothing that the model generated is executed: the word crosses the
  sandbox as data, on the way of all answers, and the host compares it.
  """

  name = 'turkish_synthesis'
  max_bytes = 128

  def _problem(self, depth: int, drawn: Drawn) -> Problem:
    words = [build(stem, program) for stem, program in drawn]
    prompt = ';'.join(stem + program for stem, program in drawn)
    return Problem(self.name, depth, _key(drawn), f'{prompt}=', ';'.join(words), (((), words),))

  def job(self, problem: Problem, completion: str) -> Job | None:
    return Job(ECHO, 'echo', (completion.split(';'),)) if WORD.fullmatch(completion) else None


def _key(drawn: Drawn) -> str:
  return ' '.join(root(stem) for stem, _ in drawn)
