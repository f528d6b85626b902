"""Whether an interpreter is confined, found out before it is given a job. Docs: docs/security.md.

A set-up can fail in silence: a filter that is not loaded looks exactly like one that is. So the
host looks at namespaces and mounts, probe.py tries inside what a snippet must not be able to do,
each limit is exceeded once, and a job looks for what the one before it left in memory.
"""

import contextlib
import os
import pathlib
import secrets
import socket
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from haiku_spectral.sandbox import bubblewrap, literals, probe, result, runtime, worker

PROBE = pathlib.Path(probe.__file__).read_text(encoding='utf-8')
LIMITS = result.Limits(cpu_seconds=7.0, wall_seconds=30.0, memory_bytes=192 << 20)
INSIDE = {  # What the probe must find: nothing, and exactly these limits.
    'a snippet has other descriptors': [0, 1, 2, 3],
    'a snippet has other limits': {
        'CPU': (15, 16), 'AS': (LIMITS.memory_bytes,) * 2, 'DATA': (LIMITS.memory_bytes,) * 2,
        'STACK': (8 << 20,) * 2, 'NOFILE': (16, 16), 'FSIZE': (0, 0), 'CORE': (0, 0),
        'NPROC': (0, 0), 'MEMLOCK': (0, 0), 'MSGQUEUE': (0, 0)}}
# None of these may be listed; some may not exist.
FOLDERS = ('/proc', '/proc/self', '/dev', '/etc', '/sys', '/home', '/root', '/tmp', '/var', '/usr')

DOUBLE = 'def f(x): return 2 * x'
SPIN = 'def f():\n  while True: pass'
SLEEP = 'import time\ndef f(): time.sleep(1)'
SHORT = (0.01, 0.1, 0.5)  # Seconds: the next, if one is over before a child is confined.
LATE = SHORT[-1] + 0.1  # Seconds. It was not the interpreter that ended it: RLIMIT_CPU is 1 s here.
PRINT = 'def f(x): print(x)'
ECHO = 'def f(x):\n  print(x, flush=True)\n  return x'
FEW = result.Limits(output_bytes=4096, wall_seconds=30.0)
RUN_CODE = """
import ctypes, mmap
def f(code):
  memory = mmap.mmap(-1, 4096, prot=7)
  memory.write(code)
  return ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()
"""
FOREIGN_CODE = {  # mov eax, 20; int 0x80; ret and mov eax, 0x40000027; syscall; ret: getpid.
    'i386': b'\xb8\x14\0\0\0\xcd\x80\xc3', 'x32': b'\xb8\x27\0\0\x40\x0f\x05\xc3'}
# The heap that malloc has from brk, page by page from its end; the word is given backwards.
SEARCH = """
import ctypes
def f(word):
  libc = ctypes.CDLL(None, use_errno=True)
  libc.sbrk.restype = ctypes.c_void_p
  end = start = libc.sbrk(0) >> 12 << 12
  while libc.access(ctypes.c_void_p(start - 4096), 0) == 0 or ctypes.get_errno() != 14:
    start -= 4096
  return end > start, ctypes.string_at(start, end - start).count(word[::-1].encode())
"""


def check(subject: worker.Worker) -> None:
  """Raises Unavailable when anything gives way, and when the sandbox does not work at all."""
  hint = worker.KINDS[subject.kind].HINT
  try:
    for weakness in _weaknesses(subject):
      raise result.Unavailable(
          f'The sandbox {subject.kind} does not hold: {weakness}. Nothing is run in it. {hint}.')
  except worker.Lost as lost:
    raise result.Unavailable(
        f'The sandbox {subject.kind} fails in its self-test: {lost}. {hint}.') from lost


def _run(subject: worker.Worker, limits: result.Limits, source: str, *args: object,
         function: str = 'f') -> result.ExecResult:
  return subject.run(literals.dumps((source, function, args)).encode('ascii'), limits)


def _weaknesses(subject: worker.Worker) -> Iterator[str]:
  """One after another, as it is found out."""
  outcome = _run(subject, LIMITS, DOUBLE, 21)
  if outcome.value != 42:
    yield f'it does not even compute: {outcome.error or outcome.value!r}'
  yield from _inside(subject)
  yield from _outside(subject)
  for name, code in FOREIGN_CODE.items():
    outcome = _run(subject, LIMITS, RUN_CODE, code)
    if outcome.status is not result.Status.SIGNAL:
      yield f'seccomp lets system calls of {name} pass: {outcome.error or outcome.value!r}'
  yield from _limits(subject)
  yield from _traces(subject)


