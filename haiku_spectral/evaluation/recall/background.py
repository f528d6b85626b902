"""What stands around the facts of a recall task: text of any length, made where it is read.

Shapes: n bytes that are asked for.
"""

import functools
import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from haiku_spectral.requirement import require

SEPARATOR = b'\n\n'  # Between paragraphs.
NOISE_LETTERS = b'abcdefghijklmnopqrstuvwxyz'
_NOISE_PIECE = 4096  # Bytes drawn at a time: a piece is a function of its number alone.


class Background(Protocol):
  """Endless bytes, each a function of its position."""

  def take(self, start: int, count: int) -> np.ndarray:  # [count] uint8
    """The bytes at positions start .. start + count - 1."""
    ...


class Filler:
  """Paragraphs of a text, from which backgrounds are made."""

  def __init__(self, text: bytes) -> None:
    """Raises ValueError for a text without a paragraph."""
    self.text = text
    # A paragraph of a page or more, as files of code have, is cut at its lines.
    self.paragraphs = [
        part for paragraph in re.split(rb'\r?\n(?:\s*\n)+', text)
        for part in ([paragraph] if len(paragraph) < 4096 else paragraph.splitlines())
        if part.strip()]
    require(bool(self.paragraphs), 'filler', text[:20], 'a text with at least one paragraph')

  def holds(self, string: bytes) -> bool:
    """Whether a string occurs in the text."""
    # Most random strings have three bytes in a row that no text has: it need not be searched.
    parts = (string[i:i + 3] for i in range(len(string) - 2))
    return self._triples.issuperset(parts) and (len(string) == 3 or string in self.text)

  @functools.cached_property
  def _triples(self) -> frozenset[bytes]:
    """All strings of three bytes in the text."""
    data = np.frombuffer(self.text, np.uint8).astype(np.uint32)
    found = np.unique(data[:-2] << 16 | data[1:-1] << 8 | data[2:])
    return frozenset(int(number).to_bytes(3, 'big') for number in found)

  def shuffled(self, seed: Sequence[int]) -> 'ShuffledFiller':
    """The paragraphs in an order of the seed's, and again in others, without end."""
    return ShuffledFiller(self.paragraphs, self._sizes, seed)

  @functools.cached_property
  def _sizes(self) -> np.ndarray:
    """The bytes of each paragraph with its separator."""
    return np.array([len(paragraph) + len(SEPARATOR) for paragraph in self.paragraphs])


class ShuffledFiller:
  """All paragraphs of a filler in random order, then all again in another one, without end."""

  def __init__(self, paragraphs: list[bytes], sizes: np.ndarray, seed: Sequence[int]) -> None:
    self._paragraphs, self._sizes, self._seed = paragraphs, sizes, tuple(seed)
    self._pass_bytes = int(sizes.sum())
    self._pass: tuple[int, np.ndarray, np.ndarray] | None = None  # The last one that was made.

  def take(self, start: int, count: int) -> np.ndarray:  # [count] uint8
    """See `Background`."""
    parts = []
    while count > 0:
      number, place = divmod(start, self._pass_bytes)
      part = self._part(number, place, min(place + count, self._pass_bytes))
      parts.append(part)
      start, count = start + part.size, count - part.size
    return np.concatenate(parts) if parts else np.zeros(0, np.uint8)

  def _part(self, number: int, start: int, stop: int) -> np.ndarray:
    """Bytes start .. stop - 1 of a pass, from the paragraphs that they lie in and no others."""
    order, ends = self._order(number)
    first, last = np.searchsorted(ends, [start, stop - 1], side='right')
    data = b''.join(self._paragraphs[i] + SEPARATOR for i in order[first:last + 1])
    skip = start - int(ends[first] - self._sizes[order[first]])
    return np.frombuffer(data, np.uint8)[skip:skip + stop - start]

  def _order(self, number: int) -> tuple[np.ndarray, np.ndarray]:
    """The paragraphs of a pass, and where each of them ends."""
    if self._pass is None or self._pass[0] != number:
      order = np.random.default_rng((*self._seed, number)).permutation(len(self._paragraphs))
      self._pass = number, order, np.cumsum(self._sizes[order])
    return self._pass[1:]


class Noise:
  """Random lower-case letters."""

  def __init__(self, seed: Sequence[int]) -> None:
    self._seed = tuple(seed)

  def take(self, start: int, count: int) -> np.ndarray:  # [count] uint8
    """See `Background`."""
    letters = np.frombuffer(NOISE_LETTERS, np.uint8)
    first = start // _NOISE_PIECE
    pieces = [
        np.random.default_rng((*self._seed, number)).choice(letters, _NOISE_PIECE)
        for number in range(first, -(-(start + count) // _NOISE_PIECE))]
    skip = start - first * _NOISE_PIECE
    return np.concatenate([np.zeros(0, np.uint8), *pieces])[skip:skip + count]


def cut_before(background: Background, stop: int) -> int:
  """How many bytes right before `stop` belong to a UTF-8 character that goes on behind it."""
  start = max(stop - 3, 0)
  data = background.take(start, stop - start).tobytes()
  for size in range(1, len(data) + 1):
    lead = data[-size]
    if lead < 0x80:
      return 0
    if lead >= 0xC0:  # So many bytes a character has that begins with it.
      return size if size < (2 if lead < 0xE0 else 3 if lead < 0xF0 else 4) else 0
  return 0


def cut_after(background: Background, start: int) -> int:
  """How many bytes from `start` on belong to a UTF-8 character that begins before it."""
  data = background.take(start, 3)
  return int(np.argmin([*((data & 0xC0) == 0x80), False]))
