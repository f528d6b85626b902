"""The folder of a session: its transcript, and what people and the model have of it.

  transcript.jsonl  what happened: the one truth
  memory.json       what is remembered
  workspace/        the files
  state             the model's context, for a start without prefilling all of it again
"""

import json
import os
import pathlib
from collections.abc import Callable

from haiku_spectral.agent import history as history_lib
from haiku_spectral.agent import sampler as sampler_lib
from haiku_spectral.agent import transcript, workspace
from haiku_spectral.agent.transcript import Event, Transcript
from haiku_spectral.decoding import session
from haiku_spectral.decoding.context import Context

TRANSCRIPT, MEMORY, WORKSPACE, STATE = 'transcript.jsonl', 'memory.json', 'workspace', 'state'
_AGAIN = 'the transcript is prefilled again'


class Folder:
  """A session on disk, and the model's context of it. `report` gets lines for people.

  Raises ValueError or OSError for a folder that cannot be used.
  """

  def __init__(
      self, path: str | os.PathLike[str], sampler: sampler_lib.Sampler, owner: session.Owner,
      report: Callable[[str], None] = lambda line: None,
  ) -> None:
    self._path = pathlib.Path(path)
    self._sampler, self._owner, self._report = sampler, owner, report
    self._workspace = self._path / WORKSPACE
    _check_place(self._path)
    self._workspace.mkdir(parents=True, exist_ok=True)
    self._transcript = Transcript(self._path / TRANSCRIPT)
    try:
      self._open()
    except BaseException:
      self.close()
      raise

  def _open(self) -> None:
    if self._transcript.cut:
      self._report(f'transcript: {self._transcript.cut} bytes of an unfinished line were cut off '
                   f'and are kept in {self._transcript.kept_in}')
    self.history = history_lib.History()
    for number, event in enumerate(self._transcript.events, 1):
      try:
        self.history = history_lib.after(self.history, event)
      except ValueError as error:
        raise transcript.damaged(self._transcript.path, number, error) from error
    if self.history.latest:
      for name in self._show():
        self._report(f'workspace: {name} was not what the transcript says; now it is')
    self.context = self._make_context()

  def close(self) -> None:
    """Lets other processes have it."""
    self._transcript.close()

  def set_goal(self, text: bytes) -> None:
    """Sets a goal, and takes over the files that people have put into the workspace.

    The goal that the session has goes on. Raises ValueError for another one while that is open.
    """
    history = self.history
    if history.latest and (not text or text == history.goal):
      return
    if not text:
      raise ValueError(f'{self._path} has no goal yet: give --goal.')
    if history.latest and not history.ended:
      shown = history.goal.decode(errors='replace')
      raise ValueError(
          f'{self._path} is still at another goal ({shown!r:.80}): leave --goal out to go on with '
          'it, or give another --session.')
    files = workspace.read(self._workspace)
    self.add(Event('goal', text, workspace.changes(history.files, files), history.memory))

  def add(self, event: Event) -> None:
    """Notes an event, and shows what it changes. The context is saved behind each turn."""
    self._transcript.append(event)
    self.history = history_lib.after(self.history, event)
    if event.files or event.memory:
      self._show()
    self.context = sampler_lib.extend(self._sampler, self.context, event)
    if event.kind == 'observation':
      session.save(
          self._path / STATE, self.context, self._owner, history=self._transcript.digests[-1])

  def _show(self) -> list[str]:
    """Brings what people see up to date; returns the names of the files that were not."""
    changed = workspace.write(self._workspace, self.history.files, self.history.gone)
    memory = json.dumps(self.history.memory, indent=2, ensure_ascii=False).encode() + b'\n'
    path = self._path / MEMORY
    if not workspace.holds(path, memory):
      workspace.replace(path, memory)
    return changed

  def _make_context(self) -> Context:
    """The context behind the transcript: what is saved of it, and the rest prefilled."""
    context, count = self._sampler.begin(), 0
    if self.history.latest:
      try:
        context, count = self._load(context)
      except (ValueError, OSError) as error:
        self._report(f'state: {str(error).partition(": ")[0].rstrip(".")}: {_AGAIN}')
      else:
        self._report(f'state: {int(context.position[0]):,} bytes of context were loaded')
    for event in self._transcript.events[count:]:
      context = sampler_lib.extend(self._sampler, context, event)
    return context

  def _load(self, like: Context) -> tuple[Context, int]:
    """The saved context, and of how many events it is."""
    path = self._path / STATE
    digest = session.info(path).history
    if digest not in self._transcript.digests:
      raise ValueError(f'Session {path} is of another transcript')
    return session.load(path, like, self._owner), self._transcript.digests.index(digest)


def _check_place(path: pathlib.Path) -> None:
  """Raises ValueError for links, which change files elsewhere, and for pipes, which wait."""
  for name in (TRANSCRIPT, TRANSCRIPT + transcript.LOCK, MEMORY, STATE, WORKSPACE):
    entry = path / name
    fits = entry.is_dir() if name == WORKSPACE else entry.is_file()
    if entry.is_symlink() or (entry.exists() and not fits):
      kind = 'folder' if name == WORKSPACE else 'regular file'
      raise ValueError(f"{entry} is no {kind} of the session's own: move it away, or give another "
                       '--session.')
