"""The text of one row of a batch as it grows, until it ends."""

from collections.abc import Sequence

import numpy as np

from haiku_spectral import vocab
from haiku_spectral.decoding import stopping
from haiku_spectral.requirement import require


class Row:
  """A text of at most `num_bytes` bytes, fed with the ids that were chosen for it.

  `stops`: it ends before the first of these. `may_end`: vocab.BOUNDARY ends the document. `prompt`:
  ids [T] that come before the text, which the loop takes in place of chosen ones.
  Raises ValueError for values that are not allowed.
  """

  def __init__(
      self, num_bytes: int, stops: Sequence[bytes] = (), *, may_end: bool = True,
      prompt: np.ndarray | None = None,
  ) -> None:
    require(num_bytes >= 0, 'num_bytes', num_bytes, '0 or more')
    self._matcher = stopping.StopMatcher(stops)
    self._may_end = may_end
    self.prompt = np.zeros(0, np.int32) if prompt is None else prompt  # The rest of it.
    self.left = num_bytes  # Bytes that may still be generated.
    self.text = bytearray()  # Without a stop string.
    self.log_probs: list[float] = []  # Of each id chosen, those of a stop string included.
    self.ended = num_bytes == 0
    self.document_ended = False  # The model chose vocab.BOUNDARY; it is in the cache.

  @property
  def stopped(self) -> bool:
    """Whether a stop string has ended the text."""
    return self._matcher.matched is not None

  @property
  def num_ids(self) -> int:
    """Ids behind the prompt that belong to the row: its bytes, and the boundary at its end."""
    return len(self.text) + self.document_ended

  @property
  def ids(self) -> np.ndarray:  # [num_ids] int32
    """These ids."""
    return np.array([*self.text, *[vocab.BOUNDARY] * self.document_ended], np.int32)

  def feed(self, ids: np.ndarray, log_probs: np.ndarray) -> bytes:  # [n], [n]
    """Takes the ids of one call; returns the bytes that can be shown now."""
    if self.ended:
      return b''
    start = min(len(self.prompt), len(ids))
    self.prompt, ids, log_probs = self.prompt[start:], ids[start:], log_probs[start:]
    ids = ids[:self.left]
    self.left -= len(ids)
    self.log_probs.extend(log_probs[:len(ids)].tolist())
    ends = np.flatnonzero(ids == vocab.BOUNDARY)
    shown = self._matcher.feed(vocab.decode(ids[:ends[0]] if ends.size else ids))
    self.text += shown
    self.ended = self.stopped
    if self.ended or not (ends.size or self.left == 0):
      return shown
    # A boundary that only the constraint has forced does not begin a new document.
    self.document_ended = bool(ends.size) and self._may_end
    return shown + self.close()

  def close(self) -> bytes:
    """Ends the text; returns what was held back."""
    self.ended = True
    held = self._matcher.close()
    self.text += held
    return held
