"""What a turn of the model asks for. This is the whole syntax.

A turn is lines of bytes, which end with LF or CRLF. Three kinds of lines mean something, all others
are free prose:

  ``` or ~~~          opens a block of code, as in CommonMark: up to three spaces, three or more of
                      one character, then a language, which must be Python's or missing; a line of
                      at least as many of the same character closes it
  REMEMBER key=value  keeps a value, however long the context grows; an empty value is forgotten
  DONE                the goal is reached

A turn ends behind a closed block or DONE, where the model ends its document, or at the limit of
bytes: so it holds one block at most. All of a turn is done, or nothing of one with a mistake.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

DONE = b'DONE'
REMEMBER = b'REMEMBER'
LANGUAGES = '', 'py', 'python', 'python3'  # Of a block, in lower case: what the sandbox runs.
MAX_CODE = 16_384  # Bytes.
MAX_KEYS = 64
MAX_VALUE = 1024  # Bytes.
_KEY = re.compile(r'[A-Za-z0-9_.-]{1,64}')
_BLANKS = b' \t\r'
# CommonMark 0.31, section 4.5: an info string behind backquotes has no backquote.
_OPENING = re.compile(rb'( {0,3})(`{3,}(?=[^`]*\Z)|~{3,})([^\n]*)')
_CLOSING = re.compile(rb' {0,3}(`{3,}|~{3,})[ \t\r]*')


class Actions(NamedTuple):
  """What a turn asks for."""

  code: str | None = None
  memory: tuple[tuple[str, str], ...] = ()  # Keys and values, in order.
  done: bool = False


class _Fence(NamedTuple):
  """The line that opens a block."""

  indent: int  # Spaces, of which the lines of the block lose as many.
  mark: bytes  # Three or more of ` or ~.
  language: bytes  # The first word behind the mark; empty for none.
  crlf: bool  # How it ends, and so do the lines of the block.

  def closed_by(self, line: bytes) -> bool:
    """Whether a line closes the block."""
    found = _CLOSING.fullmatch(line)
    return found is not None and found[1].startswith(self.mark)

  def content(self, line: bytes) -> bytes:
    """A line of the block as code."""
    line = line.removesuffix(b'\r') if self.crlf else line
    spaces = len(line) - len(line.lstrip(b' '))
    return line[min(spaces, self.indent):]


def end(data: bytes) -> int | None:
  """Where a turn ends that begins like `data`; None when it may still go on."""
  fence, position = None, 0
  for line in data.split(b'\n')[:-1]:
    position += len(line) + 1
    if fence is None:
      if _is_done(line):
        return position
      fence = _opening(line)
    elif fence.closed_by(line):
      return position
  return None


def parse(data: bytes) -> Actions:
  """What a whole turn asks for. Raises ValueError, which tells the model what to do instead."""
  memory: list[tuple[str, str]] = []
  lines = data[:end(data)].split(b'\n')
  for number, line in enumerate(lines):
    if fence := _opening(line):
      return Actions(_code(fence, lines[number + 1:]), tuple(memory))
    if _is_done(line):
      return Actions(None, tuple(memory), done=True)
    if line.rstrip(b'\r').split(b' ')[0] == REMEMBER:
      memory.append(_assignment(line.removesuffix(b'\r')))
  if not memory:
    raise ValueError('nothing to do: write a block of code between lines ```, REMEMBER key=value '
                     'or DONE')
  return Actions(None, tuple(memory))


def remember(
    memory: dict[str, str], changes: tuple[tuple[str, str], ...]
) -> dict[str, str]:
  """The memory after some changes. Raises ValueError when it would hold too many keys."""
  after = {key: value for key, value in (memory | dict(changes)).items() if value}
  if len(after) > MAX_KEYS:
    raise ValueError(f'the memory holds {MAX_KEYS} keys at most: forget one with REMEMBER key=')
  return after


def assignments(memory: Mapping[str, str]) -> bytes:
  """The lines that remember all values, each with its line feed."""
  return ''.join(
      f'{REMEMBER.decode()} {key}={value}\n' for key, value in memory.items()).encode()


def check_value(key: str, value: str) -> None:
  """Raises ValueError for a key or a value that REMEMBER cannot set."""
  if not _KEY.fullmatch(key):
    raise ValueError('REMEMBER needs key=value, with a key of 1 to 64 letters, digits, _ . or -')
  if len(value.encode()) > MAX_VALUE:
    raise ValueError(f'REMEMBER {key} has a value of more than {MAX_VALUE} bytes: shorten it')
  if '\n' in value:
    raise ValueError(f'REMEMBER {key} has a value of several lines: give one')


def _is_done(line: bytes) -> bool:
  return line.rstrip(_BLANKS) == DONE


def _opening(line: bytes) -> _Fence | None:
  """The fence of a line that opens a block."""
  found = _OPENING.fullmatch(line)
  if found is None:
    return None
  indent, mark, info = found.groups()
  language, _, _ = info.removesuffix(b'\r').lstrip(b' \t').replace(b'\t', b' ').partition(b' ')
  return _Fence(len(indent), mark, language, line.endswith(b'\r'))


def _code(fence: _Fence, lines: list[bytes]) -> str:
  """What stands before the closing line."""
  size = next((number for number, line in enumerate(lines) if fence.closed_by(line)), None)
  if size is None:
    raise ValueError(
        f'the block of code is not closed: end it with a line {fence.mark[:80].decode()}')
  language = fence.language.decode(errors='replace')
  if language.lower() not in LANGUAGES:
    raise ValueError(f'the block of code is marked {language!r:.40}: only Python runs, open it '
                     'with ```python')
  code = b'\n'.join(map(fence.content, lines[:size]))
  if len(code) > MAX_CODE:
    raise ValueError(f'the block of code has {len(code)} bytes: write {MAX_CODE} at most')
  return _text(code, 'the block of code')


def _assignment(line: bytes) -> tuple[str, str]:
  """Key and value of a REMEMBER."""
  key, equals, value = _text(line[len(REMEMBER) + 1:], REMEMBER.decode()).partition('=')
  check_value(key if equals else '', value)
  return key, value


def _text(data: bytes, what: str) -> str:
  try:
    return data.decode()
  except UnicodeDecodeError as error:
    raise ValueError(f'{what} is not UTF-8 at its byte {error.start}') from error
