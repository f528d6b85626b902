"""Normalisation: composed characters, plain line ends, no control characters."""

import re
import unicodedata
from collections.abc import Iterator

PIECE_BYTES = 1 << 20
# C0 but for tab and line feed, DEL, and in UTF-8 C1: the byte 0xC2 always begins a character.
_C0 = bytes({*range(32), 127} - {9, 10})
_C1 = re.compile(b'\xc2[\x80-\x9f]')


def nfc(text: bytes) -> bytes:
  """Unicode normal form C of UTF-8."""
  if text.isascii():
    return text
  return b''.join(_nfc(piece) for piece in pieces(text))


def _nfc(piece: bytes) -> bytes:
  characters = piece.decode()
  if unicodedata.is_normalized('NFC', characters):
    return piece
  return unicodedata.normalize('NFC', characters).encode()


def without_control(text: bytes) -> bytes:
  """Line ends become line feeds; of other control characters only tabs are kept."""
  if b'\r' in text:
    text = text.replace(b'\r\n', b'\n').replace(b'\r', b'\n')
  text = text.translate(None, _C0)
  return text if text.isascii() else _C1.sub(b'', text)


def pieces(text: bytes, size: int = PIECE_BYTES) -> Iterator[bytes]:
  """Cuts a text after the first line feed from each `size` bytes on.

  A line feed composes with no character, so each piece can be normalised alone and a large text
  need not be held as characters.
  """
  start = 0
  while start < len(text):
    end = text.find(b'\n', start + size - 1) + 1 or len(text)
    yield text[start:end]
    start = end
