"""Goals that need the past: values that code computes are used many turns and kilobytes later.

A goal is a list of steps, a line and a turn each:

  #01 kpt: (831*627)%9000+1000     computes a value, which nobody knows before it ran
  #02 fill 731 45                  shows 900 letters that matter to nothing
  #03 abq: (kpt^214)%9000+1000     uses a value by its name
  #04 end

A step may use values of earlier steps, and of goals of the same session on the days before. Values
have four digits, and lines that compute one have the same length.
No name of a held-out goal is in any goal for training.
"""

import keyword
from typing import NamedTuple

import numpy as np

from haiku_spectral.requirement import require
from haiku_spectral.tasks import problem

CHANCE = 1 / 9000  # That a guess of a value is right: they are evenly spread.
SHOWN_UNIT = 20  # Bytes that a filler shows are a multiple of it.
LEAST_SHOWN, MOST_SHOWN = SHOWN_UNIT, 95 * SHOWN_UNIT
MOST_TURNS = 99
_OPERATORS = '+-*^'
_LETTERS = 'abcdefghijklmnopqrstuvwxyz'
_TAKEN = {*keyword.kwlist, 'end'}


class Value(NamedTuple):
  """A step that computes a value from two numbers of three digits or names of earlier values."""

  name: str
  left: str
  operator: str
  right: str

  @property
  def operands(self) -> tuple[str, ...]:
    """The names that it uses, each once."""
    return tuple(dict.fromkeys(each for each in (self.left, self.right) if each.isalpha()))

  @property
  def expression(self) -> str:
    """What is computed, in Python."""
    return f'({self.left}{self.operator}{self.right})%9000+1000'


class Filler(NamedTuple):
  """A step that shows `size` letters."""

  seed: int  # 100 .. 999.
  size: int  # Bytes.


Step = Value | Filler
Day = tuple[Step, ...]


class Goal(NamedTuple):
  """What a session works on: a list of steps for each day."""

  days: tuple[Day, ...]

  @property
  def text(self) -> str:
    """All of it: what names a goal."""
    return '\n\n'.join(map(day_text, self.days))

  @property
  def turns(self) -> int:
    """Turns that it takes, those that end a day included."""
    return sum(len(day) + 1 for day in self.days)


class Spec(NamedTuple):
  """Which goals.

  The first step computes a value and the last one of a day uses it. Between them is a chain of
  `depth` - 1 values, each computed from the one before; the last step uses its end, too.
  """

  turns: int = 8  # Of the first day.
  depth: int = 3
  shown: int = 200  # Bytes of each filler: the turns that are left are fillers.
  next_day: int = 0  # Turns of a second day, which uses values of the first; 0: there is none.


def check(spec: Spec) -> None:
  """Raises ValueError for goals that there are not."""
  require(spec.depth >= 1, 'depth', spec.depth, '1 or more')
  least = spec.depth + 2
  require(least <= spec.turns <= MOST_TURNS, 'turns', spec.turns,
          f'{least} (for depth {spec.depth}) to {MOST_TURNS}')
  require(LEAST_SHOWN <= spec.shown <= MOST_SHOWN, 'shown', spec.shown,
          f'{LEAST_SHOWN} to {MOST_SHOWN} bytes')
  require(spec.next_day == 0 or 2 <= spec.next_day <= MOST_TURNS, 'next_day', spec.next_day,
          f'0 or 2 to {MOST_TURNS} turns')


def draw(rng: np.random.Generator, spec: Spec, split: str) -> Goal:
  """A goal on that side of the split ('train', 'heldout')."""
  check(spec)
  first, *chain = _names(rng, spec.depth + 2, split)
  last = chain.pop()
  day = _first_day(rng, spec, first, chain)
  if not spec.next_day:
    return Goal((day,))
  fillers = [_filler(rng, spec.shown) for _ in range(spec.next_day - 2)]
  return Goal((day, (*fillers, _value(rng, last, first, chain[-1]))))


def draw_mixed(
    rng: np.random.Generator, split: str, *, most_turns: int, most_shown: int
) -> Goal:
  """A goal of any kind: most are short, and most fillers, which teach little, are as well."""
  turns = 3 + int((most_turns - 2) * rng.random()**3)
  depth = int(rng.integers(1, min(turns - 2, 8) + 1))
  shown = round(LEAST_SHOWN * (most_shown / LEAST_SHOWN)**(rng.random()**2))
  next_day = int(rng.integers(2, 4)) if rng.random() < 0.2 else 0
  return draw(rng, Spec(turns, depth, shown, next_day), split)


def of_distance(distance: int) -> Spec:
  """The goals with the fewest turns whose first value is needed about so many bytes back."""
  # Measured on the teacher's documents: what stands between the two without fillers, and what a
  # filler takes beside what it shows.
  bare, frame = 73, 89
  count = max(0, -(-(distance - bare) // (MOST_SHOWN + frame)))
  shown = (distance - bare) // count - frame if count else LEAST_SHOWN
  return Spec(turns=3 + count, depth=1, shown=min(max(shown, LEAST_SHOWN), MOST_SHOWN))


def day_text(day: Day) -> str:
  """What the model is asked on a day."""
  return '\n'.join([*(line(step, number) for number, step in enumerate(day, 1)),
                    f'{label(len(day) + 1)} end'])


def label(number: int) -> str:
  """How the line of a step begins."""
  return f'#{number:02}'


def line(step: Step, number: int) -> str:
  """The line of a step."""
  if isinstance(step, Filler):
    return f'{label(number)} fill {step.seed} {step.size // SHOWN_UNIT}'
  return f'{label(number)} {step.name}: {step.expression}'


def _first_day(rng: np.random.Generator, spec: Spec, first: str, chain: list[str]) -> Day:
  """The first value; the chain but for its end, and fillers, in any order; what uses both."""
  computes = [True] * (spec.depth - 1) + [False] * (spec.turns - spec.depth - 2)
  rng.shuffle(computes)
  links = (_value(rng, name, *chain[max(place - 1, 0):place]) for place, name in enumerate(chain))
  day = [_value(rng, first),
         *(next(links) if each else _filler(rng, spec.shown) for each in computes)]
  return *day, _value(rng, chain[-1], *chain[-2:-1], first)


def _names(rng: np.random.Generator, count: int, split: str) -> list[str]:
  """Different names on that side of the split."""
  names: dict[str, None] = {}
  while len(names) < count:
    name = ''.join(_LETTERS[letter] for letter in rng.integers(len(_LETTERS), size=3))
    if name not in _TAKEN and problem.side(name) == split:
      names[name] = None
  return list(names)


def _value(rng: np.random.Generator, name: str, *operands: str) -> Value:
  """A step that uses these names, and numbers in the place of missing ones."""
  numbers = [str(number) for number in rng.integers(100, 1000, size=2 - len(operands))]
  left, right = (*operands, *numbers)
  return Value(name, left, _OPERATORS[rng.integers(len(_OPERATORS))], right)


def _filler(rng: np.random.Generator, shown: int) -> Filler:
  return Filler(int(rng.integers(100, 1000)), shown // SHOWN_UNIT * SHOWN_UNIT)
