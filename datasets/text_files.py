"""Files of UTF-8 text: finding them, checking them, reading them as a stream."""

import codecs
import collections
import dataclasses
import os
import pathlib
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from datasets import registry, splits
from haiku_spectral.storage import file_name

READ_BYTES = 1 << 20  # One read; all that is held of a file.
LISTED = 20  # Files that are named when they are filtered out; the others are only counted.
INVALID_POLICIES = ('skip', 'replace', 'fail')


class NotText(ValueError):
  """A file that is not UTF-8 text; `reason` is the same for all files with the same fault."""

  def __init__(self, path: str, reason: str, position: int) -> None:
    super().__init__(
        f'{file_name.printable(path)}: {reason} at byte {position}: mend the file, or choose to '
        'skip such files or to replace what is wrong in them.')
    self.reason = reason
    self.position = position


class TextFile(NamedTuple):
  """A file that was read once and found good."""

  path: str
  name: str  # Path below the folder, with '/'.
  size: int  # Bytes that `read_text` gives.
  content: bytes  # Their splits.ContentDigest.


@dataclasses.dataclass
class Filtered:
  """Files that were filtered out and why. Holds counts and the first few names only."""

  counts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
  first: list[tuple[str, str]] = dataclasses.field(default_factory=list)  # (name, reason)

  def add(self, name: str, reason: str, detail: str = '') -> None:
    """Counts one file."""
    self.counts[reason] += 1
    if len(self.first) < LISTED:
      self.first.append((file_name.printable(name), reason + detail))


def read_text(
    path: str | os.PathLike, *, replace: bool = False, buffer_bytes: int = READ_BYTES
) -> Iterator[bytes]:
  """Reads a file as valid UTF-8 without a byte order mark, `buffer_bytes` at a time.

  A NUL or an invalid sequence raises `NotText` with its position, or with `replace` becomes U+FFFD.
  A sequence cut by the end of a buffer comes in one piece in the next chunk.
  """
  decoder = codecs.getincrementaldecoder('utf-8')('replace' if replace else 'strict')
  consumed, first = 0, True
  with pathlib.Path(path).open('rb') as file:
    while True:
      data = file.read(buffer_bytes)
      if not replace and (nul := data.find(0)) >= 0:
        raise NotText(os.fspath(path), 'contains NUL (binary, or not UTF-8)', consumed + nul)
      pending = len(decoder.getstate()[0])
      try:
        text = decoder.decode(data, final=not data)
      except UnicodeDecodeError as error:
        position = consumed - pending + error.start
        raise NotText(os.fspath(path), 'invalid UTF-8', position) from None
      consumed += len(data)
      if first and text:
        text, first = text.removeprefix('\ufeff'), False
      if replace:
        text = text.replace('\0', '\ufffd')
      if text:
        yield text.encode()
      if not data:
        return


def normalise_extensions(extensions: Sequence[str]) -> tuple[str, ...]:
  """['txt', '.PY', ''] -> ('.py', '.txt'); none means every file."""
  bare = {extension.strip().lower().lstrip('.') for extension in extensions} - {''}
  return tuple(sorted('.' + extension for extension in bare))


def find(
    folder: str, extensions: tuple[str, ...], filtered: Filtered
) -> Iterator[tuple[str, str, int]]:
  """Yields (path, name, bytes on disk) of all regular files below a folder, sorted by name.

  Symbolic links are not followed (they may form loops, and copies would stand in two splits);
  nor are names that begin with a dot and built datasets. All that is skipped is counted in
  `filtered`.
  """
  stack = [(folder, '')]
  while stack:
    path, name = stack.pop()
    base = os.path.basename(name)
    try:
      status = os.lstat(path) if name else os.stat(path)
      if base.startswith('.'):
        filtered.add(name, 'hidden (its name begins with a dot)')
      elif stat.S_ISLNK(status.st_mode):
        filtered.add(name, 'symbolic link')
      elif stat.S_ISDIR(status.st_mode) and registry.is_complete(pathlib.Path(path)):
        filtered.add(name, 'a built dataset')
      elif stat.S_ISDIR(status.st_mode):
        children = sorted(os.listdir(path), reverse=True)
        stack.extend((os.path.join(path, child), f'{name}/{child}' if name else child)
                     for child in children)
      elif not stat.S_ISREG(status.st_mode):
        filtered.add(name, 'not a regular file')
      elif extensions and not base.lower().endswith(extensions):
        filtered.add(name, 'other extension')
      else:
        yield path, name, status.st_size
    except OSError as error:
      filtered.add(name or folder, f'unreadable ({error.strerror})')


def check(
    path: str, name: str, *, invalid: str, filtered: Filtered,
    advance: Callable[[int], object] = lambda size: None,
) -> TextFile | None:
  """Reads one file to its end; None, counted in `filtered`, when it is no text.

  `invalid` says what becomes of a file that is not UTF-8 text: 'skip' it, 'replace' what is wrong,
  or 'fail' (raises NotText). `advance` is called with the bytes of every chunk.
  """
  size, content = 0, splits.ContentDigest()
  try:
    for chunk in read_text(path, replace=invalid == 'replace'):
      size += len(chunk)
      content.update(chunk)
      advance(len(chunk))
  except NotText as error:
    if invalid == 'fail':
      raise
    filtered.add(name, error.reason, f' at byte {error.position}')
    return None
  except OSError as error:
    filtered.add(name, f'unreadable ({error.strerror})')
    return None
  if not size:
    filtered.add(name, 'empty')
    return None
  return TextFile(path=path, name=name, size=size, content=content.digest())


def documents(
    paths: Sequence[str], *, limit: int, filtered: Filtered
) -> Iterator[tuple[str, bytes]]:
  """(name, text) of files, and of all files below folders; of each at most `limit` bytes.

  A name is a path as given, but in a folder that is the only path given it is below that. Files of
  a folder that are no text are counted in `filtered`. Raises FileNotFoundError for a path where
  there is nothing, and NotText for a file that was named itself.
  """
  for place in paths:
    if not os.path.exists(place):
      raise FileNotFoundError(f'the text {place!r} does not exist: give a file or a folder.')
    folder = os.path.isdir(place)
    for path, name, _ in find(place, (), filtered) if folder else [(place, place, 0)]:
      try:
        data = b''
        for chunk in read_text(path):
          data += chunk[:limit - len(data)]
          if len(data) >= limit:
            break
        yield (name if len(paths) == 1 else path), data
      except NotText as error:
        if not folder:
          raise
        filtered.add(name, error.reason, f' at byte {error.position}')
      except OSError as error:
        if not folder:
          raise
        filtered.add(name, f'unreadable ({error.strerror})')


def require_folder(folder: str) -> str:
  """The absolute path of a folder. Raises an error that says what is there instead."""
  path = pathlib.Path(folder).expanduser()
  if not folder or not path.exists():
    raise FileNotFoundError(f'the folder {folder!r} does not exist: give a folder of text files.')
  if not path.is_dir():
    raise NotADirectoryError(
        f'{folder!r} is a file: give the folder that holds it ({str(path.parent)!r}).')
  path = path.resolve()
  for place in (path, *path.parents):
    if registry.is_complete(place):
      raise ValueError(f'the folder {folder!r} belongs to the built dataset in {str(place)!r}: '
                       'give the folder of the texts that it was built from.')
  return str(path)
