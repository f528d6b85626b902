"""The two ends of a range coder: bytes and their probabilities to words, and back.

Shapes: B streams, T bytes of a stream, n <= B streams that have not ended.
"""

from typing import Any, Protocol

import constriction
import numpy as np

# 24 bits: no byte gets less than 2^-24. Made anew for every byte, so the one without a table.
_PREDICTED = constriction.stream.model.Categorical(perfect=False)
_DIGEST = constriction.stream.model.Uniform(1 << 8)


class Coder(Protocol):
  """One end of the coding."""

  def code(self, step: int, probs: np.ndarray) -> np.ndarray:  # [n, 256] -> [n] int32
    """The bytes of a step, taken from the original or from the code."""

  def check(self, digest: int) -> None:
    """Writes a digest of 8 bits, or compares it: ValueError if it is another one."""


class Encoder:
  """From bytes to words."""

  def __init__(self, rows: np.ndarray):  # [B, T] uint8
    self._rows = rows
    self._coder = constriction.stream.queue.RangeEncoder()

  def code(self, step: int, probs: np.ndarray) -> np.ndarray:
    ids = self._rows[:len(probs), step].astype(np.int32)
    self._coder.encode(ids, _PREDICTED, probs)
    return ids

  def check(self, digest: int) -> None:
    self._coder.encode(digest, _DIGEST)

  def words(self) -> bytes:
    """The code so far."""
    return self._coder.get_compressed().astype('<u4').tobytes()


class Decoder:
  """From words to bytes."""

  def __init__(self, rows: np.ndarray, words: bytes, differs: str):
    """`rows`: [B, T] uint8, filled as bytes are decoded. `differs`: the error message."""
    self._rows, self._differs = rows, differs
    self._coder = constriction.stream.queue.RangeDecoder(
        np.frombuffer(words, '<u4').astype(np.uint32))

  def code(self, step: int, probs: np.ndarray) -> np.ndarray:
    ids = self._decode(_PREDICTED, probs)
    self._rows[:len(probs), step] = ids
    return ids

  def check(self, digest: int) -> None:
    if self._decode(_DIGEST) != digest:
      raise ValueError(self._differs)

  def _decode(self, *model: Any) -> Any:
    try:
      return self._coder.decode(*model)
    except AssertionError as error:  # The code is of no byte: the predictions are others.
      raise ValueError(self._differs) from error
