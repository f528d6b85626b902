import contextlib
import ctypes
import importlib
import os
import pathlib
import platform
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from unittest import mock

from absl.testing import absltest, parameterized

from haiku_spectral.sandbox import (
  bubblewrap,
  interpreter,
  landlock,
  result,
  runtime,
  sandbox,
  seccomp_filter,
  selftest,
  worker,
)
from tests.sandbox import canaries

LIMITS = result.Limits(cpu_seconds=0.5, wall_seconds=20.0)
ALLOW_ALL = struct.pack('<HBBI', seccomp_filter.RETURN, 0, 0, seccomp_filter.ALLOW)
IDENTITY = 'def f(*args):\n  return args'
SCAN = """
import ctypes, gc
libc = ctypes.CDLL(None, use_errno=True)
libc.sbrk.restype = ctypes.c_void_p

def f(reversed_secret):
  wanted = bytes(reversed(reversed_secret))
  own = ctypes.addressof(ctypes.c_char_p(wanted))
  pages = {id(thing) >> 12 for thing in gc.get_objects()}
  for page in list(pages):
    pages |= set(range(page - 64, page + 64))
  end = libc.sbrk(0) >> 12
  pages |= set(range(end - 4096, end))
  found, read = 0, 0
  for page in pages:
    if libc.access(ctypes.c_void_p(page << 12), 0) == 0 or ctypes.get_errno() != 14:
      read += 1
      found += ctypes.string_at(page << 12, 4096).count(wanted[:-1])
  return found, read
"""

SCAN_NUMBERS = """
import ctypes, gc
libc = ctypes.CDLL(None, use_errno=True)
libc.sbrk.restype = ctypes.c_void_p
FLOAT, INT = (id(kind).to_bytes(8, 'little') for kind in (float, int))

def f(reversed_numbers):
  pages = {id(thing) >> 12 for thing in gc.get_objects()}
  for page in list(pages):
    pages |= set(range(page - 64, page + 64))
  end = libc.sbrk(0) >> 12
  pages |= set(range(end - 4096, end))
  found = [0] * len(reversed_numbers)
  for page in pages:
    if libc.access(ctypes.c_void_p(page << 12), 0) == 0 or ctypes.get_errno() != 14:
      content = ctypes.string_at(page << 12, 4096)
      for which, number in enumerate(reversed_numbers):
        kind, offset = (FLOAT, 8) if len(number) == 8 else (INT, 16)
        at = content.find(kind)
        while at >= 0:
          found[which] += content[at + offset:at + offset + len(number)][::-1] == number
          at = content.find(kind, at + 1)
  return found
"""


class SandboxTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.box = cls.enterClassContext(sandbox.Sandbox(workers=2))

  @parameterized.named_parameters(
      ('value', 'def f(): return 1', 'ok', ''),
      ('raises', 'def f(): return 1 / 0', 'exception', 'ZeroDivisionError: division by zero'),
      ('raises_at_import', 'x = [][0]', 'exception', 'IndexError'),
      ('raises_syntax_error', 'def f(): raise SyntaxError', 'exception', 'SyntaxError'),
      ('interrupts', 'def f(): raise KeyboardInterrupt', 'exception', 'KeyboardInterrupt'),
      ('defines_nothing', 'x = 1', 'exception', "defines no 'f'"),
      ('raises_in_red', 'def f(): raise ValueError("\\033[31m")', 'exception', 'ValueError:  [31m'),
      ('returns_object', 'def f(): return f', 'exception', 'type function cannot cross'),
      ('does_not_compile', 'def f(: pass', 'syntax', 'SyntaxError: invalid syntax'),
      ('badly_indented', 'def f():\nreturn', 'syntax', 'IndentationError'),
      ('null_byte', 'x = "\0"', 'syntax', 'null bytes'),
      ('not_utf8', 'x = "\udcff"', 'syntax', 'not UTF-8'),
      ('ten_megabytes', '#' * (10 << 20), 'syntax', '10485760 bytes: 1048576 are allowed'),
      ('sys_exit', 'import sys\ndef f(): sys.exit(0)', 'exit', 'SystemExit: 0'),
      ('hard_exit', 'import os\ndef f(): os._exit(7)', 'exit', 'exit code 7'),
      ('silent_exit', 'import os\ndef f(): os._exit(0)', 'exit', 'exit code 0'),
      ('crash', 'import ctypes\ndef f(): ctypes.string_at(0)', 'signal', 'ended by signal 11'),
      ('memory', 'def f(): return [0] * 10**9', 'memory', 'MemoryError'),
      ('cpu', 'def f():\n  while True: pass', 'timeout_cpu', 'more than 0.5 CPU seconds'),
      ('output', 'def f():\n  while 1: print("x" * 99)', 'output_limit', 'more than 65536 bytes'),
      ('long_value', 'def f(): return "x" * 10**6', 'output_limit', 'more than 65536 bytes'),
      ('long_number', 'def f(): return 10**5000', 'ok', ''))
  def test_status(self, source: str, status: str, error: str):
    outcome = self.box.run(source, 'f', limits=LIMITS)
    self.assertEqual(outcome.status, status, outcome.error)
    self.assertIn(error, outcome.error)
    self.assertEqual(outcome.value is not None, status == 'ok')

  def test_wall_clock(self):
    limits = result.Limits(wall_seconds=0.2)
    source = 'import time\ndef f():\n  print("so far")\n  time.sleep(9)'
    outcome = self.box.run(source, 'f', limits=limits)
    self.assertEqual((outcome.status, outcome.stdout), ('timeout_wall', 'so far\n'))
    self.assertBetween(outcome.wall_seconds, 0.2, 8.0)

  def test_values_cross_both_ways(self):
    args = (None, True, -3, 2**70, 1.5, float('inf'), 1j, 'ğ\udc80\n', b'\0\xff', [1, (2,)],
            {'a': {1, 2}}, frozenset([()]), 10**5000)
    self.assertEqual(self.box.run(IDENTITY, 'f', args).value, args)

  def test_output_and_cost(self):
    outcome = self.box.run(
        'import sys, time\ndef f():\n  print("çıktı")\n  print("two", file=sys.stderr)\n'
        '  while time.process_time() < 0.1: pass\n  return len(bytearray(64 << 20))', 'f')
    self.assertEqual(outcome.stdout, 'çıktı\ntwo\n')
    self.assertEqual(outcome.value, 64 << 20)
    self.assertBetween(outcome.cpu_seconds, 0.09, 2.0)
    self.assertGreaterEqual(outcome.wall_seconds, 0.09)
    self.assertBetween(outcome.peak_bytes, 64 << 20, 128 << 20)

  def test_results_come_in_the_order_of_jobs(self):
    source = ('import time\ndef f(i):\n  end = time.process_time() + (i % 3) * 0.01\n'
              '  while time.process_time() < end: pass\n  return i')
    outcomes = self.box.map(result.Job(source, 'f', (i,)) for i in range(30))
    self.assertEqual([outcome.value for outcome in outcomes], list(range(30)))

  def test_hash_seed(self):
    jobs = [result.Job('def f(): return hash("x")', 'f', hash_seed=seed) for seed in (0, 1)]
    first, second = self.box.map(jobs)
    self.assertNotEqual(first.value, second.value)
    again = [outcome.value for outcome in self.box.map(jobs * 4)]
    self.assertEqual(again, [first.value, second.value] * 4)
    outside = subprocess.run([sys.executable, '-c', 'print(hash("x"))'], capture_output=True,
                             env={'PYTHONHASHSEED': '1'}, check=True).stdout
    self.assertEqual(second.value, int(outside))

  def test_jobs_that_cannot_be(self):
    with self.assertRaisesRegex(ValueError, 'hash_seed=7'):
      self.box.run(IDENTITY, 'f', hash_seed=7)
    with self.assertRaisesRegex(ValueError, 'type object cannot cross'):
      self.box.run(IDENTITY, 'f', (object(),))
    with self.assertRaisesRegex(ValueError, 'cpu_seconds=0'):
      result.Limits(cpu_seconds=0)
    with self.assertRaisesRegex(ValueError, "'none': there are bwrap, landlock"):
      sandbox.Sandbox('none')
    with self.assertRaisesRegex(RuntimeError, 'inside its `with` block'):
      sandbox.Sandbox().run(IDENTITY, 'f')

  def test_jobs_know_nothing_of_each_other(self):
    leave = ('import builtins, math, os, sys\ndef f():\n  builtins.trace = math.pi = 1\n'
             '  sys.modules["trace"] = os.environ["trace"] = "1"')
    find = ('import builtins, math, os, sys\ndef f():\n  return [hasattr(builtins, "trace"), '
            'math.pi == 1, "trace" in sys.modules, "trace" in os.environ]')
    outcomes = list(self.box.map([result.Job(leave, 'f')] * 6 + [result.Job(find, 'f')] * 6))
    self.assertEqual({outcome.status for outcome in outcomes}, {'ok'})
    self.assertEqual([outcome.value for outcome in outcomes[6:]], [[False] * 4] * 6)

  def test_no_trace_of_a_job_in_memory(self):
    secret = bytes(os.urandom(8).hex(), 'ascii') * 40
    with sandbox.Sandbox(workers=1, hash_seeds=(0,)) as box:
      source = f'SECRET = {secret!r}\ndef f(x):\n  print(x.decode())\n  return x'
      self.assertEqual(box.run(source, 'f', (secret,)).value, secret)
      outcome = box.run(SCAN, 'f', (secret[::-1],))
    self.assertEqual(outcome.status, 'ok', outcome.error)
    found, read = outcome.value
    self.assertGreater(read, 1000)
    # What this job was given lies there reversed; its own copy of it, made last, may lie there once
    # or twice, as `wanted` and the slice.
    self.assertLessEqual(found, 2)

  def test_no_trace_in_memory_of_what_a_job_cost(self):
    """Numbers in memory are objects: the address of their type, and in bytes what they are."""
    with sandbox.Sandbox(workers=1, hash_seeds=(0,)) as box:
      for size in (23_457, 34_568, 45_679):
        before = box.run(f'def f(): print("x" * {size - 1})', 'f')
        numbers = [struct.pack('<d', before.cpu_seconds), struct.pack('<d', before.wall_seconds),
                   struct.pack('<I', size)]
        outcome = box.run(SCAN_NUMBERS, 'f', ([number[::-1] for number in numbers],))
        self.assertEqual(len(before.stdout), size)
        self.assertEqual(outcome.value, [0, 0, 0], outcome.error)

  @parameterized.parameters(0.7, 1 << 20, 1 << 40)
  def test_numbers_that_were_freed_are_overwritten(self, unit: float):
    numbers = [unit * number for number in range(1001, 1017)]
    places = {id(number) + (16 if unit == 0.7 else 24): number for number in numbers}
    kind = ctypes.c_double if unit == 0.7 else ctypes.c_uint64
    contents = {place: kind.from_address(place).value for place in places}
    places = list(places)
    del numbers
    interpreter.overwrite_numbers()
    left = [place for place in places if kind.from_address(place).value == contents[place]]
    self.assertEmpty(left)

  @parameterized.parameters(
      (interpreter.CONFINED + interpreter.VALUE + b'[1,2,]', 'ok', [1, 2]),
      (interpreter.CONFINED + interpreter.SYNTAX + b'it was never run', 'syntax', None),
      (interpreter.VALUE + b'exec("x")', 'exception', None),
      (interpreter.VALUE + b'\xff', 'exception', None),
      (interpreter.ENDED.pack(interpreter.BY_ITSELF, 0, 0.0, 0.0, 0, 0, 3), 'exit', None),
      (b'REFUSED', 'exit', None))
  def test_forged_answers_are_values_or_failures(self, forged: bytes, status: str, value: object):
    """Nothing that a snippet says of itself is INFRASTRUCTURE, or moves the clock."""
    source = ('import os, time\ndef f(forged):\n  while time.process_time() < 0.1: pass\n'
              '  os.write(3, forged)\n  os._exit(0)')
    outcome = self.box.run(source, 'f', (forged.removeprefix(interpreter.CONFINED),))
    self.assertEqual((outcome.status, outcome.value), (status, value), outcome.error)
    self.assertGreaterEqual(outcome.cpu_seconds, 0.09)

  def test_lost_interpreter_is_replaced_and_its_job_run_again(self):
    with sandbox.Sandbox(workers=1, hash_seeds=(0,)) as box:
      before = canaries.descendants(os.getpid())
      [first] = box._workers
      timer = threading.Timer(0.3, first.kill)  # In the middle of the job.
      timer.start()
      outcome = box.run('import time\ndef f():\n  time.sleep(0.6)\n  return 1', 'f')
      timer.join()
      self.assertEqual((outcome.status, outcome.value), ('ok', 1))
      self.assertNotEqual(box._workers, [first])
      self.assertLen(canaries.descendants(os.getpid()), len(before))

  def test_an_interpreter_lost_again_and_again_is_no_verdict(self):
    with (sandbox.Sandbox(workers=1, hash_seeds=(0,)) as box,
          mock.patch.object(selftest, 'check'), mock.patch.object(
              worker.Worker, 'run', side_effect=worker.Lost('gone')) as run):
      outcome = box.run(IDENTITY, 'f')
    self.assertEqual((outcome.status, outcome.error), ('infrastructure', 'gone'))
    self.assertEqual(run.call_count, sandbox.ATTEMPTS)

  @parameterized.parameters(
      (interpreter.BY_ITSELF, 120 << 8, b''),  # The set-up failed, as a snippet might.
      (interpreter.WALL, signal.SIGKILL, b''),  # It took for ever.
      (interpreter.BY_ITSELF, signal.SIGKILL, interpreter.CONFINED))  # Out of memory.
  def test_what_is_not_the_codes_doing_is_no_verdict(self, why: int, status: int, answer: bytes):
    with self.assertRaises(worker.Lost):
      worker.judge(why, status, 0.1, answer, LIMITS)

  def test_nothing_is_left_behind(self):
    before = canaries.descendants(os.getpid())
    open_files = len(os.listdir('/proc/self/fd'))
    with self.assertRaisesRegex(ZeroDivisionError, ''), sandbox.Sandbox(workers=2) as box:
      next(box.map([result.Job('import time\ndef f(): time.sleep(60)', 'f',
                               limits=result.Limits(wall_seconds=0.1))] * 9))
      raise ZeroDivisionError
    self.assertEqual(canaries.descendants(os.getpid()), before)
    self.assertLen(os.listdir('/proc/self/fd'), open_files)

  @parameterized.parameters('bwrap', 'landlock')
  def test_dies_with_the_host(self, kind: str):
    program = ('import os, sys\nfrom haiku_spectral.sandbox import sandbox\n'
               f'with sandbox.Sandbox({kind!r}, workers=1) as box:\n'
               '  print("ready", flush=True)\n'
               '  box.run("import time\\ndef f(): time.sleep(60)", "f")')
    host = subprocess.Popen([sys.executable, '-c', program], stdout=subprocess.PIPE, text=True,
                            cwd=runtime.ROOT)
    with host:
      self.assertEqual(host.stdout.readline(), 'ready\n')
      inside = {pathlib.Path(f'/proc/{process}') for process in canaries.descendants(host.pid)}
      self.assertNotEmpty(inside)
      host.kill()
    deadline = time.monotonic() + 20
    while alive := [path for path in inside if _lives(path)]:
      self.assertLess(time.monotonic(), deadline, alive)
      time.sleep(0.01)


