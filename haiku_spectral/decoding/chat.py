"""A conversation in a terminal, kept in a file: a line in, an answer out, the file up to date.

The context is the user's line, vocab.TURN, the model's answer, vocab.TURN, the next line and so on.
"""

import dataclasses
import functools
import os
from collections.abc import Callable
from typing import Protocol, TextIO

import numpy as np

from haiku_spectral import shutdown, vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import display, session

HELP = """/info       what the session holds
/fork PATH  copy the session: PATH goes on from here, and so does this conversation
/quit       end; Ctrl-D does the same. Ctrl-C ends an answer
/help       this
//TEXT      say /TEXT"""


class Answer(Protocol):
  """What a conversation needs of `generation.Generation`."""

  def run(
      self, on_bytes: Callable[[int, bytes], None], should_stop: Callable[[], bool]
  ) -> 'Answer':
    """Generates the answer; returns itself."""

  def context(self) -> context_lib.Context:
    """The context after exactly the answer."""


@dataclasses.dataclass
class Conversation:
  """Where a conversation is, and how it goes on."""

  context: context_lib.Context  # One row.
  prefill: Callable[[context_lib.Context, np.ndarray], context_lib.Context]  # Ids: [1, T] int32.
  answer: Callable[[context_lib.Context], Answer]  # Behind a context of one row; has not run yet.
  path: str | None = None  # Of the session, if there is one.
  owner: session.Owner | None = None  # Of the model, for the session.
  saved: bool = False  # Whether the file holds this context.

  def turn(
      self, line: bytes, on_bytes: Callable[[int, bytes], None], should_stop: Callable[[], bool]
  ) -> None:
    """One turn of each. If it fails, the conversation is where it was."""
    context = self.prefill(
        self.context, vocab.turn_ids(line, int(self.context.recent[0, -1]))[np.newaxis])
    self.context = self.answer(context).run(on_bytes, should_stop).context()
    self.saved = False

  def save(self) -> None:
    """Brings the file up to date."""
    if self.path and self.owner and not self.saved:
      session.save(self.path, self.context, self.owner)
      self.saved = True

  def info(self) -> str:
    """What the session holds, as a line."""
    return session.describe(self._file())

  def fork(self, path: str) -> str:
    """Copies the session to `path`."""
    if not path:
      raise ValueError('/fork needs a path: give one where nothing is.')
    session.fork(self._file(), path)
    return f'{path}: goes on from here'

  def _file(self) -> str:
    """The path of the file, up to date."""
    if not self.path:
      raise ValueError('this conversation is not kept: start with --session=PATH.')
    self.save()
    return self.path


def run(
    conversation: Conversation, ask: Callable[[], str], stream: TextIO, notes: TextIO
) -> None:
  """Asks for lines and answers them until there are no more; saves after each turn.

  `ask` is as `input`: EOFError and KeyboardInterrupt end the conversation. Answers go to `stream`,
  all else to `notes`. An answer is ended by SIGINT, and the conversation with it by SIGTERM; what
  was shown until then is in the context. A session that cannot be saved is an error line at once,
  and tried again after each turn; the last time the OSError is raised.
  """
  try:
    while _next(conversation, ask, stream, notes):
      pass
  finally:
    conversation.save()


def _next(
    conversation: Conversation, ask: Callable[[], str], stream: TextIO, notes: TextIO
) -> bool:
  """Asks for one line and does what it says. Returns whether to go on."""
  try:
    line = ask()
  except (EOFError, KeyboardInterrupt):
    print(file=notes)
    return False
  if line.strip() == '/quit':
    return False
  if line.startswith('/') and not line.startswith('//'):
    _tell(notes, functools.partial(_command, conversation, line))
  elif line.strip():
    said = line[1:] if line.startswith('//') else line
    return _turn(conversation, os.fsencode(said), stream, notes)
  return True


def _turn(conversation: Conversation, line: bytes, stream: TextIO, notes: TextIO) -> bool:
  """Answers a line and saves. Returns whether to go on."""
  screen = display.Display(stream)
  with shutdown.caught() as interrupted:
    try:
      conversation.turn(line, screen.feed, lambda: interrupted() or screen.closed)
    except KeyboardInterrupt:  # A second one: from somebody who does not want this turn at all.
      print('the turn is forgotten', file=notes)
    screen.close([b''])
    _tell(notes, conversation.save)
    return interrupted.reason != 'SIGTERM' and not screen.closed


def _command(conversation: Conversation, line: str) -> str:
  """What a command has to say; ValueError or OSError when it cannot be done."""
  name, _, rest = line.partition(' ')
  match name:
    case '/info':
      return conversation.info()
    case '/fork':
      return conversation.fork(os.path.expanduser(rest.strip()))
    case '/help':
      return HELP
  raise ValueError(f'there is no command {name}: /help lists them, and //… says /…')


def _tell(notes: TextIO, action: Callable[[], str | None]) -> None:
  """Prints what comes of an action; mistakes do not end the conversation."""
  try:
    said = action()
  except (ValueError, OSError) as error:
    said = f'error: {error}'
  if said:
    print(said, file=notes)
