"""A warm interpreter, seen from the host: started, given job after job, thrown away when silent."""

import os
import select
import signal
import subprocess
import time

from haiku_spectral.sandbox import (
  bubblewrap,
  interpreter,
  landlock,
  literals,
  result,
  seccomp_filter,
)

KINDS = {'bwrap': bubblewrap, 'landlock': landlock}
START_SECONDS = 30.0  # On a machine that has much else to do.
GRACE_SECONDS = 5.0  # Beyond a job's own limit, for an answer to come.
READY = b'READY'


class Lost(Exception):
  """The interpreter is gone, or silent: nothing is known of the job that it had."""


def judge(
    why: int, status: int, cpu: float, answer: bytes, limits: result.Limits,
) -> tuple[result.Status, object, str]:
  """Status, value and error of a job. What the kernel reports goes before what the child claims."""
  code = os.waitstatus_to_exitcode(status)
  claim, text = answer[1:2], answer[2:]
  if not answer.startswith(interpreter.CONFINED) and why != interpreter.OUTPUT:
    raise Lost('a child ended before it was confined')
  if why == interpreter.WALL:
    return result.Status.TIMEOUT_WALL, None, f'still running after {limits.wall_seconds} seconds'
  if why == interpreter.OUTPUT:
    return result.Status.OUTPUT_LIMIT, None, f'wrote more than {limits.output_bytes} bytes'
  if why == interpreter.CPU or cpu >= limits.cpu_seconds or code == -signal.SIGXCPU:
    return result.Status.TIMEOUT_CPU, None, f'used more than {limits.cpu_seconds} CPU seconds'
  if code == -signal.SIGKILL:  # Nothing inside can send it.
    raise Lost('a child was killed from outside: is the machine out of memory?')
  if code < 0:
    return result.Status.SIGNAL, None, f'ended by signal {-code}: {signal.strsignal(-code)}'
  if code:
    return result.Status.EXIT, None, f'exit code {code}'
  if claim == interpreter.VALUE:
    try:
      return result.Status.OK, literals.loads(text.decode('ascii')), ''
    except (ValueError, MemoryError) as error:
      return result.Status.EXCEPTION, None, _printable(f'{type(error).__name__}: {error}')
  claims = {interpreter.EXCEPTION: result.Status.EXCEPTION, interpreter.EXIT: result.Status.EXIT,
            interpreter.MEMORY: result.Status.MEMORY, interpreter.SYNTAX: result.Status.SYNTAX}
  # A character has four bytes at most.
  message = text[:4 * result.MAX_ERROR].decode('utf-8', 'replace') or 'exit code 0'
  return claims.get(claim, result.Status.EXIT), None, _printable(message)


def _printable(text: str) -> str:
  """It goes to terminals and logs: of bounded length, and without control sequences."""
  return ''.join(letter if letter.isprintable() else ' ' for letter in text[:result.MAX_ERROR])


class Worker:
  """A process of its own, for as long as the thread that made it lives: it dies with its parent.

  That is why a thread of the pool makes it, and not whoever asks first. The process is started
  without `preexec_fn`, which is not safe beside the threads of JAX.
  """

  def __init__(self, kind: str, hash_seed: int) -> None:
    """Starts it and waits until it is ready; raises Unavailable."""
    self.kind = kind
    filter_fd, end = os.pipe()
    try:
      os.write(end, seccomp_filter.warm())
      os.close(end)
      launch = KINDS[kind].launch(hash_seed, filter_fd)
      self._process = subprocess.Popen(
          launch.command, env=launch.environment, cwd='/', pass_fds=(filter_fd,), bufsize=0,
          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
          start_new_session=True)
    except OSError as error:
      raise result.Unavailable(f'The sandbox cannot be started: {error}.') from error
    finally:
      os.close(filter_fd)
    process = self._process
    self._pipes = [pipe for pipe in (process.stdin, process.stdout, process.stderr) if pipe]
    self._in, self._out, _ = (pipe.fileno() for pipe in self._pipes)
    os.set_blocking(self._in, False)
    settings = launch.settings | {'snippet': seccomp_filter.snippet()}
    try:
      message = literals.dumps(settings).encode('ascii')
      deadline = time.monotonic() + START_SECONDS
      self._write(interpreter.SIZE.pack(len(message)) + message, deadline)
      if self._read(len(READY), deadline) != READY:
        raise Lost('it answers, but not as it should')
    except Lost as lost:
      self.kill()
      printed = self._pipes[2].read(1 << 16).decode('utf-8', 'replace').split('\n')
      self.close()
      reason = next((line for line in reversed(printed) if line), str(lost))
      raise result.Unavailable(
          f'The sandbox {kind} does not start: {reason}. {KINDS[kind].HINT}.') from lost

  def run(self, message: bytes, limits: result.Limits) -> result.ExecResult:
    """A job; raises Lost when the interpreter has to be thrown away."""
    deadline = time.monotonic() + limits.wall_seconds + GRACE_SECONDS
    self._write(interpreter.JOB.pack(
        len(message), limits.cpu_seconds, limits.wall_seconds, limits.memory_bytes,
        limits.output_bytes) + message, deadline)
    why, status, cpu, wall, peak, *sizes = interpreter.ENDED.unpack(
        self._read(interpreter.ENDED.size, deadline))
    if max(sizes) > limits.output_bytes:
      raise Lost('it says more than it may')
    output, answer = (self._read(size, deadline) for size in sizes)
    verdict, value, error = judge(why, status, cpu, answer, limits)
    return result.ExecResult(
        status=verdict, value=value, stdout=output.decode('utf-8', 'replace'), error=error,
        cpu_seconds=cpu, wall_seconds=wall, peak_bytes=peak << 10)

  @property
  def process(self) -> int:
    """The process that the host started: the interpreter, or what encloses it."""
    return self._process.pid

  def kill(self) -> None:
    """Ends it, from any thread; whoever waits for it learns that it is lost."""
    self._process.kill()

  def close(self) -> None:
    """Ends it and leaves nothing behind."""
    self.kill()
    self._process.wait()
    for pipe in self._pipes:
      pipe.close()

  def _wait(self, descriptor: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
      raise Lost('it does not answer')

  def _write(self, data: bytes, deadline: float) -> None:
    rest = memoryview(data)
    while rest:
      self._wait(self._in, select.POLLOUT, deadline)
      try:
        rest = rest[os.write(self._in, rest):]
      except BrokenPipeError as error:
        raise Lost('it is gone') from error

  def _read(self, size: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < size:
      self._wait(self._out, select.POLLIN, deadline)
      more = os.read(self._out, size - len(data))
      if not more:
        raise Lost('it is gone')
      data += more
    return bytes(data)
