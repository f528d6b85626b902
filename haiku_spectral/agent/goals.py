"""Goals that need the past: values that code computes are used many turns and kilobytes later.

A goal is a list of steps, a line and a turn each:

  v01: (831*627)%9000+1000                computes a value, which nobody knows before it ran
  v02 fill v02x=731 v02n=45               shows 900 letters that matter to nothing
  v03: (v01^214)%9000+1000 v03a=v01       uses a value by its name, which it says again behind
  v04 end

A step may use values of earlier steps, and of the goal of the day before, whose names begin with
another letter. Values have four digits.
"""

from typing import NamedTuple

import numpy as np

from haiku_spectral.requirement import require
from haiku_spectral.tasks import problem

CHANCE = 1 / 9000  # That a guess of a value is right: they are evenly spread.
SHOWN_UNIT = 20  # Bytes that a filler shows are a multiple of it.
LEAST_SHOWN, MOST_SHOWN = SHOWN_UNIT, 95 * SHOWN_UNIT
MOST_TURNS = 99
_OPERATORS = '+-*^'
_DAYS = 'vw'  # What the names of a day begin with.


class Value(NamedTuple):
  """A step that computes a value from two numbers of three digits or names of earlier values."""

  left: str
  operator: str
  right: str

  @property
  def operands(self) -> tuple[str, ...]:
    """The names that it uses."""
    return tuple(each for each in (self.left, self.right) if not each.isdigit())

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
    return '\n\n'.join(self.day_text(day) for day in range(len(self.days)))

  @property
  def turns(self) -> int:
    """Turns that it takes, those that end a day included."""
    return sum(len(day) + 1 for day in self.days)

  def day_text(self, day: int) -> str:
    """What the model is asked on a day, from 0."""
    return '\n'.join([*(line(step, label(day, number))
                        for number, step in enumerate(self.days[day], 1)),
                      f'{label(day, len(self.days[day]) + 1)} end'])


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
  """A goal on that side of the split ('train', 'gate' or 'heldout')."""
  check(spec)
  while True:
    goal = _draw(rng, spec)
    if problem.side(goal.text) == split:
      return goal


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
  bare, frame = 52, 144
  count = max(0, -(-(distance - bare) // (MOST_SHOWN + frame)))
  shown = (distance - bare) // count - frame if count else LEAST_SHOWN
  return Spec(turns=3 + count, depth=1, shown=min(max(shown, LEAST_SHOWN), MOST_SHOWN))


def label(day: int, number: int) -> str:
  """How the line of a step begins, and the name of its value; both numbers: the day from 0."""
  return f'{_DAYS[day]}{number:02}'


def line(step: Step, name: str) -> str:
  """The line of a step with a label."""
  if isinstance(step, Filler):
    return f'{name} fill {name}x={step.seed} {name}n={step.size // SHOWN_UNIT}'
  return ' '.join([f'{name}: {step.expression}', *definitions(step, name)])


def definitions(step: Value, name: str) -> list[str]:
  """The operands of a step, each behind a name of its own."""
  return [f'{name}{letter}={operand}'
          for letter, operand in zip('ab', step.operands, strict=False)]


def _draw(rng: np.random.Generator, spec: Spec) -> Goal:
  """A goal on any side of the split."""
  between = [True] * (spec.depth - 1) + [False] * (spec.turns - spec.depth - 2)
  rng.shuffle(between)
  day: list[Step] = []
  link: tuple[str, ...] = ()  # The last value of the chain.
  for number, computes in enumerate([True, *between, True], 1):
    if not computes:
      day.append(_filler(rng, spec.shown))
      continue
    last = (label(0, 1),) if number == spec.turns - 1 else ()
    day.append(_value(rng, *link, *last))
    link = (label(0, number),) if number > 1 else ()
  if not spec.next_day:
    return Goal((tuple(day),))
  fillers = [_filler(rng, spec.shown) for _ in range(spec.next_day - 2)]
  return Goal((tuple(day), (*fillers, _value(rng, label(0, 1), *link))))


def _value(rng: np.random.Generator, *operands: str) -> Value:
  """A step that uses these names, and numbers in the place of missing ones."""
  numbers = [str(number) for number in rng.integers(100, 1000, size=2 - len(operands))]
  left, right = (*operands, *numbers)
  return Value(left, _OPERATORS[rng.integers(len(_OPERATORS))], right)


def _filler(rng: np.random.Generator, shown: int) -> Filler:
  return Filler(int(rng.integers(100, 1000)), shown // SHOWN_UNIT * SHOWN_UNIT)
