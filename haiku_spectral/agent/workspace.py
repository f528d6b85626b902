"""The files that a session's code works on: in the folder `workspace`, for people to see.

Code never sees that folder, only names and bytes. What is in it follows from the transcript;
what people put there is taken over when they set a goal.
"""

import os
import pathlib
import re
from collections.abc import Collection, Mapping
from typing import Any

from haiku_spectral.storage import atomic_file

MAX_FILES = 32
MAX_BYTES = 65_536  # Of all files together.
_NAME = re.compile(r'[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}')


def check(files: Any) -> dict[str, bytes]:
  """The files that code has left, text as UTF-8. Raises ValueError for what may not be kept."""
  if not isinstance(files, dict):
    raise ValueError(f'files is of type {type(files).__name__}: leave it a dict of names and bytes')
  if len(files) > MAX_FILES:
    raise ValueError(f'there are {len(files)} files: keep {MAX_FILES} at most')
  checked = {_check_name(name): _content(name, data) for name, data in files.items()}
  _check_size(sum(map(len, checked.values())))
  return checked


def check_changes(files: Mapping[str, bytes | None]) -> None:
  """Raises ValueError for changes of files that `changes` could not have found."""
  check({name: data for name, data in files.items() if data is not None})
  for name in files:
    _check_name(name)


def changes(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, bytes | None]:
  """What makes `after` of `before`: new contents by name, None for what is gone."""
  changed: dict[str, bytes | None] = {
      name: data for name, data in after.items() if before.get(name) != data}
  return changed | dict.fromkeys(before.keys() - after.keys())


def read(folder: pathlib.Path) -> dict[str, bytes]:
  """What people have put there. Raises ValueError for what may not be kept."""
  entries = sorted(
      (entry for entry in os.scandir(folder) if not entry.name.endswith(atomic_file.UNFINISHED)),
      key=lambda entry: entry.name)
  for entry in entries:
    if not entry.is_file(follow_symlinks=False):
      raise ValueError(f'{entry.path} is no ordinary file: move it elsewhere.')
  try:
    _check_size(sum(entry.stat().st_size for entry in entries))
    return check({entry.name: pathlib.Path(entry.path).read_bytes() for entry in entries})
  except ValueError as error:
    raise ValueError(f'The files in {folder} cannot be taken over: {error}.') from error


def write(
    folder: pathlib.Path, files: dict[str, bytes], gone: Collection[str]
) -> list[str]:
  """Brings the folder up to date, each file complete or not at all; returns what had changed."""
  stale = [name for name, data in files.items() if not holds(folder / name, data)]
  for name in stale:
    replace(folder / name, files[name])
  unwanted = [name for name in sorted(gone) if os.path.lexists(folder / name)]
  for name in unwanted:
    os.unlink(folder / name)
  return stale + unwanted


def replace(path: pathlib.Path, data: bytes) -> None:
  """Replaces a file, and a link instead of what it leads to: nothing outside the folder changes."""
  if path.is_symlink():
    path.unlink()
  atomic_file.write(path, data)


def holds(path: pathlib.Path, data: bytes) -> bool:
  """Whether a file is there, as itself, with these contents."""
  return path.is_file() and not path.is_symlink() and path.read_bytes() == data


def _check_name(name: Any) -> str:
  if (not isinstance(name, str) or not _NAME.fullmatch(name)
      or name.endswith(atomic_file.UNFINISHED)):
    raise ValueError(
        f'{name!r:.80} cannot be the name of a file: use 1 to 64 letters, digits, _ . or -, no dot '
        f'or dash first and no {atomic_file.UNFINISHED} at the end')
  return name


def _content(name: str, data: Any) -> bytes:
  if not isinstance(data, bytes | str):
    raise ValueError(f'the file {name} is of type {type(data).__name__}: give it bytes or a str')
  return data if isinstance(data, bytes) else data.encode()


def _check_size(size: int) -> None:
  if size > MAX_BYTES:
    raise ValueError(f'the files have {size:,} bytes: keep {MAX_BYTES:,} at most')
