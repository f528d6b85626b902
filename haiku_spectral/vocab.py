"""The 260 ids of the model: 256 bytes and 4 specials. There is no tokenizer.

Byte b has id b, so encoding and decoding are lossless for any bytes, text or not.
"""

import codecs

import numpy as np

PAD = 256  # Fills what no document filled; never predicted, never scored.
BOUNDARY = 257  # A document starts here: the first input of every document.
TURN = 258  # One speaker ends and the other begins.
RESULT = 259  # What follows was returned by a tool, not written by the model.
SIZE = 260


def encode(data: bytes) -> np.ndarray:  # [len(data)] int32
  """The ids of some bytes."""
  return np.frombuffer(data, np.uint8).astype(np.int32)


def decode(ids: np.ndarray) -> bytes:  # ids: [N]
  """The bytes of some ids; specials stand for no byte and are skipped."""
  ids = np.asarray(ids)
  if ids.size and (ids.min() < 0 or ids.max() >= SIZE):
    raise ValueError(f'ids must lie in [0, {SIZE}), got {ids.min()} to {ids.max()}.')
  return ids[ids < 256].astype(np.uint8).tobytes()


def turn_ids(line: bytes, last: int) -> np.ndarray:  # [T] int32
  """The ids of a user's turn in a conversation; `last` is the last id of the context.

  TURN stands wherever the speaker changes, and nowhere else.
  """
  before = [] if last in (BOUNDARY, TURN) else [TURN]
  return np.array([*before, *line, TURN], np.int32)


class TextStream:
  """Bytes in as they come, text out as soon as its characters are whole.

  Never splits a character; invalid bytes show as U+FFFD, one for each maximal invalid part.
  """

  def __init__(self) -> None:
    self._decoder = codecs.getincrementaldecoder('utf-8')(errors='replace')

  def feed(self, data: bytes) -> str:
    """Returns the characters that `data` completes."""
    return self._decoder.decode(data)

  def close(self) -> str:
    """Returns what is left of an unfinished character, as U+FFFD."""
    return self._decoder.decode(b'', final=True)
