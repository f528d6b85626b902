"""Many sessions at once: each is what the loop would make of it, but turns are generated together.

A session's context is kept, or cut: then each turn is generated behind its goal and the last bytes
of its document alone.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from haiku_spectral import vocab
from haiku_spectral.agent import actions, document, execution, loop, teacher
from haiku_spectral.agent import sampler as samplers
from haiku_spectral.agent.goals import Goal
from haiku_spectral.agent.sampler import ModelSampler
from haiku_spectral.agent.teacher import Played
from haiku_spectral.agent.transcript import Event
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding.context import Context
from haiku_spectral.decoding.generation import Generation, Request

# Saves contexts, and loads them and the model again.
Rest = Callable[[Sequence[Context]], tuple[ModelSampler, list[Context]]]


class _Row(NamedTuple):
  """A session and the model's context of it."""

  goal: Goal
  played: Played
  context: Context

  def after(self, event: Event, sampler: ModelSampler, *, reads: bool) -> '_Row':
    """With one more event; a context that is cut whenever it is needed is not extended."""
    context = samplers.extend(sampler, self.context, event) if reads else self.context
    return self._replace(played=self.played.after(event), context=context)


def play(
    goals: Sequence[Goal], sampler: ModelSampler, sandbox: execution.Runner, *,
    cut: int | None = None, rest: Rest | None = None,
    on_turn: Callable[[int], object] = lambda sessions: None,
) -> list[Played]:
  """The sessions of some goals, in which a day has as many turns as the teacher takes for it.

  With `cut`, contexts are the goal and so many bytes. With `rest`, all sessions are saved and
  loaded in the middle of a day, and before the next one. `on_turn` gets the number of sessions that
  have had a turn. Raises sandbox.result.Unavailable.
  """
  rows = [_Row(goal, Played(), sampler.begin()) for goal in goals]
  for day in range(max(len(goal.days) for goal in goals)):
    active = [place for place, row in enumerate(rows) if day < len(row.goal.days)]
    if day and rest:
      sampler, rows = _rested(rows, rest)
    for place in active:
      row, goal = rows[place], teacher.goal_event(rows[place].played, rows[place].goal, day)
      rows[place] = row.after(goal, sampler, reads=cut is None)
    middle = min(len(rows[place].goal.days[day]) + 1 for place in active) // 2
    number = 0
    while active := [place for place in active if not rows[place].played.history.ended]:
      if number == middle and rest:
        sampler, rows = _rested(rows, rest)
      rows = _turn(rows, active, sampler, sandbox, day, cut)
      number += 1
      on_turn(len(active))
  return [row.played for row in rows]


def _turn(
    rows: list[_Row], active: Sequence[int], sampler: ModelSampler, sandbox: execution.Runner,
    day: int, cut: int | None,
) -> list[_Row]:
  """The rows after a turn of each active one, what came of it, and the end if that is reached."""
  contexts = [row.context for row in rows]
  if cut is not None:
    for place in active:
      contexts[place] = _cut(sampler, rows[place].played.events, cut)
  texts = _generate(sampler, contexts, active)
  rows = list(rows)
  for place in active:
    row, text = rows[place], texts[place]
    row = row.after(Event('turn', text[:actions.end(text)]), sampler, reads=cut is None)
    row = row.after(loop.act(row.played.history, sandbox), sampler, reads=cut is None)
    turns = len(row.goal.days[day]) + 1
    limits = loop.Limits(turns=turns, minutes=float('inf'), executions=turns, repeats=turns)
    if reason := loop.ending(row.played.history, limits):
      row = row.after(Event('end', reason.encode()), sampler, reads=False)
    rows[place] = row
  return rows


def _generate(
    sampler: ModelSampler, contexts: Sequence[Context], active: Sequence[int]
) -> list[bytes]:
  """A turn behind each context, of which those of the active ones matter."""
  generation = Generation(
      sampler.decoder, context_lib.stack(contexts), Request(sampler.turn_bytes, sampler.key),
      sampler.config)

  def ended() -> bool:
    return all(generation.rows[place].ended or actions.end(bytes(generation.rows[place].text))
               for place in active)

  return generation.run(should_stop=ended).texts


def _cut(sampler: ModelSampler, events: Sequence[Event], count: int) -> Context:
  """The context of the last goal and of `count` other bytes at the end of the document."""
  last = max(place for place, event in enumerate(events) if event.kind == 'goal')
  before, behind = document.of(events[:last]), document.of(events[last + 1:])
  goal = document.ids(events[last], vocab.TURN if last else vocab.BOUNDARY)
  left = max(count - behind.size, 0)
  context = sampler.begin()
  for ids in (before[before.size - min(left, before.size):], goal, behind[-count:]):
    context = sampler.extend(context, ids)
  return context


def _rested(rows: Sequence[_Row], rest: Rest) -> tuple[ModelSampler, list[_Row]]:
  """The rows with contexts that were saved and loaded."""
  sampler, contexts = rest([row.context for row in rows])
  return sampler, [row._replace(context=context)
                   for row, context in zip(rows, contexts, strict=True)]
