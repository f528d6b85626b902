"""A request while it is generated: from the engine's thread to the one that answers."""

import asyncio
import logging
from typing import NamedTuple

import numpy as np

from haiku_spectral.decoding.context import Context
from haiku_spectral.serving import errors
from haiku_spectral.serving import recall as recall_lib
from haiku_spectral.serving import session as session_lib
from haiku_spectral.serving.job import End, Piece
from haiku_spectral.serving.session import Session
from haiku_spectral.serving.sessions import Sessions


class Prefilled(NamedTuple):
  """Bytes of the prompt are in the context."""

  log_probs: np.ndarray  # [N] nats
  repeats: np.ndarray | None  # [N, 2]: see `Recall.extend`.


class Generated(NamedTuple):
  """Bytes of a choice."""

  choice: int
  piece: Piece
  repeats: np.ndarray | None  # [N, 2]


class Ended(NamedTuple):
  """A choice is complete."""

  choice: int
  end: End


class Kept(NamedTuple):
  """The session is ready for its next turn."""


Event = Prefilled | Generated | Ended | Kept | Exception


class Events:
  """An observer that hands everything on to a coroutine, and keeps the turn of a session.

  A turn is kept whether or not somebody still listens: what was generated is in the session.
  """

  def __init__(
      self, prompt: bytes, *, recall: recall_lib.Recall | None = None,
      session: Session | None = None, sessions: Sessions | None = None,
  ) -> None:
    self._queue: asyncio.Queue[Event] = asyncio.Queue()
    self._loop = asyncio.get_running_loop()
    self._prompt, self._recall = prompt, recall
    self._session, self._sessions = session, sessions
    self._kept = False
    self._seen = 0  # Bytes of the prompt.
    self._log_probs: list[np.ndarray] = []

  @property
  def keeps(self) -> bool:
    """Whether `Kept` comes at the end."""
    return self._session is not None

  async def next(self) -> Event:
    """The next event. Raises what the engine failed with."""
    event = await self._queue.get()
    if isinstance(event, Exception):
      raise event
    return event

  def prefilled(self, log_probs: np.ndarray) -> None:
    data = self._prompt[self._seen:self._seen + len(log_probs)]
    self._seen += len(log_probs)
    self._log_probs.append(log_probs)
    self._put(Prefilled(log_probs, self._repeats(data)))

  def piece(self, choice: int, piece: Piece) -> None:
    self._put(Generated(choice, piece, self._repeats(piece.data)))

  def ended(self, choice: int, end: End) -> None:
    try:
      self._keep(end)
    except OSError as error:
      self._put(errors.storage_full(f'the turn could not be kept: {error.strerror}.'))
      return
    self._put(Ended(choice, end))

  def _keep(self, end: End) -> None:
    """Notes the turn, unless it was given up before the prompt was in the context."""
    if not self._session or self._seen < len(self._prompt):
      return
    if self._prompt or end.ids.size:
      log_probs = np.concatenate([*self._log_probs, np.array(end.log_probs, np.float32)])
      self._session.append(session_lib.new_turn(
          self._prompt, end.text, log_probs, document_ended=end.document_ended,
          finish=end.finish))
    self._kept = True

  def context(self, context: Context | None) -> None:
    if self._session and self._sessions:
      if context is not None and self._kept:
        self._session.set_context(context)
      self._sessions.release(self._session)
      self._put(Kept())

  def failed(self, error: Exception) -> None:
    if self._session and self._sessions:
      self._sessions.release(self._session)
    self._put(error)

  def _repeats(self, data: bytes) -> np.ndarray | None:
    return self._recall.extend(data) if self._recall else None

  def _put(self, event: Event) -> None:
    try:
      self._loop.call_soon_threadsafe(self._queue.put_nowait, event)
    except RuntimeError:  # The loop has ended: nobody listens.
      logging.debug('an event was dropped')
