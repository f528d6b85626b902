"""One session of the server: its turns on disk, and the model's context behind them.

A folder holds `turns.jsonl`, which is the truth, and `state`, a session file that spares prefilling
the turns again; it may be behind by some turns, which are then prefilled.
"""

import pathlib
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from haiku_spectral.decoding import session as session_file
from haiku_spectral.decoding.context import Context
from haiku_spectral.serving import recall, turns
from haiku_spectral.serving.turns import Summary, Turn

STATE = 'state'
SAVE_EVERY = 1 << 14  # Bytes that may have to be prefilled again after a kill.


class Model(NamedTuple):
  """What sessions need to know of the model."""

  owner: session_file.Owner
  like: Context  # With the shapes and types of a context of one row.
  orders: Sequence[int]  # Of its exact memory.

  @property
  def state_bytes(self) -> int:
    """The same for every session, however long."""
    return sum(leaf.nbytes for leaf in jax.tree.leaves(self.like))


class Session:
  """What is in memory of a session. Its methods may be called from any thread."""

  def __init__(self, name: str, folder: pathlib.Path, model: Model) -> None:
    """Opens it, or begins a new one. Raises ValueError or OSError for a folder that is damaged."""
    self.name, self.folder, self._model = name, folder, model
    self._lock = threading.RLock()
    self._recall: recall.Recall | None = None  # Made when first asked for.
    folder.mkdir(mode=0o700, exist_ok=True)
    self._log = turns.Log(folder)
    self._context: Context | None = None  # Behind `_done` turns.
    self._done = 0
    self._saved = 0  # Turns in the state on disk.
    self._load()

  def _load(self) -> None:
    """Takes over the saved state, if it is one of these turns."""
    path = self.folder / STATE
    try:
      digest = session_file.info(path).history
      self._done = self._log.digests.index(digest)
      self._context = session_file.load(path, self._model.like, self._model.owner)
      self._saved = self._done
    except (ValueError, OSError):  # Of another model, damaged or not there: all is made again.
      self._context, self._done = None, 0

  @property
  def turns(self) -> list[Turn]:
    """All finished turns."""
    return self._log.turns

  @property
  def summary(self) -> Summary:
    """What it is about."""
    return self._log.summary(self.folder)

  @property
  def size(self) -> int:
    """Bytes of text."""
    return self._log.size

  @property
  def start(self) -> tuple[Context | None, list[np.ndarray]]:
    """Where the next turn begins: a context, and the ids [N] that still have to be prefilled."""
    with self._lock:
      pending = [ids for turn in self.turns[self._done:] for ids in turn.pieces if ids.size]
      return self._context, pending

  def append(self, turn: Turn) -> None:
    """Notes a turn; it then survives a power cut."""
    with self._lock:
      self._log.append(turn)

  def set_context(self, context: Context) -> None:
    """The context behind all turns so far."""
    with self._lock:
      self._context, self._done = context, len(self.turns)

  @property
  def unsaved(self) -> int:
    """Bytes that would have to be prefilled again."""
    with self._lock:
      return sum(turn.size for turn in self.turns[self._saved:self._done])

  def save(self) -> None:
    """Brings the state on disk up to date. Raises OSError."""
    with self._lock:
      context, done, digest = self._context, self._done, self._log.digests[self._done]
    if context is not None and done > self._saved:
      session_file.save(self.folder / STATE, context, self._model.owner, history=digest)
      self._saved = done

  def close(self) -> None:
    """Saves, and lets go of the file."""
    try:
      self.save()
    finally:
      self._log.close()

  def abandon(self) -> None:
    """Lets go of the file; what is not saved is lost."""
    self._log.close()

  def recall(self) -> recall.Recall:
    """What repeats behind all turns so far: for the bytes of the next one."""
    with self._lock:
      if self._recall is None:
        self._recall = recall.Recall(self._model.orders)
      missing = self.size - self._recall.size
      self._recall.extend(self.text[-missing:] if missing else b'')
      return self._recall

  def forget_what_was_given_up(self) -> None:
    """At the end of a turn, which may have ended before anything of it was kept."""
    with self._lock:
      if self._recall and self._recall.size > self.size:
        self._recall = None

  @property
  def text(self) -> bytes:
    """All of it."""
    return b''.join(turn.prompt + turn.text for turn in self.turns)

  def tail(self, size: int) -> tuple[bytes, bytes, np.ndarray]:
    """The last bytes, their surprise in tenths of a bit, and what they repeat [N, 2]."""
    with self._lock:
      text = self.text
      tenths = b''.join(turn.tenths for turn in self.turns)
    repeats = recall.Recall(self._model.orders).extend(text)
    start = max(len(text) - size, 0)
    return text[start:], tenths[start:], repeats[start:]


def new_turn(prompt: bytes, text: bytes, log_probs: np.ndarray, **fields: Any) -> Turn:
  """A turn that ends now. `log_probs` are those of both, in nats."""
  return Turn(prompt=prompt, text=text, tenths=turns.tenths(log_probs), time=time.time(), **fields)
