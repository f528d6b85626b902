"""The format of a session file.

Magic, version, whose session it is, length of the payload, SHA-256 of all that, payload: arrays in
safetensors format, named by their paths in a context. Numbers are little-endian.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import safetensors
import safetensors.numpy

MAGIC = b'haiku_spectral session\n'
VERSION = 4
_VERSION = struct.Struct('<I')
_OWNER = struct.Struct('<16s16sQ')  # Model, parameters, bytes of the payload.
_DIGEST_SIZE = 32
_HEADER_SIZE = struct.Struct('<Q')  # Of safetensors: the length of the JSON that comes first.
_TYPES = {'F32': jnp.float32, 'BF16': jnp.bfloat16, 'F16': jnp.float16, 'I32': jnp.int32,
          'U32': jnp.uint32, 'U8': jnp.uint8}


class Owner(NamedTuple):
  """Which model a session belongs to. 16 hexadecimal digits each."""

  model: str  # config.model_fingerprint.
  parameters: str  # Digest of the parameters.


class Contents(NamedTuple):
  """What a file holds."""

  owner: Owner
  arrays: dict[str, np.ndarray]
  history: str  # The name that was given to what the context holds; empty: none.


def pack(owned_by: Owner, arrays: Mapping[str, np.ndarray], history: str = '') -> bytes:
  """The bytes of a file."""
  payload = safetensors.numpy.save(dict(arrays), {'history': history} if history else None)
  head = MAGIC + _VERSION.pack(VERSION)
  head += _OWNER.pack(owned_by.model.encode(), owned_by.parameters.encode(), len(payload))
  return head + hashlib.sha256(head + payload).digest() + payload


def parse(path: str, data: bytes) -> Contents:
  """Reads the bytes of a file; nothing is taken from them before their checksum was found right.

  Raises ValueError, with the path, for a file that is no session, of another version, cut or
  damaged.
  """
  after_version = len(MAGIC) + _VERSION.size
  start = after_version + _OWNER.size + _DIGEST_SIZE
  if data[:len(MAGIC)] != MAGIC[:len(data)]:
    raise ValueError(f'{path} is not a session of this program: give another --session path.')
  if len(data) < start:
    raise ValueError(_cut(path, len(data), f'at least {start}'))
  version, = _VERSION.unpack_from(data, len(MAGIC))
  if version != VERSION:
    raise ValueError(
        f'Session {path} has version {version}, this program reads version {VERSION}: use the '
        'program it was made with, or a new --session path.')
  model, parameters, size = _OWNER.unpack_from(data, after_version)
  head, digest = data[:start - _DIGEST_SIZE], data[start - _DIGEST_SIZE:start]
  payload = data[start:]
  if len(payload) < size:
    raise ValueError(_cut(path, len(data), str(start + size)))
  if hashlib.sha256(head + payload).digest() != digest:
    raise ValueError(
        f'Session {path} is damaged: its checksum is wrong. Restore it from a copy, or give a new '
        '--session path.')
  return Contents(Owner(model.decode(), parameters.decode()), _arrays(payload), _history(payload))


def _cut(path: str, size: int, wanted: str) -> str:
  return (f'Session {path} is cut short: it has {size} of {wanted} bytes. Restore it from a copy, '
          'or give a new --session path.')


def _arrays(payload: bytes) -> dict[str, np.ndarray]:
  """What `safetensors.numpy.load` does, which does not know bfloat16."""
  return {
      name: np.frombuffer(view['data'], _TYPES[view['dtype']]).reshape(view['shape'])
      for name, view in safetensors.deserialize(payload)
  }


def _history(payload: bytes) -> str:
  """The name of the history; the library gives back arrays alone."""
  size, = _HEADER_SIZE.unpack_from(payload)
  header = json.loads(payload[_HEADER_SIZE.size:_HEADER_SIZE.size + size])
  return header.get('__metadata__', {}).get('history', '')
