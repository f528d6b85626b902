"""Locks between processes, which end with the process that holds them, however it ends."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

Path = str | os.PathLike[str]


@contextlib.contextmanager
def exclusive(path: Path, *, busy: str, advice: str) -> Iterator[None]:
  """Holds the lock file `path`, made if it is not there, for as long as the `with` block lasts.

  Raises ValueError, f'{busy} (process 123): {advice}', when another process or thread holds it.
  The file stays: removing it would let a third process lock a new one beside the second.
  """
  descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
  try:
    try:
      fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      raise ValueError(f'{busy}{_holder(descriptor)}: {advice}') from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, b'%d\n' % os.getpid(), 0)
    yield
  finally:
    os.close(descriptor)


def _holder(descriptor: int) -> str:
  """Who wrote itself into a lock file; empty when it has not come to that yet."""
  number = os.pread(descriptor, 20, 0).strip()
  return f' (process {int(number)})' if number.isdigit() else ''
