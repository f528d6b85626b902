"""Lines that a person types, or that come through a pipe."""

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator

_HISTORY = 1000  # Lines.


@contextlib.contextmanager
def asking(history: str | None) -> Iterator[Callable[[], str]]:
  """Gives an `ask` that reads standard input; at a terminal with a prompt, and lines to recall.

  Those are kept in the file `history`, where Python has readline. A file that cannot be used costs
  a note, and nothing else.
  """
  if isinstance(sys.stdin, io.TextIOWrapper):
    sys.stdin.reconfigure(errors='surrogateescape')  # Any bytes may be said.
  if not sys.stdin or not sys.stdin.isatty():
    yield input if sys.stdin else _no_line
    return
  try:
    import readline
  except ImportError:
    history = None
  if history and not _use_history(readline.read_history_file, history):
    history = None
  try:
    yield lambda: input('> ')
  finally:
    if history:
      readline.set_history_length(_HISTORY)
      _use_history(readline.write_history_file, history)


def _use_history(action: Callable[[str], None], path: str) -> bool:
  """Reads or writes the file of lines typed. Returns whether it can be used."""
  try:
    action(path)
  except FileNotFoundError as error:
    if os.path.isdir(os.path.dirname(path)):  # The first time there is none.
      return True
    reason: OSError = error
  except OSError as error:
    reason = error
  else:
    return True
  print(f'note: lines typed are not kept in {path}: {reason.strerror}', file=sys.stderr)
  return False


def _no_line() -> str:
  """Asks where there is no standard input."""
  raise EOFError
