"""What follows from a transcript: memory, files, and how much of the limits is used up."""

import dataclasses

from haiku_spectral.agent import actions, workspace
from haiku_spectral.agent.transcript import Event


@dataclasses.dataclass(frozen=True)
class History:
  """Where a session is. Counts are since the last goal was set."""

  memory: dict[str, str] = dataclasses.field(default_factory=dict)
  files: dict[str, bytes] = dataclasses.field(default_factory=dict)
  gone: frozenset[str] = frozenset()  # Names of files that there once were.
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


def after(history: History, event: Event) -> History:
  """The history with one more event. Raises ValueError for more files or memory than is allowed."""
  if event.kind == 'end':
    return dataclasses.replace(history, ended=event.text.decode())
  if event.kind == 'goal':
    history = History(history.memory, history.files, history.gone, goal=event.text)
  elif event.kind == 'turn':
    same = history.turns and wanted(event.text) == wanted(history.turn)
    history = dataclasses.replace(
        history, turn=event.text, turns=history.turns + 1,
        repeats=history.repeats + 1 if same else 1)
  changed = history.files | event.files
  files = {name: data for name, data in changed.items() if data is not None}
  workspace.check(files)
  return dataclasses.replace(
      history, memory=actions.remember(history.memory, tuple(event.memory.items())), files=files,
      gone=(history.gone | changed.keys()) - files.keys(), latest=event, ended='',
      executions=history.executions + event.executed, seconds=history.seconds + event.seconds)


def wanted(turn: bytes) -> actions.Actions | str:
  """What a turn asks for, or what is wrong with it."""
  try:
    return actions.parse(turn)
  except ValueError as error:
    return str(error)
