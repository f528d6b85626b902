"""Sessions: a context in a file, so that a conversation goes on tomorrow, in another process.

A path that is a link stands for what it points to.
"""

import contextlib
import hashlib
import os
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import config
from haiku_spectral.decoding import session_file
from haiku_spectral.decoding.context import Context
from haiku_spectral.decoding.session_file import Owner
from haiku_spectral.storage import atomic_file, file_lock

__all__ = [
  'Owner', 'SessionInfo', 'check_place', 'describe', 'fork', 'info', 'load', 'locked', 'owner',
  'save',
]

Path = str | os.PathLike[str]


class SessionInfo(NamedTuple):
  """What a session says without its model."""

  owner: Owner
  position: int  # Ids so far, the boundary at the start included.
  precision: str  # What the layers computed in.
  array_bytes: dict[str, int]  # Of the context, by the paths of its arrays.
  history: str  # The name that was given to what the context holds; empty: none.
  tables_full: dict[str, float]  # Share of the places that are taken, by the paths of the tables.

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
  check_place(path)
  atomic_file.write(path, session_file.pack(owned_by, arrays, history))


def load(path: Path, like: Context, owned_by: Owner) -> Context:
  """Reads a session of the model `owned_by`; `like` has the shapes and types of its contexts.

  Raises FileNotFoundError, or ValueError for a file that is no session, of another version, cut,
  damaged, or of another model, other parameters or another precision.
  """
  found, arrays, _ = session_file.parse(str(path), _read(path))
  if found.model != owned_by.model:
    raise ValueError(
        f'Session {path} belongs to another model (fingerprint {found.model}, this one has '
        f'{owned_by.model}): give the run folder, --slots_times and --online_rate it was made '
        'with, or a new --session path.')
  if found.parameters != owned_by.parameters:
    raise ValueError(
        f'Session {path} belongs to other parameters of this model (digest {found.parameters}, '
        f'these have {owned_by.parameters}): the run was trained on since, or is another one. Give '
        'the checkpoint it was made with, or a new --session path.')
  return _restore(str(path), arrays, like)


def info(path: Path) -> SessionInfo:
  """What a session holds, without its model. Raises as `load` does for a file that is none."""
  data = _read(path)
  found, arrays, history = session_file.parse(str(path), data)
  if '.position' not in arrays:
    raise ValueError(
        f'Session {path} has no position: it was made by another version of this program. Give '
        'another --session path.')
  # Some arrays are float32 in every precision; the others say which it is.
  kinds = {str(array.dtype) for array in arrays.values()
           if jnp.issubdtype(array.dtype, jnp.floating)} - {'float32'}
  precision = kinds.pop() if kinds else 'float32'
  return SessionInfo(
      found, int(arrays['.position'][0]), precision,
      {name: array.nbytes for name, array in arrays.items()}, history,
      {name: np.count_nonzero(array) / array.size for name, array in sorted(arrays.items())
       if name.endswith('.table')})


def describe(path: Path) -> str:
  """What a session holds, as a line. Raises as `info` does."""
  found = info(path)
  shares = ', '.join(f'{share:.1%}' for share in found.tables_full.values())
  tables = f'hash tables {shares} full, ' if shares else ''
  return (f'{path}: {found.position:,} bytes so far, a state of {found.state_bytes:,} bytes in '
          f'{found.precision}, {tables}model {found.owner.model}, '
          f'parameters {found.owner.parameters}')


def fork(path: Path, new_path: Path) -> None:
  """Copies a session that is complete, so that two go on from one context; replaces nothing.

  Raises as `load` does, and ValueError when there is something at `new_path` already.
  """
  data = _read(path)
  session_file.parse(str(path), data)
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
