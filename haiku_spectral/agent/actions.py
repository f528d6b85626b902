"""What a turn of the model asks for. This is the whole syntax.

A turn is lines of bytes. Three kinds of them mean something, all others are free prose:

  ```                 opens a block of Python, which the next such line closes; ```python opens too
  REMEMBER key=value  keeps a value, however much is read after it; an empty value is forgotten
  DONE                the goal is reached

A turn ends behind a closed block or DONE, where the model ends its document, or at the limit of
bytes: so it holds one block at most. All of a turn is done, or nothing of one with a mistake.
"""

import re
from typing import NamedTuple

FENCE = b'```'
DONE = b'DONE'
REMEMBER = b'REMEMBER'
MAX_CODE = 16_384  # Bytes.
MAX_KEYS = 64
MAX_VALUE = 1024  # Bytes.
_OPENS = FENCE, FENCE + b'python'
_KEY = re.compile(r'[A-Za-z0-9_.-]{1,64}')


class Actions(NamedTuple):
  """What a turn asks for."""

  code: str | None = None
  memory: tuple[tuple[str, str], ...] = ()  # Keys and values, in order.
  done: bool = False


def end(data: bytes) -> int | None:
  """Where a turn ends that begins like `data`; None when it may still go on."""
  inside, position = False, 0
  for line in data.split(b'\n')[:-1]:
    position += len(line) + 1
    if line == (FENCE if inside else DONE):
      return position
    inside = inside or line in _OPENS
  return None


def parse(data: bytes) -> Actions:
  """What a whole turn asks for. Raises ValueError, which tells the model what to write instead."""
  memory: list[tuple[str, str]] = []
  lines = data[:end(data)].split(b'\n')
  for number, line in enumerate(lines):
    if line in _OPENS:
      return Actions(_code(lines[number + 1:]), tuple(memory))
    if line == DONE:
      return Actions(None, tuple(memory), done=True)
    if line.split(b' ')[0] == REMEMBER:
      memory.append(_assignment(line))
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


def _code(lines: list[bytes]) -> str:
  """What stands before the closing line."""
  if FENCE not in lines:
    raise ValueError('the block of code is not closed: end it with a line ```')
  code = b'\n'.join(lines[:lines.index(FENCE)])
  if len(code) > MAX_CODE:
    raise ValueError(f'the block of code has {len(code)} bytes: write {MAX_CODE} at most')
  return _text(code, 'the block of code')


def _assignment(line: bytes) -> tuple[str, str]:
  """Key and value of a REMEMBER."""
  key, equals, value = _text(line[len(REMEMBER) + 1:], REMEMBER.decode()).partition('=')
  if not equals or not _KEY.fullmatch(key):
    raise ValueError('REMEMBER needs key=value, with a key of 1 to 64 letters, digits, _ . or -')
  if len(value.encode()) > MAX_VALUE:
    raise ValueError(f'REMEMBER {key} has a value of more than {MAX_VALUE} bytes: shorten it')
  return key, value


def _text(data: bytes, what: str) -> str:
  try:
    return data.decode()
  except UnicodeDecodeError as error:
    raise ValueError(f'{what} is not UTF-8 at its byte {error.start}') from error
