"""At taking more than is given: memory, time, output, descriptors."""

import contextlib
import os
import signal
import sys
import time

ENOUGH = 400 << 20  # Bytes: more than any job may have here.


def memory_in_pages(world):
  blocks, size = [], 0
  while size < ENOUGH:
    blocks.append(bytearray(16 << 20))
    size += 16 << 20
  return size


def memory_by_mmap(world):
  import ctypes
  libc = ctypes.CDLL(None)
  libc.mmap.restype = ctypes.c_void_p
  reserve = 0x4022  # MAP_PRIVATE | ANONYMOUS | NORESERVE
  return libc.mmap(None, ctypes.c_size_t(ENOUGH), 3, reserve, -1, 0) != 2**64 - 1


def memory_shared(world):
  import mmap
  return bool(mmap.mmap(-1, ENOUGH))


def memory_of_a_bomb(world):
  import zlib
  packed = zlib.compress(bytes(1 << 20))
  return len(b''.join(zlib.decompress(packed) for _ in range(ENOUGH >> 20)))


def memory_of_a_list_of_itself(world):
  items = [0]
  while True:
    items += items


def lock_memory(world):
  import ctypes
  return ctypes.CDLL(None).mlockall(3) == 0


def constants_at_compile_time(world):
  return exec(compile('x = (1,) * 10**8\ny = "a" * (10**9)', 'x', 'exec'))


def spin(world):
  while True:
    pass


def spin_in_c(world):
  return 3 ** (10**8)


def spin_in_a_pattern(world):
  import re
  return re.match('(a+)+$', 'a' * 40 + 'b')


def spin_deaf_to_signals(world):
  for number in range(1, 65):
    with contextlib.suppress(OSError, ValueError):
      signal.signal(number, signal.SIG_IGN)
  while True:
    pass


def spin_past_the_limit_and_return(world):
  """A value that comes after the limit would be a verdict that depends on luck."""
  late = []
  signal.signal(signal.SIGXCPU, lambda *_: late.append(1))
  while not late:
    pass
  return True


def sleep(world):
  time.sleep(60)


def wait_for_nothing(world):
  import select
  select.poll().poll(60_000)


def close_everything_and_wait(world):
  os.closerange(0, 16)
  time.sleep(60)


def flood_stdout(world):
  while True:
    sys.stdout.write('x' * 65536)


def flood_stderr(world):
  while True:
    os.write(2, b'x' * 65536)


def flood_the_answer(world):
  while True:
    os.write(3, b'x' * 65536)


def answer_at_length(world):
  return 'x' * (10 << 20)


def fill_the_disk(world):
  for folder in ('.', '/tmp', '/dev/shm', '/job', '/run', '/var/tmp'):
    try:
      with open(f'{folder}/{world["nonce"]}', 'wb') as file:
        return file.write(bytes(1 << 20))
    except OSError:
      pass
  return None


def descriptors_many(world):
  return [os.dup(1) for _ in range(100)]


def read_stdin(world):
  return sys.stdin.read()


def recurse(world):
  sys.setrecursionlimit(10**9)
  def deeper(depth):
    return deeper(depth + 1)
  return deeper(0)


def recurse_in_c(world):
  sys.setrecursionlimit(10**9)
  nested = ()
  for _ in range(10**6):
    nested = (nested,)
  return hash(nested) == 1


def nest_source(world):
  return eval('(' * 5000 + ')' * 5000) or eval('-' * 100_000 + '1')


def collide_hashes(world):
  return len({(2**61 - 1) * number for number in range(10**5)})
