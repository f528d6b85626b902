"""Files of lines that only grow.

A process that was killed may leave a torn last line, one without its '\\n'. Opening a log mends it:
the torn line is removed, or completed, or kept in a file beside the log.
"""

import contextlib
import os
import pathlib
import stat
from collections.abc import Callable
from typing import Self

from haiku_spectral.storage import atomic_file

Path = str | os.PathLike[str]


def read(path: Path) -> tuple[list[bytes], bytes]:
  """The complete lines of a log, each with its '\\n', and the torn line after them (often b'').

  A log that does not exist is empty.
  """
  try:
    with open(path, 'rb') as file:
      return _split(file.read())
  except FileNotFoundError:
    return [], b''


def _split(data: bytes) -> tuple[list[bytes], bytes]:
  lines = data.split(b'\n')
  return [line + b'\n' for line in lines[:-1]], lines[-1]


def cut(torn: bytes) -> bytes:
  """The usual mending: nothing of a torn line stays."""
  del torn
  return b''


class Log:
  """A log that is open for appending. A context manager.

  `mend` gets a torn last line and returns what stands in its place: b'', or a complete line. It may
  raise ValueError, then the file is left as it was. With `keep_torn` what is removed is first saved
  in a new file PATH.torn-1, -2, ...

  Raises ValueError for a path that is no regular file, and OSError.
  """

  def __init__(
      self, path: Path, *, mend: Callable[[bytes], bytes] = cut, keep_torn: bool = False,
      mode: int = 0o644,
  ) -> None:
    # Opening a pipe would wait for its other end.
    self._file = os.open(
        path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, mode)
    try:
      if not stat.S_ISREG(os.fstat(self._file).st_mode):
        raise ValueError(f'{path} is not a regular file')
      if not os.fstat(self._file).st_size:  # Its name may be new.
        atomic_file.sync(pathlib.Path(os.path.realpath(path)).parent)
      self.lines, torn = _split(_read_all(self._file))  # Complete ones, as of the opening.
      self.removed = 0  # Bytes of a torn line.
      self.kept_in = ''  # The file that holds them now; empty when there is none.
      if torn:
        self._mend(path, torn, mend(torn), keep_torn)
    except BaseException:
      self.close()
      raise

  def __enter__(self) -> Self:
    """Closes the file at the end of the block."""
    return self

  def __exit__(self, *unused: object) -> None:
    """Closes the file, whatever happened."""
    self.close()

  def fileno(self) -> int:
    """The descriptor, for a lock on the file itself."""
    return self._file

  def append(self, line: bytes, *, durably: bool = False) -> None:
    """Adds a line, which ends with '\\n'; it is with the operating system when this returns.

    `durably`: it then also survives a power cut. When it fails, the file is what it was.
    """
    assert line.endswith(b'\n'), line
    size = os.fstat(self._file).st_size
    try:
      left = line
      while left:
        left = left[os.write(self._file, left):]
      if durably:
        self.sync()
    except BaseException:
      with contextlib.suppress(OSError):
        os.ftruncate(self._file, size)
      raise

  def sync(self) -> None:
    """Has all lines survive a power cut."""
    os.fsync(self._file)

  def close(self) -> None:
    """Closes the file; further calls do nothing."""
    if self._file >= 0:
      os.close(self._file)
    self._file = -1

  def _mend(self, path: Path, torn: bytes, replacement: bytes, keep_torn: bool) -> None:
    added = replacement.removeprefix(torn)
    if added == replacement:  # It does not only complete the line.
      self.removed = len(torn)
      if keep_torn:
        self.kept_in = _save_beside(path, torn)
      os.ftruncate(self._file, os.fstat(self._file).st_size - len(torn))
    if replacement:
      self.append(added)
      self.lines.append(replacement)
    self.sync()


def _read_all(descriptor: int) -> bytes:
  with open(os.dup(descriptor), 'rb') as file:
    file.seek(0)
    return file.read()


def _save_beside(path: Path, torn: bytes) -> str:
  number = 1
  while os.path.lexists(f'{path}.torn-{number}'):
    number += 1
  atomic_file.write(f'{path}.torn-{number}', torn)
  return f'{path}.torn-{number}'
