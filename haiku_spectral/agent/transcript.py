"""All that happened in a session, in a file that only grows: everything else follows from it.

An event is a line of JSON in ASCII. Bytes stand there as UTF-8 does, and where they are none as
surrogates: any bytes come back. Each line is on the disk before anything else is done.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
from typing import Any, Literal, get_args

Path = str | os.PathLike[str]
Kind = Literal['goal', 'turn', 'observation', 'end']

# What may come after what.
_FOLLOWS: dict[str, tuple[str, ...]] = {
    '': ('goal',),
    'goal': ('turn', 'end'),
    'turn': ('observation', 'end'),
    'observation': ('turn', 'end'),
    'end': ('goal', 'turn', 'observation', 'end'),
}
_READING = b'haiku_spectral agent 1\n'  # Of the rule by which a model reads events.


@dataclasses.dataclass(frozen=True)
class Event:
  """Something that happened."""

  kind: Kind
  text: bytes  # What was asked, written, observed; why it ended.
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
  try:
    fields = json.loads(line)
    fields['text'] = _to_bytes(fields['text'])
    fields['files'] = {name: None if data is None else _to_bytes(data)
                       for name, data in fields.get('files', {}).items()}
    event = Event(**fields)
    memory = {str(key): str(value) for key, value in event.memory.items()}
    if event.kind not in get_args(Kind) or memory != event.memory or event.seconds < 0:
      raise ValueError('a field has a value that is not allowed')
  except (AttributeError, KeyError, TypeError) as error:
    raise ValueError(f'a field is missing, unknown or of another type: {error}') from error
  return event


class Transcript:
  """The file, open for this process alone.

  What a process that was killed has left of its last line is cut off: `cut` says how many bytes.
  Raises ValueError for a file that is damaged elsewhere or that another process has open.
  """

  def __init__(self, path: Path) -> None:
    self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
      self._open(str(path))
    except BaseException:
      self.close()
      raise

  def _open(self, path: str) -> None:
    try:
      fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      raise ValueError(
          f'Another process goes on with {path}: wait for it, stop it, or give another --session.'
      ) from error
    with open(path, 'rb') as file:
      data = file.read()
    whole = data.rfind(b'\n') + 1
    self.cut = len(data) - whole
    if self.cut:
      os.ftruncate(self._file, whole)
      os.fsync(self._file)
    self.events: list[Event] = []
    self._hash = hashlib.sha256(_READING)
    self.digests = [self._hash.hexdigest()]  # Of the first 0, 1, ... events.
    for line in data[:whole].splitlines(keepends=True):
      try:
        event = decode(line)
        self._check_order(event)
      except ValueError as error:
        raise ValueError(
            f'{path} is damaged in line {len(self.events) + 1} ({error}): restore it from a copy, '
            'or give another --session.') from error
      self._note(event, line)

  def append(self, event: Event) -> None:
    """Adds an event; when that fails, the file is what it was."""
    self._check_order(event)
    line = encode(event)
    size = os.fstat(self._file).st_size
    try:
      left = line
      while left:
        left = left[os.write(self._file, left):]
      os.fsync(self._file)
    except BaseException:
      with contextlib.suppress(OSError):
        os.ftruncate(self._file, size)
      raise
    self._note(event, line)

  def close(self) -> None:
    """Lets other processes have it."""
    os.close(self._file)

  def _check_order(self, event: Event) -> None:
    before = self.events[-1].kind if self.events else ''
    if event.kind not in _FOLLOWS[before]:
      raise ValueError(f'{event.kind!r} after {before!r}')

  def _note(self, event: Event, line: bytes) -> None:
    self.events.append(event)
    self._hash.update(line)
    self.digests.append(self._hash.hexdigest())


def _to_json(data: bytes) -> str:
  return data.decode('utf-8', 'surrogateescape')


def _to_bytes(text: str) -> bytes:
  return text.encode('utf-8', 'surrogateescape')
