"""From a pattern to the automaton of the bytes that match it, in a process of its own.

The library that does it takes all the memory that it can get, kills its process when there is no
more, and listens to no signal meanwhile. The process imports little: it starts in 30 ms.
"""

import contextlib
import marshal
import os
import resource
import signal
import subprocess
import sys
from typing import NamedTuple

import outlines_core

MAX_STATES = 20_000  # 20 MB as a table.
_MEMORY = 2**29  # Bytes. Automata of so many states take a third of it.
_SECONDS = 30.0
_BYTES = outlines_core.Vocabulary(256, {bytes([byte]): [byte] for byte in range(256)})
# A character that is none stands for the end of the text. Without a mark the library, which looks
# for the first match, would end `a|ab` after the a.
_END = r'\x{10FFFF}'
_END_BYTES = '\U0010FFFF'.encode()


class Transitions(NamedTuple):
  """A deterministic automaton over bytes. Its states are any numbers."""

  start: int
  table: dict[int, dict[int, int]]  # State -> byte -> state.
  ends: list[int]  # Where a text may end.


def compile_pattern(pattern: str) -> Transitions:
  """The automaton of the texts that match as a whole.

  A pattern with more closing than opening parentheses is the caller's to refuse.
  Raises ValueError with what the library says of it, MemoryError for too large an automaton.
  """
  try:
    process = subprocess.run(
        [sys.executable, '-P', __file__], input=pattern.encode(), capture_output=True,
        timeout=_SECONDS, check=False)
  except subprocess.TimeoutExpired as error:
    raise MemoryError from error
  if process.returncode == -signal.SIGABRT:
    raise MemoryError
  if process.returncode:
    raise RuntimeError(f'The compiler of patterns failed: {process.stderr.decode()}')
  result = marshal.loads(process.stdout)
  if isinstance(result, str):
    raise ValueError(result)
  return Transitions(*result)


def _compile(pattern: str) -> Transitions:
  """The same, in this process."""
  index = outlines_core.Index(f'(?:{pattern}){_END}', _BYTES)
  transitions, ends = index.get_transitions(), index.get_final_states()
  if len(transitions) > MAX_STATES:
    raise MemoryError

  def may_end(state: int | None) -> bool:
    for byte in _END_BYTES:
      state = transitions.get(state, {}).get(byte)
    return state in ends

  for row in transitions.values():
    row.pop(256, None)  # The library's own mark of an end.
  return Transitions(index.get_initial_state(), transitions, list(filter(may_end, transitions)))


def main() -> None:
  """The process: a pattern on stdin, on stdout the automaton or what the library says."""
  with contextlib.suppress(ValueError):  # macOS may refuse; the time is limited there too.
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
  result: tuple | str
  try:
    result = tuple(_compile(sys.stdin.buffer.read().decode()))
  except ValueError as error:
    result = str(error)
  except MemoryError:
    os.abort()  # As the library does.
  sys.stdout.buffer.write(marshal.dumps(result))


if __name__ == '__main__':
  main()
