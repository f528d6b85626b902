"""The warm interpreter: the program that runs inside, and forks a child for each job.

It begins in the isolation that bubblewrap.py or landlock.py set up, checks it, says READY, and then
reads jobs from the host. It never parses a job: the child does, under limits and behind a filter
that are both permanent. All that this process reports of a child is what the kernel reported (how
the child ended, what it used) and bytes that it passes on.
What passed through is wiped, so that no job finds the last one's values in its memory, nor what the
last one cost.

A snippet can therefore claim any value for its function, which is only a value, and can claim that
it failed; it cannot touch the clock, the count, the verdict on another job, or this process.
"""

import contextlib
import ctypes
import gc
import os
import resource
import select
import signal
import struct
import sys
import time
import types
from typing import Any

from haiku_spectral.sandbox import literals

WARM = ('collections', 'functools', 'heapq', 'itertools', 'math', 're', 'string', 'typing')
FIRST = b"('def f(x): return x','f',(1,),)"  # A job of our own: what is made once, is made for all.
SIZE = struct.Struct('<I')
JOB = struct.Struct('<IddQQ')  # Bytes of the message, then Limits in the order of its fields.
ENDED = struct.Struct('<BiddQII')  # Why, wait status, CPU, wall, peak KiB; bytes of output, answer.
BY_ITSELF, WALL, CPU, OUTPUT = range(4)  # Why a child ended.
CONFINED = b'+'  # The child's first byte, from before the snippet: else its end says nothing of it.
VALUE, EXCEPTION, EXIT, MEMORY, SYNTAX = b'V', b'E', b'X', b'M', b'S'  # The second.
ANSWER = 3  # The descriptor on which a child answers.
MAX_ERROR = 2000  # Characters.

PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_SET_SECCOMP = 1, 3, 4, 22
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 38, 39
SECCOMP_MODE_FILTER = 2

libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
  """The isolation is not complete. Nothing is run in it."""


def prctl(option: int, *args: int) -> int:
  """The system call; raises Refused when it fails."""
  answer = libc.prctl(option, *map(ctypes.c_ulong, (*args, 0, 0, 0, 0)[:4]))
  if answer < 0:
    raise Refused(f'prctl({option}) fails: {os.strerror(ctypes.get_errno())}')
  return answer


class Filter(ctypes.Structure):
  """struct sock_fprog: which system calls pass."""

  _fields_ = (('length', ctypes.c_ushort), ('instructions', ctypes.c_char_p))

  @classmethod
  def of(cls, program: bytes) -> 'Filter':
    return cls(len(program) // 8, program)

  def install(self) -> None:
    """On this process and its children, permanently."""
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(self))


def verify() -> None:
  """That seccomp is on, that no capability is left and none can come back."""
  if libc.getpgid(0) >= 0:  # Harmless, not needed, and on no list.
    raise Refused('seccomp is not applied: a system call passed that is on no list')
  if prctl(PR_GET_NO_NEW_PRIVS) != 1:
    raise Refused('no_new_privs is not set')
  if prctl(PR_GET_DUMPABLE):
    raise Refused('a debugger could attach to it')
  # Root's capabilities stay in a user namespace unless they are dropped by name.
  header, sets = struct.pack('<Ii', 0x20080522, 0), ctypes.create_string_buffer(24)
  if libc.capget(header, sets) or any(sets.raw):
    raise Refused('capabilities are left')


def read(descriptor: int, size: int) -> bytearray:
  """Exactly so many bytes from the host; without a host there is no reason to live."""
  data = bytearray(size)
  at = 0
  while at < size:
    count = os.readv(descriptor, [memoryview(data)[at:]])
    if not count:
      os._exit(0)
    at += count
  return data


def write(descriptor: int, data: bytes | memoryview) -> None:
  """All of it."""
  rest = memoryview(data)
  while rest:
    rest = rest[os.write(descriptor, rest):]


def limit(cpu: float, memory: int) -> None:
  """Limits on this process. With RLIMIT_NPROC useless to root and fork denied, AS is the total."""
  for kind, soft, hard in (
      # A second net: it counts in ticks, a third too many on a busy machine, and its signal can be
      # caught. What decides is the clock that `watch` reads. Apart: SIGXCPU is not SIGKILL.
      (resource.RLIMIT_CPU, int(2 * cpu) + 1, int(2 * cpu) + 2),
      (resource.RLIMIT_AS, memory, memory), (resource.RLIMIT_DATA, memory, memory),
      (resource.RLIMIT_STACK, 8 << 20, 8 << 20), (resource.RLIMIT_NOFILE, 16, 16),
      (resource.RLIMIT_FSIZE, 0, 0), (resource.RLIMIT_CORE, 0, 0), (resource.RLIMIT_NPROC, 0, 0),
      (resource.RLIMIT_MEMLOCK, 0, 0), (resource.RLIMIT_MSGQUEUE, 0, 0)):
    resource.setrlimit(kind, (soft, hard))


def describe(error: BaseException) -> str:
  """Type and message of an exception, whose methods are untrusted."""
  try:
    return f'{type(error).__name__}: {error}'[:MAX_ERROR]
  except BaseException:
    return 'an exception that cannot be printed'


def answer_to(message: bytearray) -> bytes:
  """Runs a job in this very process; returns what it claims, a letter and a text."""
  try:
    source, function, args = literals.loads(message.decode('ascii'), trusted=True)
    message[:] = bytes(len(message))
    try:
      code = compile(source, '<snippet>', 'exec')
    except (SyntaxError, ValueError, OverflowError, RecursionError) as error:
      return SYNTAX + describe(error).encode('utf-8', 'replace')
    module = types.ModuleType('snippet')
    sys.modules['snippet'] = module
    exec(code, module.__dict__)
    if function not in module.__dict__:
      raise NameError(f'the source defines no {function!r}')
    return VALUE + literals.dumps(module.__dict__[function](*args)).encode('ascii')
  except SystemExit as error:
    return EXIT + describe(error).encode('utf-8', 'replace')
  except MemoryError as error:
    return MEMORY + describe(error).encode('utf-8', 'replace')
  except BaseException as error:
    return EXCEPTION + describe(error).encode('utf-8', 'replace')


