"""The loop: generate a turn, do what it asks for, extend the context by what came of it.

What comes next follows from the transcript alone. So a session that was stopped, or killed at any
moment, goes on as if nothing had happened.
"""

import dataclasses
import time
from collections.abc import Callable

from haiku_spectral.agent import actions, execution, workspace
from haiku_spectral.agent.folder import Folder
from haiku_spectral.agent.history import History
from haiku_spectral.agent.sampler import Sampler
from haiku_spectral.agent.transcript import Event
from haiku_spectral.requirement import require

DONE = 'done'  # How a session ends that no limit has ended.
_REACHED = b'done'  # Observed behind DONE; what code prints stands behind how it ended.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
  """For one goal. A session that ended at one goes on when it is raised."""

  turns: int = 32
  minutes: float = 10.0  # Of generating and of running code.
  executions: int = 16
  repeats: int = 3  # Turns in a row that ask for the same.

  def __post_init__(self) -> None:
    """Raises ValueError naming the limit that is wrong."""
    require(self.executions >= 0, 'executions', self.executions, '0 or more')
    for name in ('turns', 'minutes', 'repeats'):
      require(getattr(self, name) > 0, name, getattr(self, name), 'more than 0')


def run(
    folder: Folder,
    sampler: Sampler,
    sandbox: execution.Runner,
    limits: Limits,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_event: Callable[[Event], None] = lambda event: None,
    clock: Callable[[], float] = time.monotonic,  # Seconds.
) -> str:
  """Goes on towards the folder's goal.

  Returns DONE, the name of the limit that ended it, or nothing if `should_stop` did. Half a turn is
  none: it is generated again, and is then the same. Raises sandbox.result.Unavailable.
  """
  while not should_stop():
    if reason := ending(folder.history, limits):
      folder.add(Event('end', reason.encode()))
      return reason
    start = clock()
    if folder.history.latest and folder.history.latest.kind == 'turn':
      event = act(folder.history, sandbox)
    else:
      text = sampler.generate(folder.context, should_stop)
      if should_stop():
        break
      event = Event('turn', text[:actions.end(text)])
    event = dataclasses.replace(event, seconds=clock() - start)
    folder.add(event)
    on_event(event)
  return ''


def ending(history: History, limits: Limits) -> str:
  """Why nothing more may happen, if so."""
  latest = history.latest
  if latest and latest.kind == 'turn':
    return 'executions' if history.wants_code and history.executions >= limits.executions else ''
  if latest and latest.kind == 'observation' and latest.text == _REACHED:
    return DONE
  used = {'turns': history.turns, 'minutes': history.seconds / 60, 'repeats': history.repeats}
  return next((name for name, count in used.items() if count >= getattr(limits, name)), '')


def act(history: History, sandbox: execution.Runner) -> Event:
  """Does what the last turn asks for."""
  try:
    wanted = actions.parse(history.turn)
    memory = actions.remember(history.memory, wanted.memory)
  except ValueError as error:
    return Event('observation', f'mistake: {error}'.encode())
  changes = dict(wanted.memory)
  if wanted.code is None:
    return Event('observation', _REACHED if wanted.done else b'remembered', memory=changes)
  shown, files = execution.run(sandbox, wanted.code, history.files, memory)
  return Event(
      'observation', shown, workspace.changes(history.files, files), changes, executed=True)
