"""What was said in a session: an append-only file, a line per turn, durable when `append` returns.

It is the one truth about a session: its state follows from it and can be made again.
"""

import base64
import hashlib
import json
import math
import pathlib
from typing import NamedTuple

import numpy as np

from haiku_spectral import vocab
from haiku_spectral.storage import append_log, strict_json

FILE = 'turns.jsonl'
_TITLE = 80  # Characters.
TENTHS = 10 / math.log(2)  # Tenths of a bit per nat.


class Turn(NamedTuple):
  """What was given, and what the model generated behind it."""

  prompt: bytes
  text: bytes
  document_ended: bool  # The model ended the document behind the text.
  finish: str  # Why the text ended.
  tenths: bytes  # Surprise of each byte of both, in tenths of a bit, at most 255.
  time: float  # Seconds since 1970.

  @property
  def size(self) -> int:
    """Bytes of prompt and text."""
    return len(self.prompt) + len(self.text)

  @property
  def pieces(self) -> tuple[np.ndarray, np.ndarray]:  # [N], [M] int32
    """The ids of the prompt and of the text, as they are prefilled."""
    end = [vocab.BOUNDARY] * self.document_ended
    return vocab.encode(self.prompt), np.array([*self.text, *end], np.int32)


class Summary(NamedTuple):
  """What the list of sessions says."""

  title: str
  turns: int
  size: int  # Bytes of text.
  updated: float  # Seconds since 1970.


def tenths(log_probs: np.ndarray) -> bytes:  # [N] nats
  """Surprise in tenths of a bit."""
  return np.clip(np.rint(-np.asarray(log_probs) * TENTHS), 0, 255).astype(np.uint8).tobytes()


def pack(turn: Turn) -> bytes:
  """The line of a turn."""
  encoded = {name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
             for name, value in turn._asdict().items()}
  return json.dumps(encoded).encode() + b'\n'


def parse(line: bytes) -> Turn:
  """A turn from its line. Raises ValueError, which says what is wrong."""
  values = strict_json.loads(line)
  types = Turn.__annotations__
  if not isinstance(values, dict) or values.keys() != types.keys():
    raise ValueError(f'the fields of a turn are {", ".join(types)}')
  for name, kind in types.items():
    if kind is bytes and isinstance(values[name], str):
      values[name] = base64.b64decode(values[name], validate=True)
    if not isinstance(values[name], (int, float) if kind is float else kind):
      raise ValueError(f'{name} is no {kind.__name__}')
  turn = Turn(**values)
  if len(turn.tenths) != len(turn.prompt) + len(turn.text):
    raise ValueError('tenths has not one byte for each of the prompt and the text')
  return turn


class Log:
  """The file of a session's turns, open for appending."""

  def __init__(self, folder: pathlib.Path) -> None:
    """Raises ValueError, which names the line, for a file that was damaged, and OSError."""
    path = folder / FILE
    self._log = append_log.Log(path, keep_torn=True, mode=0o600)
    self._digest = hashlib.sha256()
    self.digests = [self._digest.hexdigest()]  # After 0, 1, 2, ... turns.
    self.turns: list[Turn] = []
    self.size = 0  # Bytes of text.
    for number, line in enumerate(self._log.lines, 1):
      try:
        self._add(line, parse(line))
      except ValueError as error:
        self.close()
        raise ValueError(f'{path}, line {number}: {error}') from error
    self._log.lines = []

  def append(self, turn: Turn) -> None:
    """Adds a turn, which then survives a power cut."""
    line = pack(turn)
    self._log.append(line, durably=True)
    self._add(line, turn)

  def summary(self, folder: pathlib.Path) -> Summary:
    """What the turns are about; `folder` says when a session without turns was made."""
    first = self.turns[0] if self.turns else None
    size = 4 * _TITLE  # Bytes of so many characters, at most.
    start = (first.prompt[:size] + first.text[:size])[:size] if first else b''
    title = start.decode(errors='replace')
    updated = self.turns[-1].time if self.turns else folder.stat().st_mtime
    return Summary(' '.join(title.split())[:_TITLE], len(self.turns), self.size, updated)

  def close(self) -> None:
    """Ends the writing."""
    self._log.close()

  def _add(self, line: bytes, turn: Turn) -> None:
    self._digest.update(line)
    self.digests.append(self._digest.hexdigest())
    self.turns.append(turn)
    self.size += turn.size