def _lives(path: pathlib.Path) -> bool:
  with contextlib.suppress(OSError):
    return path.joinpath('stat').read_text().rpartition(')')[2].split()[0] not in 'ZX'
  return False


class FailClosedTest(parameterized.TestCase):
  """A sandbox that is missing, or does not hold, runs nothing."""

  def refuses(self, message: str, kind: str = 'bwrap'):
    marker = mock.Mock()
    with self.assertRaisesRegex(result.Unavailable, message), sandbox.Sandbox(kind, workers=1):
      marker()
    marker.assert_not_called()

  def test_bubblewrap_missing(self):
    with (mock.patch.object(importlib, 'import_module', side_effect=ImportError),
          mock.patch.object(shutil, 'which', return_value=None)):
      self.refuses('bubblewrap is not installed: pip install .*; or apt-get install bubblewrap')

  @parameterized.parameters(
      ('echo bubblewrap 0.7.9', 'is bubblewrap 0.7.9: bubblewrap 0.8.0 or later is needed'),
      ('echo something else', 'is something else'), ('exit 1', 'is no bubblewrap'))
  def test_another_version(self, does: str, message: str):
    path = self.create_tempfile('bwrap', f'#!/bin/sh\n{does}\n').full_path
    os.chmod(path, 0o755)
    with mock.patch.object(bubblewrap, 'find', return_value=path):
      self.refuses(message)

  def test_namespaces_forbidden(self):
    path = self.create_tempfile('bwrap', (
        '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.11.0 && exit\n'
        'echo "bwrap: No permissions to create a new namespace" >&2; exit 1\n')).full_path
    os.chmod(path, 0o755)
    with mock.patch.object(bubblewrap, 'find', return_value=path):
      self.refuses('No permissions to create a new namespace.*--security-opt.*sysctl.*landlock')

  @parameterized.product(kind=['bwrap', 'landlock'], which=['snippet', 'warm'])
  def test_seccomp_not_applied(self, kind: str, which: str):
    with mock.patch.object(seccomp_filter, which, return_value=ALLOW_ALL):
      self.refuses('seccomp is not applied', kind)

  def test_one_call_too_many(self):
    with mock.patch.dict(seccomp_filter.SNIPPET, keyctl=250):
      self.refuses(r'seccomp is not applied: \[250\]')

  def test_files_of_the_host_are_mounted(self):
    options = (*bubblewrap.OPTIONS, '--ro-bind', '/tmp', '/tmp')
    with mock.patch.object(bubblewrap, 'OPTIONS', options):
      self.refuses('a snippet read a file of the host')

  def test_something_is_writable(self):
    launch = bubblewrap.launch
    def writable(*args):
      made = launch(*args)
      made.command[made.command.index('--remount-ro'):][:2] = []
      at = len(made.command) - 1 - made.command[::-1].index('--remount-ro')
      del made.command[at:at + 2]
      return made
    with (mock.patch.object(bubblewrap, 'launch', writable),
          mock.patch.dict(seccomp_filter._SHARED, {seccomp_filter.OPENAT: [
              (seccomp_filter.RETURN, 0, 0, seccomp_filter.ALLOW)]})):
      self.refuses('a snippet writes files')

  def test_landlock_fails(self):
    with mock.patch.object(landlock, '_readable', return_value=[('/nowhere', 4)]):
      self.refuses('does not start: FileNotFoundError.*/nowhere.*needs Linux 5.13', 'landlock')

  @parameterized.parameters('aarch64', 'i686')
  def test_another_machine(self, machine: str):
    with mock.patch.object(platform, 'machine', return_value=machine):
      self.refuses(f'x86_64, not linux on {machine}')


if __name__ == '__main__':
  absltest.main()
