"""Sessions: a context in a file, so that a conversation goes on tomorrow, in another process.

The file: magic, version, whose session it is, length of the payload, SHA-256 of all that, payload:
the arrays of the context in safetensors format, named by their paths. Numbers are little-endian.
A path that is a link stands for what it points to.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import struct
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import safetensors
import safetensors.numpy

from haiku_spectral import config
from haiku_spectral.decoding.context import Context
from haiku_spectral.storage import atomic_file, file_lock

MAGIC = b'haiku_spectral session\n'
VERSION = 3
_VERSION = struct.Struct('<I')
_OWNER = struct.Struct('<16s16sQ')  # Model, parameters, bytes of the payload.
_DIGEST_SIZE = 32
_HEADER_SIZE = struct.Struct('<Q')  # Of safetensors: the length of the JSON that comes first.
_TYPES = {'F32': jnp.float32, 'BF16': jnp.bfloat16, 'F16': jnp.float16, 'I32': jnp.int32}

Path = str | os.PathLike[str]


class Owner(NamedTuple):
  """Which model a session belongs to. 16 hexadecimal digits each."""

  model: str  # config.model_fingerprint.
  parameters: str  # Digest of the parameters.


class SessionInfo(NamedTuple):
  """What a session says without its model."""

  version: int
  owner: Owner
  position: int  # Ids so far, the boundary at the start included.
  precision: str  # What the layers computed in.
  file_bytes: int
  array_bytes: dict[str, int]  # Of the context, by the paths of its arrays.
  history: str  # The name that was given to what the context holds; empty: none.

  @property
  def state_bytes(self) -> int:
    """All arrays together: the same however long the text is."""
    return sum(self.array_bytes.values())


def owner(model_config: config.ModelConfig, params: Any) -> Owner:
  """Identifies a model by its function (see config.model_fingerprint) and its parameters."""
  digest = hashlib.sha256()
  for path, leaf in jax.tree_util.tree_leaves_with_path(params):
    array = np.asarray(leaf, order='C')
    digest.update(f'{jax.tree_util.keystr(path)} {array.dtype} {array.shape}\n'.encode())
    digest.update(array.tobytes())
  return Owner(config.model_fingerprint(model_config), digest.hexdigest()[:16])


def check_place(path: Path) -> None:
  """Makes the folder of a session, before anything is generated that could then not be saved.

  Raises ValueError when no session can be saved at `path`.
  """
  atomic_file.check_place(path, what='Session', flag='--session')


def locked(path: Path) -> contextlib.AbstractContextManager[None]:
  """Keeps other processes from going on with a session, for as long as the `with` block lasts.

  Raises ValueError, which names the process, when another one has it.
  """
  target = pathlib.Path(os.path.realpath(path))
  return file_lock.exclusive(
      target.with_name(f'.{target.name}.lock'), busy=f'Session {path} is open in another program',
      advice='end that, give another --session path, or copy the session with --fork.')


def save(path: Path, context: Context, owned_by: Owner, *, history: str = '') -> None:
  """Writes a session; whatever happens meanwhile, `path` holds the old one or the new one.

  `history` may name what the context holds, by a digest for instance, for whoever asks `info`.
  """
  arrays = {
      jax.tree_util.keystr(name): np.asarray(leaf, order='C')
      for name, leaf in jax.tree_util.tree_leaves_with_path(context)
  }
  payload = safetensors.numpy.save(arrays, {'history': history} if history else None)
  head = MAGIC + _VERSION.pack(VERSION)
  head += _OWNER.pack(owned_by.model.encode(), owned_by.parameters.encode(), len(payload))
  check_place(path)
  atomic_file.write(path, head + hashlib.sha256(head + payload).digest() + payload)


def load(path: Path, like: Context, owned_by: Owner) -> Context:
  """Reads a session of the model `owned_by`; `like` has the shapes and types of its contexts.

  Raises FileNotFoundError, or ValueError for a file that is no session, of another version, cut,
  damaged, or of another model, other parameters or another precision.
  """
  found, payload = _parse(str(path), _read(path))
  if found.model != owned_by.model:
    raise ValueError(
        f'Session {path} belongs to another model (fingerprint {found.model}, this one has '
        f'{owned_by.model}): give the run folder it was made with, or a new --session path.')
  if found.parameters != owned_by.parameters:
    raise ValueError(
        f'Session {path} belongs to other parameters of this model (digest {found.parameters}, '
        f'these have {owned_by.parameters}): the run was trained on since, or is another one. Give '
        'the checkpoint it was made with, or a new --session path.')
  return _restore(str(path), _arrays(payload), like)


def info(path: Path) -> SessionInfo:
  """What a session holds, without its model. Raises as `load` does for a file that is none."""
  data = _read(path)
  found, payload = _parse(str(path), data)
  arrays = _arrays(payload)
  if '.position' not in arrays:
    raise ValueError(
        f'Session {path} has no position: it was made by another version of this program. Give '
        'another --session path.')
  # Some arrays are float32 in every precision; the others say which it is.
  kinds = {str(array.dtype) for array in arrays.values()} - {'float32', 'int32'}
  return SessionInfo(
      VERSION, found, int(arrays['.position'][0]), kinds.pop() if kinds else 'float32', len(data),
      {name: array.nbytes for name, array in arrays.items()}, _history(payload))


def describe(path: Path) -> str:
  """What a session holds, as a line. Raises as `info` does."""
  found = info(path)
  return (f'{path}: {found.position:,} bytes so far, a state of {found.state_bytes:,} bytes in '
          f'{found.precision}, model {found.owner.model}, parameters {found.owner.parameters}')


def fork(path: Path, new_path: Path) -> None:
  """Copies a session that is whole, so that two go on from one context; replaces nothing.

  Raises as `load` does, and ValueError when there is something at `new_path` already.
  """
  data = _read(path)
  _parse(str(path), data)
  if os.path.lexists(new_path):
    raise ValueError(f'{new_path} exists already: give a path where nothing is.')
  check_place(new_path)
  atomic_file.write(new_path, data)


def _read(path: Path) -> bytes:
  if not os.path.exists(path):
    raise FileNotFoundError(f'There is no session {path}.')
  if not os.path.isfile(path):  # Reading a pipe would wait for its other end.
    raise ValueError(f'{path} is not a regular file: give the path of a session.')
  return pathlib.Path(path).read_bytes()


def _parse(path: str, data: bytes) -> tuple[Owner, bytes]:
  """Owner and payload of a file, once its checksum was found right."""
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
  return Owner(model.decode(), parameters.decode()), payload


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
  """The name that `save` got; the library gives back arrays alone."""
  size, = _HEADER_SIZE.unpack_from(payload)
  header = json.loads(payload[_HEADER_SIZE.size:_HEADER_SIZE.size + size])
  return header.get('__metadata__', {}).get('history', '')


def _restore(path: str, arrays: dict[str, np.ndarray], like: Context) -> Context:
  """The context with these arrays as its leaves."""

  def place(name: Any, leaf: jax.Array) -> jax.Array:
    array = arrays.get(jax.tree_util.keystr(name))
    if array is None or array.shape != leaf.shape:
      raise ValueError(
          f'Session {path} has no array of shape {leaf.shape} for {jax.tree_util.keystr(name)}: it '
          'was made by another version of this program. Give a new --session path.')
    if array.dtype != leaf.dtype:
      raise ValueError(
          f'Session {path} was made in {array.dtype}, this program runs in {leaf.dtype}: give '
          f'--precision={array.dtype}, or a new --session path.')
    return jnp.asarray(array)

  return jax.tree_util.tree_map_with_path(place, like)
