"""Tries to break out, harmlessly. The self-test runs it inside, as a snippet; see selftest.py."""

import ctypes
import os
import resource
import socket
import threading
from collections.abc import Callable


def _succeed(attempts: dict[str, Callable[[], object]]) -> list[str]:
  """Those that raise nothing."""
  done = []
  for name, attempt in attempts.items():
    try:
      attempt()
    except (OSError, RuntimeError):
      continue
    done.append(name)
  return done


def double(number: int) -> int:
  """That it works at all."""
  return 2 * number


def read(path: str) -> bytes:
  """A file's contents."""
  with open(path, 'rb') as file:
    return file.read()


def write(paths: list[str]) -> list[str]:
  """Those of the paths that can be opened to write."""
  def attempt(path: str) -> Callable[[], object]:
    return lambda: os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
  return _succeed({path: attempt(path) for path in paths})


def connect(port: int, name: str) -> list[str]:
  """What can be connected to: a port of the machine, an abstract socket."""
  def local() -> None:
    with socket.socket(socket.AF_UNIX) as plug:
      plug.connect(name)
  return _succeed({'network': lambda: socket.create_connection(('127.0.0.1', port), 1).close(),
                   'local socket': local})


def multiply() -> list[str]:
  """Ways to other processes."""
  def fork() -> None:
    if not os.fork():
      os._exit(0)
  return _succeed({'fork': fork, 'thread': threading.Thread(target=int).start,
                   'signal to the parent': lambda: os.kill(os.getppid(), 0),
                   'exec': lambda: os.execv('/nowhere', ['nowhere'])})


def call(numbers: list[int]) -> list[int]:
  """Those of the system calls that the kernel does not refuse with EPERM."""
  libc, passed = ctypes.CDLL(None, use_errno=True), []
  for number in numbers:
    ctypes.set_errno(0)
    if libc.syscall(number, 0, 0, 0, 0) >= 0 or ctypes.get_errno() != 1:
      passed.append(number)
  return passed


def surroundings() -> dict[str, list]:
  """Names in the environment, open descriptors, limits."""
  def is_open(descriptor: int) -> Callable[[], object]:
    return lambda: os.fstat(descriptor)
  kinds = (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)
  return {'environment': sorted(os.environ),
          'descriptors': _succeed({str(number): is_open(number) for number in range(64)}),
          'limits': [resource.getrlimit(kind) for kind in kinds]}
