"""The sessions of a server: a folder with a folder for each, by names that can be nothing else."""

import concurrent.futures
import contextlib
import logging
import os
import pathlib
import re
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from haiku_spectral.serving import errors, turns
from haiku_spectral.serving.session import SAVE_EVERY, STATE, Model, Session
from haiku_spectral.serving.turns import Summary
from haiku_spectral.storage import atomic_file, file_lock

_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]{0,63}')
# What forks and deletions leave that were cut short.
_LEFTOVER = re.compile(rf'\.{_NAME.pattern}\.[0-9a-f]{{8}}')
_LOCK = '.lock'


class Limits(NamedTuple):
  """What a server keeps."""

  sessions: int
  disk_bytes: int  # Of all sessions together.
  in_memory: int  # Sessions whose state is kept in memory between their turns.


class Sessions:
  """All sessions of a folder. Its methods may be called from any thread; they raise ApiError."""

  def __init__(self, folder: pathlib.Path, model: Model, limits: Limits) -> None:
    """Raises ValueError or OSError when the folder cannot be used."""
    self._folder, self._model, self._limits = folder, model, limits
    self._lock = threading.RLock()
    self._open: OrderedDict[str, Session] = OrderedDict()  # The latest used last.
    self._busy: set[str] = set()
    self._known: dict[str, Summary] = {}
    self._bytes: dict[str, int] = {}  # On disk.
    self._saver = concurrent.futures.ThreadPoolExecutor(1, 'saver')
    self._stack = contextlib.ExitStack()
    atomic_file.check_folder(folder, what='The folder of sessions', flag='--sessions')
    self._stack.enter_context(file_lock.exclusive(
        folder / _LOCK, busy=f'another server uses {folder}',
        advice='end it, or give another --sessions.'))
    for entry in folder.iterdir():
      if _LEFTOVER.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
      elif _NAME.fullmatch(entry.name) and (entry / turns.FILE).is_file():
        self._look_at(entry.name)

  def _look_at(self, name: str) -> None:
    """Takes a session into the list; one that is damaged stays where it is and is not listed."""
    try:
      log = turns.Log(self._folder / name)
    except (ValueError, OSError) as error:
      logging.error('session %s cannot be used: %s', name, error)
      return
    self._known[name] = log.summary(self._folder / name)
    log.close()
    self._measure(name)

  def names(self) -> list[str]:
    """The latest used first."""
    with self._lock:
      return sorted(self._known, key=lambda name: -self._known[name].updated)

  def summary(self, name: str) -> Summary:
    """What a session is about. Raises ApiError (404) when there is no such session."""
    with self._lock:
      if name not in self._known:
        raise errors.not_found(f'there is no session {name!r:.80}.')
      return self._known[name]

  def is_busy(self, name: str) -> bool:
    """Whether a turn of it is in work."""
    return name in self._busy

  @property
  def disk_bytes(self) -> int:
    """Bytes of all sessions on the disk."""
    return sum(self._bytes.values())

  def create(self, name: str | None = None) -> str:
    """Makes an empty session; returns its name."""
    with self._lock:
      name = self._free_name(name)
      self._open[name] = Session(name, self._folder / name, self._model)
      self._note(name)
      self._make_room(name)
      return name

  def fork(self, name: str, new_name: str | None = None) -> str:
    """Makes a session that goes on from where another one is."""
    with self.used(name) as session:
      session.save()
      with self._lock:
        new_name = self._free_name(new_name)
        unfinished = self._aside(new_name)
        try:
          unfinished.mkdir(mode=0o700)
          for file in (turns.FILE, STATE):
            if (session.folder / file).exists():
              shutil.copy2(session.folder / file, unfinished / file)
          atomic_file.publish(unfinished, self._folder / new_name)
        except OSError as error:
          shutil.rmtree(unfinished, ignore_errors=True)
          raise errors.storage_full(
              f'the session could not be copied ({error.strerror}): delete one.') from error
        self._look_at(new_name)
        return new_name

  def delete(self, name: str) -> None:
    """Removes a session and its files.

    Raises ApiError when there is no such session (404), or a turn of it is in work (409).
    """
    with self._lock:
      self._check_free(name)
      if session := self._open.pop(name, None):
        session.abandon()
      trash = self._aside(name)
      os.rename(self._folder / name, trash)
      shutil.rmtree(trash)
      del self._known[name], self._bytes[name]

  def acquire(self, name: str) -> Session:
    """A session for one turn, until `release`. 409 while another turn of it is in work."""
    with self._lock:
      self._check_free(name)
      if self.disk_bytes > self._limits.disk_bytes:
        raise self._full()
      session = self._get(name)
      self._busy.add(name)
      return session

  def release(self, session: Session) -> None:
    """The turn is over."""
    with self._lock:
      session.forget_what_was_given_up()
      self._busy.discard(session.name)
      self._note(session.name)
      if session.unsaved > SAVE_EVERY:
        self._saver.submit(self._save, session)

  def peek(self, name: str) -> Session:
    """A session to look at, also while a turn of it is in work."""
    with self._lock:
      self.summary(name)
      return self._get(name)

  def state(self, name: str) -> bytes:
    """The session file behind all turns."""
    with self.used(name) as session:
      session.save()
      path = session.folder / STATE
      if not path.exists():
        raise errors.conflict(f'session {name} is empty: there is no state yet.')
      return path.read_bytes()

  @contextlib.contextmanager
  def used(self, name: str) -> Iterator[Session]:
    """A session for the time of a block, in which no turn begins."""
    with self._lock:
      self._check_free(name)
      session = self._get(name)
      self._busy.add(name)
    try:
      yield session
    finally:
      self._busy.discard(name)

  def close(self) -> None:
    """Saves all of them. Sessions that cannot be saved are logged: their turns are on disk."""
    self._saver.shutdown()
    with self._lock:
      for session in self._open.values():
        _put_away(session)
      self._open.clear()
    self._stack.close()

  def _aside(self, name: str) -> pathlib.Path:
    """A folder for a session that is not there yet, or no longer: see _LEFTOVER."""
    return self._folder / f'.{name}.{secrets.token_hex(4)}'

  def _get(self, name: str) -> Session:
    if name not in self._open:
      try:
        self._open[name] = Session(name, self._folder / name, self._model)
      except ValueError as error:
        raise errors.conflict(f'session {name} is damaged: {error}') from error
    self._open.move_to_end(name)
    self._make_room(name)
    return self._open[name]

  def _make_room(self, kept: str) -> None:
    """Puts away what has not been used for longest."""
    idle = [name for name in self._open if name not in self._busy and name != kept]
    for name in idle[:max(len(self._open) - self._limits.in_memory, 0)]:
      _put_away(self._open.pop(name))
      self._measure(name)

  def _check_free(self, name: str) -> None:
    self.summary(name)
    if name in self._busy:
      raise errors.conflict(f'session {name} has a turn in work: wait for it, or end it.')

  def _free_name(self, name: str | None) -> str:
    """Checks a new session's name, and that there is a place for it."""
    name = secrets.token_hex(6) if name is None else name
    if not _NAME.fullmatch(name):
      raise errors.not_allowed(
          'id', name, '1 to 64 letters, digits, _ or -, the first a letter or digit')
    if name in self._known or (self._folder / name).exists():
      raise errors.conflict(f'there is a session {name} already: give another id.')
    if len(self._known) >= self._limits.sessions:
      raise errors.storage_full(
          f'there are {len(self._known)} sessions, {self._limits.sessions} at most: delete one.')
    if self.disk_bytes + self._model.state_bytes > self._limits.disk_bytes:
      raise self._full()
    return name

  def _full(self) -> errors.ApiError:
    return errors.storage_full(
        f'the sessions take {self.disk_bytes:,} bytes of disk, {self._limits.disk_bytes:,} at '
        'most: delete one.')

  def _save(self, session: Session) -> None:
    try:
      session.save()
    except OSError as error:
      logging.error('the state of session %s was not saved: %s', session.name, error)
    with self._lock:
      if session.name in self._known:
        self._measure(session.name)

  def _note(self, name: str) -> None:
    self._known[name] = self._open[name].summary
    self._measure(name)

  def _measure(self, name: str) -> None:
    total = 0
    with contextlib.suppress(FileNotFoundError):  # Somebody has removed the folder.
      for entry in (self._folder / name).iterdir():
        with contextlib.suppress(FileNotFoundError):  # The saver has just renamed it.
          total += entry.stat().st_size
    self._bytes[name] = total


def _put_away(session: Session) -> None:
  """Saves and closes it. One that cannot be saved is logged: its turns are on disk."""
  try:
    session.close()
  except OSError as error:
    logging.error('the state of session %s was not saved: %s', session.name, error)
