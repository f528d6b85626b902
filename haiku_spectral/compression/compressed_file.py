"""The format of a compressed file: what must be known to restore the original, and the code.

Magic, version, CRC-32 of what follows, header, 32-bit words. Numbers are little-endian. The header
takes about 90 bytes.
"""

import platform
import struct
import zlib
from typing import NamedTuple

import jax

from haiku_spectral.decoding import session

MAGIC = b'hsz\n'
VERSION = 3
PRECISIONS = ('float32', 'bfloat16', 'float16')
_PREFIX = struct.Struct('<4sBI')  # Magic, version, CRC-32 of the rest.
_HEADER = struct.Struct('<8s8s32sQHBB')  # As in Header; precision by its index, size of the line.


class Header(NamedTuple):
  """What decompression must know or check."""

  owner: session.Owner
  sha256: bytes  # Of the original.
  size: int  # Bytes of the original.
  streams: int
  precision: str
  platform: str  # What computed the probabilities.


def this_platform() -> str:
  """What decides how a model's numbers are rounded, as far as it has a name."""
  return f'{jax.devices()[0].device_kind} {platform.machine()}, jax {jax.__version__}'


def pack(header: Header, words: bytes) -> bytes:
  """The bytes of the file."""
  line = header.platform.encode()
  rest = _HEADER.pack(
      bytes.fromhex(header.owner.model), bytes.fromhex(header.owner.parameters), header.sha256,
      header.size, header.streams, PRECISIONS.index(header.precision), len(line)) + line + words
  return _PREFIX.pack(MAGIC, VERSION, zlib.crc32(rest)) + rest


def parse(data: bytes, *, name: str) -> tuple[Header, bytes]:
  """Header and words of a compressed file, once its checksum was found right.

  Raises ValueError for a file that is no compressed one, of another version, cut or damaged.
  """
  if data[:len(MAGIC)] != MAGIC:
    raise ValueError(f'{name} is not a file that compress wrote: give another --input.')
  damaged = f'{name} is cut short or damaged: its checksum is wrong. Restore it from a copy.'
  if len(data) < _PREFIX.size + _HEADER.size:
    raise ValueError(damaged)
  _, version, checksum = _PREFIX.unpack_from(data)
  if version != VERSION:
    raise ValueError(
        f'{name} has version {version}, this program reads version {VERSION}: use the program it '
        'was made with.')
  if zlib.crc32(memoryview(data)[_PREFIX.size:]) != checksum:
    raise ValueError(damaged)
  model, parameters, sha256, size, streams, index, length = _HEADER.unpack_from(data, _PREFIX.size)
  start = _PREFIX.size + _HEADER.size
  if index >= len(PRECISIONS) or not streams or (len(data) - start - length) % 4:
    raise ValueError(damaged)
  return Header(
      session.Owner(model.hex(), parameters.hex()), sha256, size, streams, PRECISIONS[index],
      data[start:start + length].decode()), data[start + length:]


def check(header: Header, owner: session.Owner, *, name: str, force: bool = False) -> None:
  """Raises ValueError when this model, or this platform unless forced, cannot read the file."""
  if header.owner.model != owner.model:
    raise ValueError(
        f'{name} was made with another model (fingerprint {header.owner.model}, this one has '
        f'{owner.model}): give the --run_dir, --slots_times and --online_rate it was made with.')
  if header.owner.parameters != owner.parameters:
    raise ValueError(
        f'{name} was made with other parameters of this model (digest {header.owner.parameters}, '
        f'these have {owner.parameters}): give the checkpoint it was made with, perhaps --best or '
        '--nobest.')
  if header.platform != this_platform() and not force:
    raise ValueError(
        f'{name} was made on {header.platform}; this is {this_platform()}, which may round '
        'differently: use the same, or try with --force, which notices a wrong result.')
