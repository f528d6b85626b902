"""What follows from a transcript: memory, files, and how much of the limits is used up."""

import dataclasses
from collections.abc import Sequence

from haiku_spectral.agent import actions
from haiku_spectral.agent.transcript import Event


@dataclasses.dataclass
class Past:
  """Where a session is. Counts are since the last goal was set."""

  memory: dict[str, str] = dataclasses.field(default_factory=dict)
  files: dict[str, bytes] = dataclasses.field(default_factory=dict)
  gone: set[str] = dataclasses.field(default_factory=set)  # Names of files that there once were.
  goal: bytes = b''
  latest: Event | None = None  # The last event that is no end.
  turn: bytes = b''  # The last one.
  ended: str = ''  # Why, if it has.
  turns: int = 0
  executions: int = 0
  repeats: int = 0  # Turns up to the last one that ask for the same.
  seconds: float = 0.0

  @property
  def wants_code(self) -> bool:
    """Whether the last turn has a block of code."""
    asked = wanted(self.turn)
    return isinstance(asked, actions.Actions) and asked.code is not None


def of(events: Sequence[Event]) -> Past:
  """The past that these events are."""
  past = Past()
  for event in events:
    if event.kind == 'end':
      past.ended = event.text.decode()
      continue
    if event.kind == 'goal':
      past = Past(past.memory, past.files, past.gone, goal=event.text)
    elif event.kind == 'turn':
      same = past.turns and wanted(event.text) == wanted(past.turn)
      past.repeats = past.repeats + 1 if same else 1
      past.turns += 1
      past.turn = event.text
    past.executions += event.executed
    past.seconds += event.seconds
    past.memory = actions.remember(past.memory, tuple(event.memory.items()))
    files = past.files | event.files
    past.files = {name: data for name, data in files.items() if data is not None}
    past.gone = (past.gone | files.keys()) - past.files.keys()
    past.latest, past.ended = event, ''
  return past


def wanted(turn: bytes) -> actions.Actions | str:
  """What a turn asks for, or what is wrong with it."""
  try:
    return actions.parse(turn)
  except ValueError as error:
    return str(error)
