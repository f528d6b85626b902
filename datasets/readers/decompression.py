"""Streams of gzip members or zstd frames, read as far as they can be.

One behaviour for both formats (README.md beside this file has the rules): members follow each
other, zeros may stand between them, other bytes behind the last one are ignored, and what
precedes a wrong checksum or a damaged place is given all the same.
"""

import io
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from backports import zstd

READ_BYTES = 1 << 16
MAX_WINDOW_LOG = 31  # The largest that `zstd --long=31` writes; a stream takes as much memory.


class Damaged(Exception):
  """The rest of a stream cannot be read; `position` is a byte of the compressed file."""

  def __init__(self, position: int, reason: str) -> None:
    super().__init__(reason)
    self.position = position


class Tolerated(NamedTuple):
  """A fault of a stream that took nothing from it."""

  position: int
  reason: str  # One of raw.REASONS.
  detail: str
  wrong: bool


class _Gzip:
  """zlib's decompressor with the methods of zstd's."""

  def __init__(self) -> None:
    self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS + 16)

  def decompress(self, data: bytes, size: int) -> bytes:
    return self._member.decompress(self._member.unconsumed_tail + data, size)

  @property
  def needs_input(self) -> bool:
    return not self._member.unconsumed_tail

  @property
  def eof(self) -> bool:
    return self._member.eof

  @property
  def unused_data(self) -> bytes:
    return self._member.unused_data


def _zstd() -> zstd.ZstdDecompressor:
  return zstd.ZstdDecompressor(
      options={zstd.DecompressionParameter.window_log_max: MAX_WINDOW_LOG})


class Format(NamedTuple):
  """What differs between the two."""

  name: str
  new: Callable[[], Any]
  begins: tuple[bytes, ...]  # How a member may begin.
  # What the library says of a wrong checksum, and how many bytes of the member follow it.
  checksums: dict[str, int]


GZIP = Format('gzip', _Gzip, (b'\x1f\x8b',),
              {'incorrect data check': 4, 'incorrect length check': 0})
ZSTD = Format('zstd', _zstd, (b'\x28\xb5\x2f\xfd', *(
    bytes([0x50 + i]) + b'\x2a\x4d\x18' for i in range(16))), {"doesn't match checksum": 0})


class Stream(io.RawIOBase):
  """What a compressed file holds; `file` can seek.

  A read gives what precedes a damaged place first; the next one raises `Damaged`.
  """

  def __init__(self, file: Any, kind: Format) -> None:
    super().__init__()
    self._file = file
    self._kind = kind
    self._position = 0  # Of the file: what precedes it was taken.
    self._chunk = 0  # Where what was taken last begins.
    self._member: Any = None
    self._begin = 0  # Of the member.
    self._given = 0  # Bytes that the member gave.
    self._damage: Damaged | None = None
    self._ended = False
    self.tolerated: list[Tolerated] = []

  def readable(self) -> bool:
    return True

  def readinto(self, buffer: Any) -> int:
    """Fills the buffer, if there is enough. Raises `Damaged`."""
    view, filled = memoryview(buffer), 0
    while filled < len(view) and not (self._ended or self._damage):
      if self._member is not None or self._next_member():
        data = self._decompress(len(view) - filled)
        view[filled:filled + len(data)] = data  # No more than was asked for, salvaged or not.
        filled += len(data)
    if self._damage and not filled:
      raise self._damage
    return filled

  def _next_member(self) -> bool:
    """Begins with the next member; False if there is none."""
    begin = self._position + (self._zeros() if self._position else 0)
    self._file.seek(begin)
    head = self._file.read(4)
    self._file.seek(begin)
    if head.startswith(self._kind.begins):
      self._position = self._begin = begin
      self._member, self._given = self._kind.new(), 0
      return True
    if not self._position:
      self._damage = Damaged(0, f'it does not begin as {self._kind.name} does')
    elif head or begin > self._position:
      self.tolerated.append(Tolerated(
          self._position, 'trailing_bytes', '' if head else 'zeros', wrong=bool(head)))
    self._ended = True
    return False

  def _zeros(self) -> int:
    """How many zeros come next."""
    count = 0
    while block := self._file.read(READ_BYTES):
      rest = block.lstrip(b'\0')
      count += len(block) - len(rest)
      if rest:
        break
    return count

  def _decompress(self, size: int) -> bytes:
    """The next bytes of the member, which may end with them."""
    taken, file_ended = b'', False
    if self._member.needs_input:
      taken, self._chunk = self._file.read(READ_BYTES), self._position
      self._position += len(taken)
      file_ended = not taken
    try:
      data = self._member.decompress(taken, size)
    except (zlib.error, zstd.ZstdError):
      return self._salvage()
    self._given += len(data)
    if self._member.eof:
      self._go_on(self._position - len(self._member.unused_data))
    elif file_ended and not data:
      self._damage = Damaged(self._position, 'the file ends inside of the stream')
    return data

  def _go_on(self, position: int) -> None:
    """Ends the member."""
    self._member, self._position = None, position
    self._file.seek(position)

  def _salvage(self) -> bytes:
    """What the member still gives until the byte at which its decompressor fails.

    The libraries keep what they made in the call that failed, so it is made again, byte by byte.
    """
    member, position, made, data = self._kind.new(), self._begin, 0, b''
    self._file.seek(position)
    try:
      while position < self._position:
        taken = self._file.read(max(1, min(READ_BYTES, self._chunk - position)))
        position += len(taken)
        while (piece := member.decompress(taken, READ_BYTES)) or not member.needs_input:
          made += len(piece)
          data += piece[-(made - self._given):] if made > self._given else b''
          taken = b''
    except (zlib.error, zstd.ZstdError) as error:
      self._fail(str(error), position)
    return data

  def _fail(self, error: str, position: int) -> None:
    """Goes on behind a member whose checksum alone is wrong; otherwise the stream is damaged."""
    for text, behind in self._kind.checksums.items():
      if text in error:
        self.tolerated.append(Tolerated(position - 1, 'wrong_checksum', '', wrong=True))
        self._go_on(position + behind)
        return
    self._damage = Damaged(position - 1, error)
