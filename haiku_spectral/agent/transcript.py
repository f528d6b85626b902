"""All that happened in a session, in a file that only grows: everything else follows from it.

An event is a line of JSON in ASCII. Bytes stand there as UTF-8 does, and where they are none as
surrogates: any bytes come back. Each line is on the disk before anything else is done.

A transcript may have been edited, or come from elsewhere: what it says is checked like any input.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
from typing import Any, Literal, get_args

from haiku_spectral.agent import actions, workspace
from haiku_spectral.storage import append_log, file_lock, strict_json

Path = str | os.PathLike[str]
Kind = Literal['goal', 'turn', 'observation', 'end']

LOCK = '.lock'  # How the name of its lock file goes on.
MAX_SECONDS = 1e9  # Of an event: some 30 years.
# What may come after what.
_FOLLOWS: dict[str, tuple[str, ...]] = {
    '': ('goal',),
    'goal': ('turn', 'end'),
    'turn': ('observation', 'end'),
    'observation': ('turn', 'end'),
    'end': ('goal', 'turn', 'observation', 'end'),
}
_TYPES: dict[str, tuple[type, ...]] = {
    'kind': (str,), 'text': (str,), 'files': (dict,), 'memory': (dict,), 'executed': (bool,),
    'seconds': (float, int)}
_REASON = re.compile(b'[a-z]{1,40}')  # Why a session ended.
_FORMAT = b'haiku_spectral agent 1\n'  # Of the rule by which a model's context follows from events.


@dataclasses.dataclass(frozen=True)
class Event:
  """Something that happened."""

  kind: Kind
  text: bytes  # What was asked, generated, observed; why it ended.
  files: dict[str, bytes | None] = dataclasses.field(default_factory=dict)  # Changes; None: gone.
  memory: dict[str, str] = dataclasses.field(default_factory=dict)  # Changes; empty: forgotten.
  executed: bool = False  # Whether code ran.
  seconds: float = 0.0  # That it took.


def encode(event: Event) -> bytes:
  """The line of an event, without what has its default."""
  fields: dict[str, Any] = {'kind': event.kind, 'text': _to_json(event.text)}
  if event.files:
    fields['files'] = {
        name: None if data is None else _to_json(data) for name, data in event.files.items()}
  if event.memory:
    fields['memory'] = event.memory
  if event.executed:
    fields['executed'] = True
  if event.seconds:
    fields['seconds'] = round(event.seconds, 3)
  return json.dumps(fields).encode() + b'\n'


def decode(line: bytes) -> Event:
  """The event of a line. Raises ValueError for any other line."""
  fields = strict_json.loads(line)
  if not isinstance(fields, dict) or not {'kind', 'text'} <= fields.keys() <= _TYPES.keys():
    raise ValueError(f'a field is missing, unknown or of another type: give kind, text and, where '
                     f'needed, {", ".join(list(_TYPES)[2:])}')
  for name, value in fields.items():
    if type(value) not in _TYPES[name]:
      raise ValueError(f'a field is missing, unknown or of another type: {name} is no '
                       f'{_TYPES[name][0].__name__}')
  for name, data in fields.get('files', {}).items():
    if not isinstance(data, str | None):
      raise ValueError(f'files has a value that is not allowed: {name!r:.80} is neither text nor '
                       'null')
  event = Event(**{
      **fields, 'text': _to_bytes(fields['text']),
      'files': {name: None if data is None else _to_bytes(data)
                for name, data in fields.get('files', {}).items()}})
  check(event)
  return dataclasses.replace(event, seconds=float(event.seconds))


def check(event: Event) -> None:
  """Raises ValueError naming the field of an event that no session could have."""
  if event.kind not in get_args(Kind):
    raise ValueError(f'kind has a value that is not allowed: {event.kind!r:.80}')
  if event.kind == 'end' and not _REASON.fullmatch(event.text):
    raise ValueError(f'text has a value that is not allowed: {event.text!r:.80} at an end')
  try:
    workspace.check_changes(event.files)
  except ValueError as error:
    raise ValueError(f'files has a value that is not allowed: {error}') from error
  try:
    for key, value in event.memory.items():
      actions.check_value(key, value)
  except (TypeError, AttributeError, ValueError) as error:
    raise ValueError(f'memory has a value that is not allowed: {error}') from error
  if not 0 <= event.seconds <= MAX_SECONDS:  # Also of nan.
    raise ValueError(f'seconds has a value that is not allowed: give 0 to {MAX_SECONDS:.0f}')


def damaged(path: Path, number: int, error: Exception) -> ValueError:
  """What to raise for a line (from 1) of a transcript that says what cannot be."""
  return ValueError(f'{path} is damaged in line {number} ({error}): restore it from a copy, or '
                    'give another --session.')


class Transcript:
  """The file, open for this process alone.

  A torn last line is completed if it is an event but for its end. Otherwise it is cut off, `cut`
  says how many bytes, and kept in the file `kept_in`. Raises ValueError for a file that is damaged
  elsewhere, that is no regular file, or that another process has open.
  """

  def __init__(self, path: Path) -> None:
    self.path = path
    self.events: list[Event] = []
    self._hash = hashlib.sha256(_FORMAT)
    self.digests = [self._hash.hexdigest()]  # Of the first 0, 1, ... events.
    with contextlib.ExitStack() as stack:
      stack.enter_context(file_lock.exclusive(
          str(path) + LOCK, busy=f'Another process goes on with {path}',
          advice='wait for it, stop it, or give another --session.'))
      self._log = stack.enter_context(append_log.Log(
          path, mend=_mend, keep_torn=True, mode=0o600))
      self.cut, self.kept_in = self._log.removed, self._log.kept_in
      for number, line in enumerate(self._log.lines, 1):
        try:
          event = decode(line)
          self._check_order(event)
        except ValueError as error:
          raise damaged(path, number, error) from error
        self._note(event, line)
      self._resources = stack.pop_all()

  def append(self, event: Event) -> None:
    """Adds an event; when that fails, the file is what it was."""
    check(event)
    self._check_order(event)
    line = encode(event)
    self._log.append(line, durably=True)
    self._note(event, line)

  def close(self) -> None:
    """Lets other processes have it."""
    self._resources.close()

  def _check_order(self, event: Event) -> None:
    before = self.events[-1].kind if self.events else ''
    if event.kind not in _FOLLOWS[before]:
      raise ValueError(f'{event.kind!r} after {before!r}')

  def _note(self, event: Event, line: bytes) -> None:
    self.events.append(event)
    self._hash.update(line)
    self.digests.append(self._hash.hexdigest())


def read(path: Path) -> list[Event]:
  """The events of a transcript that nobody need have open; a torn last line is left out.

  Raises ValueError for a file that is damaged elsewhere, OSError for one that cannot be read.
  """
  with open(path, 'rb') as file:
    lines = file.read().splitlines(keepends=True)
  events: list[Event] = []
  for number, line in enumerate(lines, 1):
    if not line.endswith(b'\n'):
      break
    try:
      events.append(decode(line))
    except ValueError as error:
      raise damaged(path, number, error) from error
  return events


def _mend(torn: bytes) -> bytes:
  """Completes a last line that lacks its end alone; nothing else of it stays in the transcript."""
  if b'\r' in torn:
    raise ValueError('The lines of the transcript end with CR, as on old systems: change them to '
                     'LF, or give another --session')
  try:
    decode(torn)
  except ValueError:
    return b''
  return torn + b'\n'


def _to_json(data: bytes) -> str:
  return data.decode('utf-8', 'surrogateescape')


def _to_bytes(text: str) -> bytes:
  return text.encode('utf-8', 'surrogateescape')