def _outside(subject: worker.Worker) -> Iterator[str]:
  try:
    yield from worker.KINDS[subject.kind].weaknesses(subject.process)
  except (OSError, ValueError) as error:
    yield f'/proc does not show its namespaces and mounts: {error}'


def _inside(subject: worker.Worker) -> Iterator[str]:
  """What the probe reaches, and what the host sees of it."""
  nonce = secrets.token_bytes(16)
  with tempfile.TemporaryDirectory() as folder, _listeners() as (world, listeners):
    canary = pathlib.Path(folder, 'canary')
    canary.write_bytes(nonce)
    python = runtime.find()
    world |= {
        'files': [str(canary)], 'folders': [folder, os.path.expanduser('~'), *FOLDERS],
        'writable': [str(canary), f'{folder}/new', '/new', 'new'],
        'programs': [python.executable, f'{bubblewrap.BIN}/{python.name}']}
    outcome = _run(subject, LIMITS, PROBE, world, function='attempt')
    if outcome.status is not result.Status.OK or not isinstance(outcome.value, dict):
      yield f'the probe does not come to its end: {outcome.status}: {outcome.error}'
    else:
      for what, found in outcome.value.items():
        if found != INSIDE.get(what, []):
          yield f'{what}: {found!r}'
    if canary.read_bytes() != nonce or os.listdir(folder) != ['canary']:
      yield 'a snippet wrote a file of the host'
    for listener in listeners:
      with contextlib.suppress(BlockingIOError):
        listener.accept()
        yield 'a snippet reached a socket of the host'


@contextlib.contextmanager
def _listeners() -> Iterator[tuple[dict[str, Any], list[socket.socket]]]:
  with (socket.create_server(('127.0.0.1', 0)) as remote,
        socket.socket(socket.AF_UNIX) as local):
    name = f'\0{secrets.token_hex(8)}'  # Abstract: seen by all who share the network namespace.
    local.bind(name)
    local.listen()
    for listener in (remote, local):
      listener.setblocking(False)
    yield {'port': remote.getsockname()[1], 'abstract': name}, [remote, local]


def _limits(subject: worker.Worker) -> Iterator[str]:
  """Those that the interpreter itself enforces."""
  long = 'x' * (2 * FEW.output_bytes)
  for what, source in (('prints', PRINT), ('returns', DOUBLE)):
    outcome = _run(subject, FEW, source, long)
    if outcome.status is not result.Status.OUTPUT_LIMIT:
      yield f'a snippet {what} more than it may: {outcome.status}'
  outcome = _soon(subject, SPIN, [
      result.Limits(cpu_seconds=seconds, wall_seconds=30.0) for seconds in SHORT])
  if outcome.status is not result.Status.TIMEOUT_CPU or outcome.cpu_seconds > LATE:
    yield f'a snippet used {outcome.cpu_seconds:.2f} CPU seconds: {outcome.status}'
  outcome = _soon(subject, SLEEP, [result.Limits(wall_seconds=seconds) for seconds in SHORT])
  if outcome.status is not result.Status.TIMEOUT_WALL:
    yield f'a snippet ran for {outcome.wall_seconds:.2f} seconds: {outcome.status}'


def _soon(
    subject: worker.Worker, source: str, shorts: Sequence[result.Limits]) -> result.ExecResult:
  """What becomes of a job under limits so short that a busy machine may miss its beginning."""
  for limits in shorts[:-1]:
    with contextlib.suppress(worker.Lost):
      return _run(subject, limits, source)
  return _run(subject, shorts[-1], source)


def _traces(subject: worker.Worker) -> Iterator[str]:
  """What the interpreter keeps of a job in its memory, where the next one, its fork, finds it."""
  word = secrets.token_hex(16)
  spread = word * 700  # 22 KiB: from malloc, and more than what follows overwrites.
  outcome = _run(subject, LIMITS, ECHO, spread)
  if outcome.value != spread or outcome.stdout != spread + '\n':
    yield f'it does not even pass on a value: {outcome.error}'
  outcome = _run(subject, FEW, SEARCH, word[::-1])
  if outcome.value != (True, 0):
    yield f'a snippet finds the one before it in memory: {outcome.error or outcome.value!r}'
