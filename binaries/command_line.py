"""How every program runs its `main`, and how it ends: exit codes, and mistakes in one line."""

import contextlib
import functools
import json
import os
import pathlib
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from absl import app, flags, logging

import binaries
from haiku_spectral import backend
from haiku_spectral.sandbox.result import Unavailable
from haiku_spectral.storage import atomic_file, file_name

USER_ERRORS = (ValueError, OSError)  # OSError: files that are not there, full disks, permissions.
MISTAKE, INTERRUPTED, BROKEN_PIPE = 1, binaries.INTERRUPTED, 128 + signal.SIGPIPE  # Exit codes.

Main = Callable[[Sequence[str]], int | None]


def run(main: Main) -> None:
  """Runs `main` with the flags of the command line and ends the process with its exit code.

  A user's mistake is one line on standard error and exit code 1, no sandbox one with exit code 3.
  Ctrl-C gives 130, a reader of the output that has gone away (`| head`) 141: the numbers that a
  shell gives to the signals.
  """
  _on_interrupt(binaries.stop_at_once, signal.default_int_handler)
  try:
    code = _exit_code(main)
  except KeyboardInterrupt:
    tell('interrupted')
    code = INTERRUPTED
  except BrokenPipeError as error:
    code = BROKEN_PIPE
    if not _reader_is_gone():  # Of another pipe than the output.
      tell(f'error: {error}')
      code = MISTAKE
  except USER_ERRORS as error:
    tell(f'error: {error}')
    code = MISTAKE
  except Unavailable as error:
    tell(f'error: {error}')
    code = error.EXIT_CODE
  _on_interrupt(signal.default_int_handler, binaries.stop_at_once)
  _drop_what_cannot_be_written()
  sys.exit(code)


def run_in_order(commands: Sequence[Sequence[str]]) -> int:
  """Runs programs, module name and flags each, and shows which; stops at the first that fails.

  Returns its exit code, or 0.
  """
  for module, *arguments in commands:
    print(f'\n$ python -m {module} {shlex.join(arguments)}', flush=True)
    status = subprocess.run([sys.executable, '-m', module, *arguments], check=False).returncode
    if status:
      tell(f'error: {module} ended with exit code {status}.')
      return status
  return 0


def typed() -> str:
  """The command that runs, as a reader of the docs would type it; quoted for a shell."""
  return f'./run //binaries:{pathlib.Path(sys.argv[0]).stem} {shlex.join(sys.argv[1:])}'.strip()


def with_command(text: str) -> str:
  """A report in JSON, an object, with the command that made it as its field `command`."""
  return json.dumps({'command': typed(), **json.loads(text)}, indent=2) + '\n'


def publish(
    folder: pathlib.Path, stem: str, *, text: str, fields: str,
    draw: Callable[[pathlib.Path], object],
) -> None:
  """Prints a report, and writes it as STEM.json, `with_command`, and STEM.png."""
  print(text, flush=True)  # First: whatever becomes of the files, it is there.
  folder.mkdir(parents=True, exist_ok=True)
  data, picture = folder / f'{stem}.json', folder / f'{stem}.png'
  atomic_file.write_text(data, with_command(fields))
  draw(picture)
  print(f'\nWritten: {data}, {picture}')


def tell(text: str) -> None:
  """Prints lines on standard error, with escapes for what would change the terminal."""
  with contextlib.suppress(OSError):  # Nobody listens.
    print('\n'.join(map(file_name.printable, text.split('\n'))), file=sys.stderr, flush=True)


def _exit_code(main: Main) -> Any:
  """What absl's `run` ends with."""
  backend.tune_malloc()
  # What libraries log about their own doings is no news to a user.
  logging.set_verbosity(logging.WARNING)
  try:
    app.run(functools.partial(_checked, main), flags_parser=_parse_flags)
  except SystemExit as end:
    sys.stdout.flush()  # Here, where a failure can be reported.
    return end.code
  return 0


def _checked(main: Main, argv: Sequence[str]) -> int | None:
  if len(argv) > 1:
    raise ValueError(f'unknown argument {argv[1]!r}: give flags (--name=value).')
  logging.set_verbosity(logging.WARNING)
  return main(argv)


def _parse_flags(argv: list[str]) -> list[str]:
  """absl's, with one line for any mistake, also one in a preset, which is a program itself."""
  try:
    return flags.FLAGS(argv)
  except SystemExit:  # --help, which absl ends with 1.
    sys.exit(0)
  except flags.UnrecognizedFlagError as error:
    raise ValueError(f'{error} --help lists the flags.') from error
  except Exception as error:
    reason = ' '.join(str(error).replace('\\n', ' ').replace('\\', '').split())
    if not isinstance(error, (flags.Error, *USER_ERRORS, AttributeError)):
      reason = f'{type(error).__name__}: {reason}'
    raise ValueError(f'a flag cannot be used: {reason}') from error


def _on_interrupt(old: Any, new: Any) -> None:
  """Changes what Ctrl-C does, unless whoever started the program has decided."""
  if signal.getsignal(signal.SIGINT) is old:
    signal.signal(signal.SIGINT, new)


def _reader_is_gone() -> bool:
  """Whether standard output or error is a pipe that nobody reads any more."""
  poll = select.poll()
  for number in (1, 2):
    poll.register(number, 0)
  return any(event & select.POLLERR for _, event in poll.poll(0))


def _drop_what_cannot_be_written() -> None:
  """Python flushes its streams once more at the end, and would print how that failed."""
  for number, stream in ((1, sys.stdout), (2, sys.stderr)):
    try:
      stream.flush()
    except OSError:
      os.dup2(os.open(os.devnull, os.O_WRONLY), number)
