"""At telling the next job, or one beside it, something: by clocks and futexes that they share."""

import contextlib
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
GETTIME, GETRES, NANOSLEEP, FUTEX = 228, 229, 230, 202
PRIVATE, REALTIME = 128, 256


def _others():
  return (*range(1, 64), os.getppid(), os.getpid() - 1, os.getpid() + 1)


def _clocks():
  """CPU clocks of processes and of threads, by all three kinds of time."""
  return [~process << 3 | kind for process in _others() for kind in (0, 1, 2, 4, 5, 6)]


def _answered(number, *arguments):
  """Whether the kernel itself answers, be it with an error: then it has looked."""
  ctypes.set_errno(0)
  words = [ctypes.c_long(argument) if type(argument) is int else ctypes.byref(argument)
           for argument in arguments]
  return libc.syscall(number, *words) >= 0 or ctypes.get_errno() != 1


def _time(seconds, nanoseconds):
  return (ctypes.c_int64 * 2)(seconds, nanoseconds)


def read_processor_time_of_others(world):
  import time
  read = []
  for process in (*_others(), world['victim'], world['host']):
    with contextlib.suppress(OSError):
      read.append(time.clock_gettime(~process << 3 | 2))
  return read


def read_processor_time_by_number(world):
  now = _time(0, 0)
  return [clock for clock in _clocks() if _answered(GETTIME, clock, now)]


def learn_which_processes_exist_by_their_clocks(world):
  return [clock for clock in _clocks() if _answered(GETRES, clock, 0)]


def sleep_on_the_clock_of_others(world):
  time = _time(0, 1)
  return [clock for clock in _clocks() if _answered(NANOSLEEP, clock, 0, time, 0)]


def clocks_behind_descriptors(world):
  now = _time(0, 0)
  return [number for number in range(16)
          if any(_answered(call, ~number << 3 | 3, now) for call in (GETTIME, GETRES))]


def set_clocks(world):
  now = _time(1, 0)
  return [call for call in (227, 164, 159, 305) if _answered(call, 0, now, 0)]


def _shared_page():
  """Of a library that every interpreter maps: where a function begins."""
  return ctypes.cast(libc.getpid, ctypes.c_void_p).value & ~3


def wake_who_waits_on_a_shared_page(world):
  return [flags for flags in (0, REALTIME) for command in (1, 5, 10)
          if _answered(FUTEX, _shared_page(), command | flags, 1, 0, _shared_page(), -1)]


def wait_on_a_shared_page(world):
  page = _shared_page()
  content, time = ctypes.c_uint32.from_address(page).value, _time(0, 1000)
  return [command for command in (0, 9, 9 | REALTIME)
          if _answered(FUTEX, page, command, content, time, 0, -1)]


def move_who_waits_on_a_shared_page(world):
  return [command | flags for command in (3, 4, 11, 12) for flags in (0, PRIVATE)
          if _answered(FUTEX, _shared_page(), command | flags, 1, 1, _shared_page(), 0)]


def ask_for_processes_by_lock(world):
  """LOCK_PI says whether a process of that number exists, and lends it a priority."""
  word, past = ctypes.c_uint32(), _time(1, 0)
  asked = []
  for process in _others():
    word.value = process
    asked += [(process, command | flags) for command in (6, 7, 8, 13) for flags in (0, PRIVATE)
              if _answered(FUTEX, word, command | flags, 0, past, 0, 0)]
  return asked


def futexes_of_new_kinds(world):
  page = ctypes.create_string_buffer(4096)
  return [number for number in (449, 454, 455, 456, 273, 274) if _answered(number, page, 0, 0, 0)]


def futex_operations_with_high_bits(world):
  word = ctypes.c_uint32()
  return [bit for bit in range(9, 32) if _answered(FUTEX, word, PRIVATE | 1 | 1 << bit, 1, 0, 0, 0)]
