"""Files and folders that are there complete or not at all, also after a power cut.

A path that is a link stands for what it points to: that is replaced, the link stays.
"""

import contextlib
import os
import pathlib
import secrets
import tempfile

Path = str | os.PathLike[str]

UNFINISHED = '.part'  # How the name of a file ends that is being written.


def check_place(path: Path, *, what: str, flag: str) -> None:
  """Makes the folder of a file, before anything is made that could then not be saved.

  Raises ValueError, which names `what` and advises another `flag`, when nothing can be saved.
  """
  if pathlib.Path(path).is_dir():
    raise ValueError(f'{what} {path} is a folder: give the path of a file.')
  try:
    folder = _target(path).parent
  except ValueError as error:
    raise ValueError(f'{what} {error}: give another {flag} path.') from error
  _check_writable(folder, f'{what} {path}', flag)


def check_folder(path: Path, *, what: str, flag: str) -> None:
  """The same for a folder that files are to be written into: makes it."""
  if pathlib.Path(path).exists() and not pathlib.Path(path).is_dir():
    raise ValueError(f'{what} {path} is a file: give the path of a folder as {flag}.')
  _check_writable(pathlib.Path(path), f'{what} {path}', flag)


def write(path: Path, data: bytes, *, mode: int | None = 0o600) -> None:
  """Replaces a file; whatever happens meanwhile, `path` leads to the old bytes or to the new ones.

  With `mode` None the user's umask decides who may read it, as for any new file.

  Raises ValueError when `path` leads to something that is no regular file, and OSError.
  """
  target = _target(path)
  part = target.with_name(f'{target.name[:50]}.{secrets.token_hex(4)}{UNFINISHED}')
  descriptor = os.open(
      part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666 if mode is None else 0o600)
  try:
    with os.fdopen(descriptor, 'wb') as file:
      if mode is not None:
        os.fchmod(descriptor, mode)
      file.write(data)
      file.flush()
      os.fsync(descriptor)
    os.replace(part, target)
  except BaseException:
    with contextlib.suppress(FileNotFoundError):
      os.unlink(part)
    raise
  sync(target.parent)


def write_text(path: Path, text: str) -> None:
  """`write` in UTF-8, for whoever may read the user's new files."""
  write(path, text.encode(), mode=None)


def publish(unfinished: Path, folder: Path) -> None:
  """Renames a folder that is complete to a name that is free, with all that is in it on the disk.

  Both names must be on one file system.
  """
  for path, _, names in os.walk(unfinished):
    for name in names:
      sync(pathlib.Path(path, name))
    sync(pathlib.Path(path))
  os.rename(unfinished, folder)
  sync(pathlib.Path(folder).parent)


def _target(path: Path) -> pathlib.Path:
  """What a path leads to, through links. Raises ValueError unless it can be replaced as a file."""
  target = pathlib.Path(os.path.realpath(path))
  # A link to a pipe or terminal ('/dev/stdout') resolves to a name that is none: ask the path.
  if target.is_symlink() or (os.path.exists(path) and not (
      target.is_file() and os.path.samefile(path, target))):
    raise ValueError(f'{path} is not a regular file')
  return target


def _check_writable(folder: pathlib.Path, place: str, flag: str) -> None:
  """Makes a folder. Raises ValueError when it cannot be written to."""
  try:
    folder.mkdir(parents=True, exist_ok=True)
    if os.access(folder, os.W_OK):  # So says the mode, which is not all: /proc, or no space left.
      tempfile.TemporaryFile(dir=folder).close()
  except OSError as error:
    raise ValueError(
        f'{place} could not be saved ({error}): give another {flag} path.') from error
  if not os.access(folder, os.W_OK):
    raise ValueError(
        f'{place} could not be saved, its folder is read-only: give another {flag} path.')


def sync(path: pathlib.Path) -> None:
  """Has a file, or the names in a folder, survive a power cut."""
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)
