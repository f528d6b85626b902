"""Tries to break out, harmlessly. The self-test runs it inside, as a snippet; see selftest.py.

Where a filter and the kernel both refuse, the error tells which of them did: arguments are chosen
such that the kernel's answer would be another one.
"""

import ctypes
import errno
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

# System calls that may pass, whatever their arguments: a copy, so that a list made longer is seen.
FREE = frozenset((
    0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 23, 24, 25, 28, 32, 33, 35,
    39, 60, 79, 89, 96, 97, 98, 102, 104, 107, 108, 110, 131, 186, 217, 219, 231, 262, 270, 271,
    292, 318, 332))
OTHER_ERRORS = frozenset((16, 257, 435))  # ioctl, openat, clone3: refused, but not with EPERM.
DEBUGGING = frozenset((335, 336))  # uretprobe, uprobe: no filter sees them, the kernel kills.
LAST_CALL = 512
NOWHERE = 1  # An address, where nothing is.
NOBODY = 1 << 30  # A process that there is not.
OPENING = {'O_WRONLY': 0o1, 'O_RDWR': 0o2, 'O_CREAT': 0o100, 'O_TRUNC': 0o1000,
           'O_TMPFILE': 0o20000000}
DESCRIPTOR_ONLY = (0, 1, 2, 3, 1030)  # Commands of fcntl: F_DUPFD to F_GETFL, F_DUPFD_CLOEXEC.
CLOCKS = (*range(8), 11)
PRIVATE_FUTEX = (128, 129, 137, 393)
LIMITS = ('CPU', 'AS', 'DATA', 'STACK', 'NOFILE', 'FSIZE', 'CORE', 'NPROC', 'MEMLOCK', 'MSGQUEUE')

libc = ctypes.CDLL(None, use_errno=True)


def attempt(world: dict[str, Any]) -> dict[str, Any]:
  """Everything, by what it would mean; `world` is what the host knows of itself."""
  found: dict[str, Any] = {'seccomp is not applied': calls()}
  if any(found.values()):
    return found  # What follows might not come to its end.
  found |= {
      'a snippet read a file of the host': readable(world['files'], world['folders']),
      'a snippet writes files': writable(world['writable']),
      'seccomp does not check arguments': arguments()}
  if found['seccomp does not check arguments']:
    return found
  return found | {
      'a snippet has sockets': connected(world['port'], world['abstract']),
      'a snippet has processes or reaches them': multiplied(),
      'a snippet has an environment': sorted(os.environ),
      'a snippet has other descriptors': descriptors(),
      'a snippet has other limits': {
          name: resource.getrlimit(getattr(resource, f'RLIMIT_{name}')) for name in LIMITS},
      'a snippet executes programs': executed(world['programs'])}  # Last: it might not return.


def answer(number: int, *args: int) -> int:
  """The error that a system call fails with; 0 if it does not."""
  ctypes.set_errno(0)
  failed = libc.syscall(number, *map(ctypes.c_ulong, args)) < 0
  return ctypes.get_errno() if failed else 0


def calls() -> list[int]:
  """Those that pass, though they are on no list."""
  senseless = (2**64 - 1,) * 6
  return [number for number in range(LAST_CALL)
          if number not in FREE | OTHER_ERRORS | DEBUGGING
          and answer(number, *senseless) != errno.EPERM]


def arguments() -> list[str]:
  """Those that pass in a call that is allowed with others."""
  open_, fcntl, limit, ioctl, clone, futex = 257, 72, 302, 16, 435, 202
  refused: dict[str, tuple[int, ...]] = {
      f'open {name}': (errno.EROFS, open_, NOWHERE, NOWHERE, flags, 0)
      for name, flags in OPENING.items()}
  refused |= {f'fcntl {command}': (errno.EPERM, fcntl, 1 << 20, command, 0)
              for command in (*range(64), *range(1024, 1048)) if command not in DESCRIPTOR_ONLY}
  refused |= {
      'the limits of others': (errno.EPERM, limit, NOBODY, 7, 0, 0),
      'limits': (errno.EPERM, limit, 0, 7, NOWHERE, 0),
      'limits at a high address': (errno.EPERM, limit, 0, 7, 1 << 40, 0),
      'ioctl': (errno.ENOTTY, ioctl, 1 << 20, 0x5401, 0),
      'clone3': (errno.ENOSYS, clone, 0, 0)}
  # CPU clocks of processes 1 and 2 and the parent, of a thread; the clock behind a descriptor.
  clocks = [~process << 3 | kind & 7 for process in (1, 2, os.getppid()) for kind in (0, 1, 2, 6)]
  clocks += [~0 << 3 | 3, *(clock for clock in range(20) if clock not in CLOCKS)]
  for name, number in (('gettime', 228), ('getres', 229), ('nanosleep', 230)):
    flags = (0,) if name == 'nanosleep' else ()
    refused |= {f'clock_{name} {clock}': (errno.EPERM, number, clock, *flags, NOWHERE, 0)
                for clock in clocks}
  operations = {command | flags for command in range(16) for flags in (0, 128, 256, 384)}
  refused |= {f'futex {operation}': (errno.EPERM, futex, NOWHERE, operation, 0, 0, 0, 0)
              for operation in operations.difference(PRIVATE_FUTEX)}
  return [name for name, (error, *call) in refused.items() if answer(*call) != error]


def _succeed(attempts: dict[str, Callable[[], object]]) -> list[str]:
  """Those that raise nothing."""
  return [name for name, attempt_ in attempts.items() if _succeeds(attempt_)]


def _succeeds(function: Callable, *args: object) -> bool:
  try:
    function(*args)
  except (OSError, RuntimeError):
    return False
  return True


def readable(files: Iterable[str], folders: Iterable[str]) -> list[str]:
  """Those that can be opened, or listed."""
  found = [path for path in files if _succeeds(os.open, path, os.O_RDONLY)]
  return found + [path for path in folders if _succeeds(os.listdir, path)]


def writable(paths: Iterable[str]) -> list[str]:
  """Those that can be opened to write."""
  return [path for path in paths if _succeeds(os.open, path, os.O_WRONLY | os.O_CREAT)]


def connected(port: int, name: str) -> list[str]:
  """What can be connected to: a port of the machine, an abstract socket."""
  def local() -> None:
    with socket.socket(socket.AF_UNIX) as plug:
      plug.connect(name)
  return _succeed({'network': lambda: socket.create_connection(('127.0.0.1', port), 1).close(),
                   'local socket': local})


def multiplied() -> list[str]:
  """Ways to other processes."""
  def fork() -> None:
    if not os.fork():
      os._exit(0)
  return _succeed({'fork': fork, 'thread': threading.Thread(target=int).start,
                   'signal to the parent': lambda: os.kill(os.getppid(), 0)})


def executed(programs: Iterable[str]) -> list[str]:
  """How those that exist are refused, if not by the filter; says so when none exists."""
  existing = list(filter(os.path.exists, programs))
  found = [] if existing else ['there is no program to try']
  for program in existing:
    try:
      os.execv(program, [program, '-c', ''])
    except OSError as error:
      if error.errno != errno.EPERM:
        found.append(str(error))
  return found


def descriptors() -> list[int]:
  """Those that are open."""
  return [number for number in range(256) if answer(5, number, NOWHERE) != errno.EBADF]  # fstat
