"""A teacher: the turns that reach a goal of `goals`, and whole sessions of them to learn from.

  REMEMBER v02=4821                         what the last step computed
  v03: (v02^214)%9000+1000 v03a=v02         the line of the goal
  ```
  v03a=v02=4821                             each value that is used, as it was remembered
  print(f"v03={(v02^214)%9000+1000}")       what is observed has the form of what is remembered
  ```

So each byte that depends on the past follows what stood before it there, too: `v02=`, `v03a=`.
"""

import contextlib
import copy
import io
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from haiku_spectral.agent import actions, execution, goals, history, loop
from haiku_spectral.agent.goals import Filler, Goal
from haiku_spectral.agent.history import History
from haiku_spectral.agent.transcript import Event
from haiku_spectral.sandbox.result import ExecResult, Limits, Status

_NAME = rb'([vw]\d\d)=(\d{4})'
_COMPUTED = re.compile(rb'ok\n' + _NAME)


class Played(NamedTuple):
  """A session so far."""

  events: tuple[Event, ...] = ()
  history: History = History()

  def after(self, event: Event) -> 'Played':
    """With one more event."""
    return Played((*self.events, event), history.after(self.history, event))


class Trusted:
  """Runs the teacher's own code in this process; that of a model belongs into a sandbox."""

  def run(self, source: str, function: str, args: tuple, limits: Limits) -> ExecResult:
    """See `execution.Runner`."""
    del limits
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as out:
      exec(source, names)
      value = names[function](*copy.deepcopy(args))
    return ExecResult(status=Status.OK, value=value, stdout=out.getvalue())


def goal_event(played: Played, goal: Goal, day: int) -> Event:
  """The goal of a day (from 0), with all that is remembered of the days before."""
  return Event('goal', goal.day_text(day).encode(), memory=played.history.memory)


def turn(played: Played, goal: Goal) -> bytes:
  """What the teacher does next."""
  today = sum(event.kind == 'goal' for event in played.events) - 1
  day = goal.days[today]
  number, known = played.history.turns + 1, dict(played.history.memory)
  lines = []
  if (latest := played.history.latest) and (found := _COMPUTED.match(latest.text)):
    name, value = (part.decode() for part in found.groups())
    known[name] = value
    lines.append(f'REMEMBER {name}={value}')
  label = goals.label(today, number)
  if number > len(day):
    return '\n'.join([*lines, f'{label} end', 'DONE', '']).encode()
  step = day[number - 1]
  return '\n'.join(
      [*lines, goals.line(step, label), '```', *_code(step, label, known), '```', '']).encode()


def _code(step: goals.Step, label: str, known: Mapping[str, str]) -> list[str]:
  """The lines of a block of code."""
  if isinstance(step, Filler):
    return [f'x={label}x={step.seed}', f'n={label}n={step.size // goals.SHOWN_UNIT}',
            f'for i in range({goals.SHOWN_UNIT}*n):x=x*75%65537;print(end=chr(97+x*26//65537))',
            f'print("\\n{label}")']
  return [*(f'{defined}={known[name]}' for defined, name in zip(
      goals.definitions(step, label), step.operands, strict=True)),
          f'print(f"{label}={{{step.expression}}}")']


def play(goal: Goal, runner: execution.Runner | None = None) -> Played:
  """The teacher's session."""
  played = Played()
  for number, day in enumerate(goal.days):
    played = played.after(goal_event(played, goal, number))
    for _ in range(len(day) + 1):
      played = played.after(Event('turn', turn(played, goal)))
      played = played.after(loop.act(played.history, runner or Trusted()))
    played = played.after(Event('end', loop.DONE.encode()))
  return played


def result(goal: Goal, events: Sequence[Event]) -> tuple[bool, float]:
  """Whether a session has reached its goal, and the share of its values that are right.

  A value is right if code computed it and if it is remembered. A goal is reached if all are, if
  code showed all that it was to show, and if the session said so on each day.
  """
  taught, after = play(goal), History()
  for event in events:
    after = history.after(after, event)
  computed = {tuple(part.decode() for part in found.groups()) for event in events
              if event.executed and (found := _COMPUTED.match(event.text))}
  right = [(name, value) in computed and after.memory.get(name) == value
           for name, value in taught.history.memory.items()]
  ends = [event.text.decode() for event in events if event.kind == 'end']
  done = ends == [loop.DONE] * len(goal.days) and _shown(taught.events) <= _shown(events)
  return done and all(right), sum(right) / len(right)


def _shown(events: Sequence[Event]) -> set[bytes]:
  """What code has shown."""
  return {event.text for event in events if event.executed}


def distance(events: Sequence[Event]) -> int:
  """The most bytes between a value of a teacher's session and where it is needed again.

  From the beginning of the last `name=value` before to the value in the code.
  """
  longest, position, places = 0, 0, dict[bytes, int]()
  for event in events:
    text = event.text
    if event.kind == 'goal':
      text = actions.assignments(event.memory) + text
    for found in re.finditer(_NAME, text):
      place = position + found.start()
      if event.kind == 'turn' and actions.REMEMBER not in text[:found.start()].split(b'\n')[-1]:
        longest = max(longest, place - places[found[1]])
      places[found[1]] = place
    position += len(text) + 2 * (event.kind == 'observation') + (event.kind == 'goal')
  return longest
