"""A process that takes one step whenever it is told to, so that rounds of several can alternate.

The worker (`serve`) prints a line of JSON when it is ready, and one for each line it is sent; it
ends when there are no more. Whoever measures (`Worker`) starts it, asks, and ends it. It imports
the standard library alone, because a worker may live in an environment of its own.
"""

import json
import os
import pathlib
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

ROOT = pathlib.Path(__file__).parents[2]


def serve(about: Mapping[str, Any], step: Callable[[], Mapping[str, Any]]) -> None:
  """Prints what the worker is, then for each line of the input what a step came to.

  A step's `seconds` are added unless it gives its own, and the `peak` of resident memory in bytes.
  """
  print(json.dumps(dict(about)), flush=True)
  for _ in sys.stdin:
    start = time.perf_counter()
    found = step()
    seconds = time.perf_counter() - start
    print(json.dumps({'seconds': seconds, 'peak': peak(), **found}), flush=True)


def peak() -> int:
  """Peak resident memory of this process in bytes, by the system's own count.

  Not `ru_maxrss`, which begins with what the parent process held.
  """
  status = pathlib.Path('/proc/self/status').read_text(encoding='utf-8')
  return 1024 * int(status.partition('VmHWM:')[2].split()[0])


def environment() -> dict[str, str]:
  """Of a process of its own, whatever started this one."""
  kept = {k: v for k, v in os.environ.items() if k not in ('MAKEFLAGS', 'MAKELEVEL')}
  return kept | {'PYTHONPATH': str(ROOT)}


def complaint(*texts: str) -> str:
  """The last line that is not make's of the first text that says anything."""
  lines = next((text.strip().splitlines() for text in texts if text.strip()), ['no output'])
  return ([line for line in lines if not line.startswith('make')] or lines)[-1]


class WorkerError(Exception):
  """The worker ended, or took too long; the text says why."""


class Worker:
  """A worker from outside: a context that ends it."""

  def __init__(self, command: Sequence[str], *, limit: float) -> None:
    """Starts it and waits until it is ready; `limit` is the seconds that any answer may take."""
    self._limit, self._buffer = limit, b''
    self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `close`)
    self._process = subprocess.Popen(
        command, bufsize=0, cwd=ROOT, env=environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints)
    try:
      self.about = self._answer()
    except BaseException:
      self.close()
      raise

  def __enter__(self) -> Self:
    return self

  def __exit__(self, *error: object) -> None:
    self.close()

  def step(self) -> dict[str, Any]:
    """Has it take a step. Raises WorkerError when it has ended or takes too long."""
    assert self._process.stdin
    try:
      self._process.stdin.write(b'\n')
    except OSError as error:
      raise WorkerError(self._reason()) from error
    return self._answer()

  def close(self) -> None:
    """Ends the process."""
    assert self._process.stdin and self._process.stdout
    self._process.kill()
    self._process.wait()
    self._process.stdin.close()
    self._process.stdout.close()
    self._complaints.close()

  def _answer(self) -> dict[str, Any]:
    """The next line that is a JSON object."""
    deadline = time.monotonic() + self._limit
    while True:
      line, newline, rest = self._buffer.partition(b'\n')
      if newline:
        self._buffer = rest
        if line.startswith(b'{'):
          return json.loads(line)
      else:
        self._read(deadline - time.monotonic())

  def _read(self, seconds: float) -> None:
    assert self._process.stdout
    with selectors.DefaultSelector() as selector:
      selector.register(self._process.stdout, selectors.EVENT_READ)
      if seconds <= 0 or not selector.select(seconds):
        raise WorkerError(f'no answer in {self._limit:,.0f} s')
    data = os.read(self._process.stdout.fileno(), 1 << 16)
    if not data:
      raise WorkerError(self._reason())
    self._buffer += data

  def _reason(self) -> str:
    code = self._process.wait()
    self._complaints.seek(0)
    said = complaint(self._complaints.read().decode(errors='replace'))
    return f'exit code {code}: {said[:200]}'