def be_child(
    message: bytearray, cpu: float, memory: int, output: int, answer: int, filter_: Filter) -> None:
  """What the fork does: gives up everything, then runs the job. Does not return."""
  prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
  os.dup2(output, 1)
  os.dup2(output, 2)
  os.dup2(answer, ANSWER)
  os.closerange(ANSWER + 1, 64)  # The host's descriptors among them.
  limit(cpu, memory)
  filter_.install()
  write(ANSWER, CONFINED)
  reply = answer_to(message)
  for stream in (sys.stdout, sys.stderr):
    with contextlib.suppress(BaseException):  # The snippet may have put its own in their place.
      stream.flush()
  write(ANSWER, reply)
  os._exit(0)


def watch(child: int, pipes: tuple[int, int], cpu: float, wall: float, most: int,
          ) -> tuple[int, list[memoryview]]:
  """Gathers what a child writes until it is gone, or has had too much; returns why, and the bytes.

  Of these there may be one more than `most`. The child alone holds the other
  ends and can give them to nobody, so that they close with it.
  """
  end, clock = time.monotonic() + wall, ~child << 3 | 2  # Its CPU clock: clock_getcpuclockid(3).
  gathered, used = [memoryview(bytearray(most + 1)) for _ in pipes], [0, 0]
  gone = os.pidfd_open(child)
  waiting = {*pipes, gone}
  poll = select.poll()
  for descriptor in waiting:
    poll.register(descriptor, select.POLLIN)
  why = BY_ITSELF
  while waiting and why == BY_ITSELF:
    left, unspent = end - time.monotonic(), cpu - time.clock_gettime(clock)
    if left <= 0 or unspent <= 0:
      why = CPU if unspent <= 0 else WALL
      break
    for descriptor, _ in poll.poll(min(left, unspent) * 1000 + 1):  # CPU time is not faster.
      count = 0
      if descriptor != gone:
        which = pipes.index(descriptor)
        count = os.readv(descriptor, [gathered[which][used[which]:]])
        used[which] += count
        if used[which] > most:
          why = OUTPUT
          break
      if not count:
        poll.unregister(descriptor)
        waiting.discard(descriptor)
  os.close(gone)
  return why, [data[:size] for data, size in zip(gathered, used, strict=True)]


def serve(host_in: int, host_out: int, filter_: Filter) -> None:
  """Runs one job, and forgets it."""
  size, cpu, wall, memory, most = JOB.unpack(read(host_in, JOB.size))
  message = read(host_in, size)
  output, output_end = os.pipe()
  answer, answer_end = os.pipe()
  start = time.monotonic()
  child = os.fork()
  if not child:
    try:
      be_child(message, cpu, memory, output_end, answer_end, filter_)
    finally:
      os._exit(120)
  message[:] = bytes(size)
  os.close(output_end)
  os.close(answer_end)
  why, gathered = watch(child, (output, answer), cpu, wall, most)
  if why != BY_ITSELF:
    os.kill(child, signal.SIGKILL)
  _, status, usage = os.wait4(child, 0)
  os.close(output)
  os.close(answer)
  write(host_out, ENDED.pack(
      why, status, usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss,
      *(min(len(data), most) for data in gathered)))
  for data in gathered:
    write(host_out, data[:most])
    data[:] = bytes(len(data))


def overwrite_numbers() -> None:
  """Puts others in the places of the numbers that were freed: what a job cost and wrote.

  All at a time, or they would take the same places; Python keeps some for floats alone.
  """
  small, large, floats = [], [], []
  for number in range(300, 364):
    small.append(number)
    large.append(number * (1 << 30))
    floats.append(number / 3)


def begin(host_in: int) -> Filter:
  """Completes the isolation; returns the filter of children."""
  settings: dict[str, Any] = literals.loads(
      read(host_in, SIZE.unpack(read(host_in, SIZE.size))[0]).decode('ascii'), trusted=True)
  for name in WARM:  # Once, and not in every child.
    __import__(name)
  if settings['readable']:
    from haiku_spectral.sandbox import landlock_rules
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    landlock_rules.restrict(libc, settings['readable'])
    Filter.of(settings['warm']).install()
  os.environ.clear()
  sys.path[:] = [path for path in sys.path if path not in settings['hidden']]
  prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
  prctl(PR_SET_DUMPABLE, 0)  # Neither a core file nor a debugger.
  verify()
  answer_to(bytearray(FIRST))
  return Filter.of(settings['snippet'])


def main() -> None:
  """Takes the host's two pipes out of reach, begins, and serves."""
  os.closerange(3, 65536)  # Whatever else the host had open and lets through.
  host_in, host_out = os.dup(0), os.dup(1)
  nothing, end = os.pipe()
  os.dup2(nothing, 0)
  os.dup2(2, 1)
  os.close(nothing)
  os.close(end)
  sys.stdout.reconfigure(errors='backslashreplace', line_buffering=True)  # type: ignore[union-attr]
  try:
    filter_ = begin(host_in)
  except Refused as refusal:
    sys.exit(f'refused: {refusal}')
  gc.collect()
  gc.freeze()  # A collection in a child would copy every page.
  write(host_out, b'READY')
  while True:  # For as long as the host lives.
    serve(host_in, host_out, filter_)
    overwrite_numbers()


if __name__ == '__main__':
  main()
