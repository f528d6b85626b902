"""Training text that is also in an evaluation set, found exactly.

A document is contaminated when WINDOW consecutive bytes of it are in an evaluation set. Of the sets
every BLOCK-th block of BLOCK bytes is kept by its hash. Any window of 2 BLOCK bytes contains a
complete block, so the hashes of all blocks of a document, at every byte, miss nothing; what they
find is compared with the text itself, so nothing is found that is not there. Blocks with
fewer than DISTINCT different bytes (rulers, blanks, tables of zeros) do not identify a text and
are skipped.
"""

import pathlib
from collections.abc import Iterable

import numpy as np

from datasets.cleaning import normalise, rolling_hash

WINDOW = 64
BLOCK = WINDOW // 2
DISTINCT = 8
_STEP = 1 << 19  # Bytes of a document that are hashed at a time.


def normal(text: bytes) -> bytes:
  """A text as evaluation sets are kept and looked for in, whatever else is done to it."""
  return normalise.nfc(normalise.without_control(text))


class EvaluationText:
  """The evaluation sets, `normal`, to look up windows in. Kept as files that processes share."""

  def __init__(self, folder: pathlib.Path) -> None:
    self._text = np.load(folder / 'text.npy', mmap_mode='r')
    self._hashes = np.load(folder / 'hashes.npy')  # [blocks], sorted.
    self._places = np.load(folder / 'places.npy')  # [blocks] Where each begins in the text.
    # One in 16 or less is set: most blocks of a document need no further search.
    self._bits = np.uint64(64 - max(10, (16 * len(self._hashes)).bit_length()))
    self._seen = np.zeros(1 << (64 - int(self._bits)), bool)
    self._seen[self._hashes >> self._bits] = True

  def find(self, text: bytes) -> int:
    """The first byte of a text that is contaminated, or -1."""
    data = np.frombuffer(text, np.uint8)
    if not len(self._hashes):
      return -1
    for start in range(0, len(data) - WINDOW + 1, _STEP):
      piece = data[start:start + _STEP + WINDOW - 1]
      hashes = rolling_hash.part_hashes(
          piece, slice(0, len(piece) - BLOCK + 1), slice(BLOCK, len(piece) + 1))
      places = np.flatnonzero(self._seen[hashes >> self._bits])
      nearest = np.searchsorted(self._hashes, hashes[places]).clip(max=len(self._hashes) - 1)
      for place in places[self._hashes[nearest] == hashes[places]].tolist():
        begin = self._match(piece, place, hashes[place])
        if begin >= 0:
          return start + begin
    return -1

  def _match(self, data: np.ndarray, place: int, block_hash: np.uint64) -> int:
    """Where a window around a block begins that is in the sets, or -1."""
    first = np.searchsorted(self._hashes, block_hash)
    last = np.searchsorted(self._hashes, block_hash, side='right')
    for there in self._places[first:last].tolist():
      before = min(place, there, WINDOW - BLOCK)
      after = min(len(data) - place, len(self._text) - there, WINDOW)
      equal = (data[place - before:place + after] == self._text[there - before:there + after])
      if not equal[before:before + BLOCK].all():
        continue
      wrong = np.flatnonzero(~equal)
      left = wrong[wrong < before].max(initial=-1) + 1
      right = wrong[wrong > before].min(initial=len(equal))
      if right - left >= WINDOW:
        return place - before + int(left)
    return -1


def write(folder: pathlib.Path, documents: Iterable[bytes]) -> None:
  """Prepares evaluation sets for `EvaluationText`. Holds them in memory."""
  # No clean text contains the NUL between two documents: no window reaches from one to the next.
  text = np.frombuffer(b'\0'.join(documents), np.uint8)
  blocks = text[:len(text) // BLOCK * BLOCK].reshape(-1, BLOCK)
  distinct = (np.diff(np.sort(blocks, axis=1), axis=1) > 0).sum(axis=1) + 1
  starts = np.flatnonzero(distinct >= DISTINCT) * BLOCK
  hashes = rolling_hash.part_hashes(text, starts, starts + BLOCK)
  order = np.argsort(hashes, kind='stable')
  folder.mkdir(parents=True, exist_ok=True)
  np.save(folder / 'text.npy', text)
  np.save(folder / 'hashes.npy', hashes[order])
  np.save(folder / 'places.npy', starts[order])
