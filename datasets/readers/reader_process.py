"""Parquet is read in a process of its own, with limits.

A row may ask for any amount of memory, a damaged file for any amount of time, and Arrow is C++: so
each file is read by a process that may use so much of each and no more, and whose end costs no more
than a row group. It opens nothing: the bytes of the file come from here.

The first file starts a server, which has imported Arrow and forks a process for each file; it ends
with the process that started it.
"""

import atexit
import contextlib
import dataclasses
import functools
import io
import os
import pathlib
import pickle
import resource
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from multiprocessing import connection
from typing import Any, NamedTuple

from datasets.readers import raw

# Of a document that is just small enough: its page, compressed and not, its values, its row,
# its message, and what growing these takes. Measured: 4 to 6 times its size.
MEMORY_FACTOR = 8
MEMORY_BYTES = 96 << 20  # What reading takes beside that.
PROCESSOR_SECONDS = 120  # Of work on one batch of rows.
ANSWER_SECONDS = 1200  # Of waiting for it, on a machine that is busy with other things.
_READ_BYTES = 1 << 20  # Of the file in one message.
_ROOT = pathlib.Path(__file__).parents[2]


class Limits(NamedTuple):
  """What a process may use."""

  memory_bytes: int
  processor_seconds: int


class _Read(NamedTuple):
  """Asks for bytes of the file."""

  position: int
  size: int


def limits(spec: raw.Spec) -> Limits:
  """Those of the process that reads a file."""
  return Limits(MEMORY_FACTOR * spec.max_document_bytes + MEMORY_BYTES, PROCESSOR_SECONDS)


def read(file: Any, name: str, spec: raw.Spec) -> Iterator[raw.Item]:
  """Reads a parquet file; a row group whose process ended early is a problem, the next is read."""
  spec = dataclasses.replace(spec, keep=None, assemble=None)  # They are called here.
  size = file.seek(0, io.SEEK_END)
  group: int | None = 0
  while group is not None:
    with _start() as process:
      process.send((name, spec, size, group, limits(spec)))
      group = yield from _items(process, file, name)


def _items(
    process: connection.Connection, file: Any, name: str
) -> Generator[raw.Item, None, int | None]:
  """The items that a process sends; returns the row group to go on with, None at the end."""
  group, position = None, ''
  while True:
    try:
      if not process.poll(ANSWER_SECONDS):
        raise TimeoutError(f'no answer for {ANSWER_SECONDS} s')
      message = pickle.loads(process.recv_bytes())
    except (EOFError, OSError) as error:
      why = str(error) or 'reading it took too long, or ended the process that read it'
      yield raw.Problem(name, position, 'cut_parquet', why)
      return None if group is None else group + 1
    if message is None:
      return None
    if isinstance(message, _Read):
      file.seek(message.position)
      data = file.read(message.size)
      with contextlib.suppress(OSError):  # It has ended: that is seen above.
        process.send_bytes(data)
    else:
      group, position = message.group, f'row {message.next_row}'
      yield from message.items


class _Server(NamedTuple):
  """The process that forks readers."""

  control: socket.socket
  process: subprocess.Popen


@functools.cache
def _server() -> _Server:
  ours, theirs = socket.socketpair()
  # -P: what lies in the user's folder is not taken for a module of ours.
  command = [sys.executable, '-P', '-c', f'import {__name__} as m; m.serve({theirs.fileno()})']
  path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get('PYTHONPATH')]))
  # Arrow's own allocator takes memory in advance; that of the system gives it back at once.
  environment = {**os.environ, 'PYTHONPATH': path, 'ARROW_DEFAULT_MEMORY_POOL': 'system'}
  with theirs:
    # In a session of its own it is not interrupted by the keys that interrupt this process.
    process = subprocess.Popen(
        command, env=environment, pass_fds=[theirs.fileno()], start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
  if not ours.recv(1):
    ours.close()
    raise ValueError(
        f'the process that reads parquet files does not start (exit code {process.wait()}): '
        f'run {shlex.join(command)} to see why.')
  atexit.register(_end, _Server(ours, process))
  return _Server(ours, process)


def _end(server: _Server) -> None:
  server.control.close()
  server.process.wait()


def _start() -> connection.Connection:
  """A process that waits for a file to read."""
  try:
    return _forked()
  except (EOFError, OSError):  # Somebody ended the server.
    _end(_server())
    _server.cache_clear()
    return _forked()


def _forked() -> connection.Connection:
  control = _server().control
  ours, theirs = socket.socketpair()
  process = connection.Connection(ours.detach())
  with theirs:
    socket.send_fds(control, [b'.'], [theirs.fileno()])
  process.recv_bytes()
  return process


def serve(control: int) -> None:
  """What the server does: forks a reader for each connection that comes through a socket."""
  from datasets.readers import parquet

  signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for the readers.
  with socket.socket(fileno=control) as requests:
    requests.sendall(b'.')
    while descriptors := socket.recv_fds(requests, 1, 1)[1]:
      if not os.fork():
        try:
          requests.close()
          _answer(connection.Connection(descriptors[0]), parquet.read)
        finally:
          os._exit(0)
      os.close(descriptors[0])


def _answer(process: connection.Connection, read_parquet: Callable[..., None]) -> None:
  """Reads one file within its limits."""
  process.send_bytes(b'.')
  name, spec, size, group, allowed = process.recv()
  _limit(resource.RLIMIT_DATA, _data_bytes() + allowed.memory_bytes)

  def send(rows: Any) -> None:
    _limit(resource.RLIMIT_CPU, int(time.process_time()) + allowed.processor_seconds)
    process.send_bytes(pickle.dumps(rows))

  read_parquet(_RemoteFile(process, size), name, spec, group, send)
  process.send_bytes(pickle.dumps(None))


def _limit(kind: int, value: int) -> None:
  hard = resource.getrlimit(kind)[1]
  resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _data_bytes() -> int:
  """What RLIMIT_DATA counts of this process; without limit where that is not known, as on macOS."""
  try:
    pages = pathlib.Path('/proc/self/statm').read_text(encoding='ascii').split()[5]
  except FileNotFoundError:
    return 1 << 62
  return int(pages) * resource.getpagesize()


class _RemoteFile(io.RawIOBase):
  """The file, whose bytes the other process reads."""

  def __init__(self, process: connection.Connection, size: int) -> None:
    super().__init__()
    self._process = process
    self._size = size
    self._position = 0

  def readable(self) -> bool:
    return True

  def seekable(self) -> bool:
    return True

  def tell(self) -> int:
    return self._position

  def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
    begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
    self._position = begin + offset
    return self._position

  def read(self, size: int = -1) -> bytes:
    """All bytes that were asked for, if there are as many; Arrow asks once."""
    end = self._size if size < 0 else min(self._size, self._position + size)
    pieces = []
    while self._position < end:
      wanted = min(_READ_BYTES, end - self._position)
      self._process.send_bytes(pickle.dumps(_Read(self._position, wanted)))
      pieces.append(self._process.recv_bytes())
      self._position += len(pieces[-1])
      if not pieces[-1]:
        break
    return b''.join(pieces)
