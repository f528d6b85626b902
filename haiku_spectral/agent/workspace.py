"""The files that a session's code works on: in the folder `workspace`, for people to see.

Code never sees that folder, only names and bytes. What is in it follows from the transcript;
what people put there is taken over when they set a goal.
"""

import os
import pathlib
import re
from typing import Any

from haiku_spectral.storage import atomic_file

MAX_FILES = 32
MAX_BYTES = 65_536  # Of all files together.
_NAME = re.compile(r'[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}')
_UNFINISHED = '.part'  # How `atomic_file` names what is not yet whole.


def check(files: Any) -> dict[str, bytes]:
  """The files that code has left, text as UTF-8. Raises ValueError for what may not be kept."""
  if not isinstance(files, dict):
    raise ValueError(f'files is of type {type(files).__name__}: leave it a dict of names and bytes')
  if len(files) > MAX_FILES:
    raise ValueError(f'there are {len(files)} files: keep {MAX_FILES} at most')
  checked = {_check_name(name): _content(name, data) for name, data in files.items()}
  _check_size(sum(map(len, checked.values())))
  return checked


def changes(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, bytes | None]:
  """What makes `after` of `before`: new contents by name, None for what is gone."""
  changed: dict[str, bytes | None] = {
      name: data for name, data in after.items() if before.get(name) != data}
  return changed | dict.fromkeys(before.keys() - after.keys())


def read(folder: pathlib.Path) -> dict[str, bytes]:
  """What people have put there. Raises ValueError for what may not be kept."""
  entries = sorted(
      (entry for entry in os.scandir(folder) if not entry.name.endswith(_UNFINISHED)),
      key=lambda entry: entry.name)
  for entry in entries:
    if not entry.is_file(follow_symlinks=False):
      raise ValueError(f'{entry.path} is no ordinary file: move it elsewhere.')
  try:
    _check_size(sum(entry.stat().st_size for entry in entries))
    return check({entry.name: pathlib.Path(entry.path).read_bytes() for entry in entries})
  except ValueError as error:
    raise ValueError(f'The files in {folder} cannot be taken over: {error}.') from error


def write(folder: pathlib.Path, files: dict[str, bytes], gone: set[str]) -> list[str]:
  """Brings the folder up to date, each file whole or not at all; returns what had changed."""
  stale = [name for name, data in files.items() if not _holds(folder / name, data)]
  for name in stale:
    atomic_file.write(folder / name, files[name])
  left = [name for name in sorted(gone) if os.path.lexists(folder / name)]
  for name in left:
    os.unlink(folder / name)
  return stale + left


def _check_name(name: Any) -> str:
  if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith(_UNFINISHED):
    raise ValueError(
        f'{name!r:.80} cannot be the name of a file: use 1 to 64 letters, digits, _ . or -, no dot '
        f'or dash first and no {_UNFINISHED} at the end')
  return name


def _content(name: str, data: Any) -> bytes:
  if not isinstance(data, bytes | str):
    raise ValueError(f'the file {name} is of type {type(data).__name__}: give it bytes or a str')
  return data if isinstance(data, bytes) else data.encode()


def _check_size(size: int) -> None:
  if size > MAX_BYTES:
    raise ValueError(f'the files have {size:,} bytes: keep {MAX_BYTES:,} at most')


def _holds(path: pathlib.Path, data: bytes) -> bool:
  return path.is_file() and not path.is_symlink() and path.read_bytes() == data
