"""Files that are written as a whole or not at all."""

import os
import pathlib
import tempfile

Path = str | os.PathLike[str]


def check_place(path: Path, *, what: str, flag: str) -> None:
  """Makes the folder of a file, before anything is made that could then not be saved.

  Raises ValueError, which tells of `what` and advises another `flag`, when nothing can be saved.
  """
  path = pathlib.Path(path)
  if path.is_dir():
    raise ValueError(f'{what} {path} is a folder: give the path of a file.')
  if path.exists() and not path.is_file():
    raise ValueError(f'{what} {path} is no ordinary file: give another {flag} path.')
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
  except OSError as error:
    raise ValueError(
        f'{what} {path} could not be saved ({error}): give another {flag} path.') from error
  if not os.access(path.parent, os.W_OK):
    raise ValueError(
        f'{what} {path} could not be saved, its folder is read-only: give another {flag} path.')


def write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
  """Writes a file; whatever happens meanwhile, `path` holds the old one or the new one."""
  path = pathlib.Path(path)
  descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix='.part')
  try:
    with os.fdopen(descriptor, 'wb') as file:
      os.fchmod(descriptor, mode)
      file.write(data)
      file.flush()
      os.fsync(descriptor)
    os.replace(part, path)
  except BaseException:
    os.unlink(part)
    raise
  # The new name itself must survive a power cut.
  folder = os.open(path.parent, os.O_RDONLY)
  try:
    os.fsync(folder)
  finally:
    os.close(folder)
