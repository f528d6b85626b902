"""At the warm interpreter, its pipes, and the jobs before and after."""

import ctypes
import os
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)


def kill_warm_interpreter(world):
  parent = os.getppid()
  for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGTERM):
    try:
      os.kill(parent, number)
      return number
    except OSError:
      pass
  return libc.syscall(234, parent, parent, 9) == 0 or libc.syscall(200, parent, 9) == 0


def write_into_warm_interpreter(world):
  data = ctypes.create_string_buffer(b'x' * 64)
  local = (ctypes.c_uint64 * 2)(ctypes.addressof(data), 64)
  return libc.syscall(311, os.getppid(), local, 1, local, 1, 0) > 0


def steal_descriptors_of_warm_interpreter(world):
  return [number for number in range(16)
          if libc.syscall(438, libc.syscall(434, os.getppid(), 0), number, 0) >= 0]


def scribble_on_descriptors(world):
  for number in range(4, 1024):
    try:
      return os.write(number, b'\xff' * 64)
    except OSError:
      pass
  return None


def make_pipes_stop_waiting(world):
  import fcntl
  for number in range(4):
    fcntl.fcntl(number, fcntl.F_SETFL, os.O_NONBLOCK | os.O_DIRECT)
  return True


def shrink_pipes(world):
  import fcntl
  return [fcntl.fcntl(number, 1031, 4096) for number in range(1, 4)]


def end_of_frame_walk(world):
  """Descriptors that the interpreter's frames know of."""
  frame, known = sys._getframe(), set()
  while frame:
    known |= {value for value in frame.f_locals.values() if type(value) is int and 3 < value < 64}
    frame = frame.f_back
  return [number for number in known if _writes(number)]


def _writes(number):
  try:
    return os.write(number, b'\0' * 40)
  except OSError:
    return 0


def read_jobs_from_the_host(world):
  return [number for number in (*range(1, 64),) if _reads(number)]


def _reads(number):
  try:
    return os.read(number, 100)
  except OSError:
    return b''


def end_as_a_failed_set_up_does(world):
  os._exit(120)


def replace_what_ends_the_child(world):
  os._exit = os.write = os.dup2 = lambda *_: None


def replace_the_writer(world):
  sys.modules['haiku_spectral.sandbox.literals'].ascii = (
      lambda value: f'__import__("os").system("touch {world["folder"]}/run_on_the_host")')
  return 'text'


def return_an_equal_to_everything(world):
  return type('Equal', (), {'__eq__': lambda self, other: True})()


def return_code_for_the_host(world):
  return type('Text', (str,), {'__reduce__': lambda self: (os.system, ('true',))})('x')


def raise_what_cannot_be_printed(world):
  class Silent(BaseException):
    def __str__(self):
      os._exit(0)
  raise Silent


def break_the_streams(world):
  sys.stdout = sys.stderr = sys.stdin = None


def break_builtins(world):
  import builtins
  for name in ('type', 'len', 'repr', 'ascii', 'isinstance', 'BaseException'):
    setattr(builtins, name, None)


def crash(world):
  ctypes.string_at(0)


def abort(world):
  os.abort()
