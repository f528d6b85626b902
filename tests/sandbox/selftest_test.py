"""Each protection, taken away, is noticed before anything runs; docs/security.md has the table."""

import contextlib
import os
import pathlib
import re
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from unittest import mock

from absl.testing import absltest, parameterized

from haiku_spectral.sandbox import (
  bubblewrap,
  interpreter,
  landlock,
  landlock_rules,
  result,
  runtime,
  sandbox,
  seccomp_filter,
)

HOME = next(filter(os.path.isdir, (os.path.expanduser('~'), tempfile.gettempdir())))
Weakening = Callable[[], contextlib.AbstractContextManager]


def without(*names: str) -> Weakening:
  """Without these options of bubblewrap and their arguments."""
  assert set(names) <= set(bubblewrap.OPTIONS), names
  kept = tuple(name for name in bubblewrap.OPTIONS if name not in names)
  return lambda: mock.patch.object(bubblewrap, 'OPTIONS', kept)


def with_capabilities() -> contextlib.AbstractContextManager:
  """All that bubblewrap can give."""
  words = tuple('--cap-add' if word == '--cap-drop' else word for word in bubblewrap.OPTIONS)
  return mock.patch.object(bubblewrap, 'OPTIONS', words)


def mounting(*more: str) -> Weakening:
  """The same command, with more options behind all others."""
  launch = bubblewrap.launch
  def more_mounted(*args: int) -> runtime.Launch:
    made = launch(*args)
    at = made.command.index('--dir')
    made.command[at:at] = more
    return made
  return lambda: mock.patch.object(bubblewrap, 'launch', more_mounted)


def unmounting(*less: str) -> Weakening:
  """The same command, without a sequence of words."""
  launch = bubblewrap.launch
  def less_done(*args: int) -> runtime.Launch:
    made = launch(*args)
    words = '\0'.join(made.command)
    assert '\0'.join(less) in words, less
    return made._replace(command=words.replace('\0'.join((*less, '')), '').split('\0'))
  return lambda: mock.patch.object(bubblewrap, 'launch', less_done)


def readable(path: str) -> Weakening:
  """With Landlock, another folder that may be read."""
  access = landlock_rules.READ_FILE | landlock_rules.READ_DIRECTORY
  paths = landlock._readable()
  return lambda: mock.patch.object(landlock, '_readable', return_value=[*paths, (path, access)])


def code(old: str, new: str = '', module: object = interpreter) -> Weakening:
  """Another program inside."""
  path = pathlib.Path(module.__file__)
  text = path.read_text(encoding='utf-8')
  assert text.count(old) == 1, f'{old!r} stands {text.count(old)} times in {path}'

  @contextlib.contextmanager
  def changed() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
      root = pathlib.Path(name)
      home = root / path.parent.relative_to(runtime.ROOT)
      shutil.copytree(path.parent, home, ignore=shutil.ignore_patterns('__pycache__'))
      home.joinpath(path.name).write_text(text.replace(old, new), encoding='utf-8')
      program, *modules = (home / module.name for module in runtime.MODULES)
      for attribute, value in (('ROOT', root), ('PROGRAM', program),
                               ('MODULES', (program, *modules))):
        stack.enter_context(mock.patch.object(runtime, attribute, value))
      yield
  return changed


def condition(number: int, body: seccomp_filter.Program | None = None) -> Weakening:
  """Another condition on the arguments of a system call, or none."""
  body = body or [seccomp_filter._verdict(seccomp_filter.ALLOW)]
  assemble = seccomp_filter._assemble
  return lambda: mock.patch.object(
      seccomp_filter, '_assemble',
      lambda calls, conditions: assemble(calls, conditions | {number: body}))


def allowing(number: int) -> Weakening:
  """Another system call on the list."""
  return lambda: mock.patch.dict(seccomp_filter.SNIPPET, {f'call {number}': number})


def without_instructions(first: int, last: int) -> Weakening:
  """Filters without some of their first instructions."""
  assemble = seccomp_filter._assemble
  def shorter(*args: dict) -> bytes:
    program = assemble(*args)
    return program[:8 * first] + program[8 * last:]
  return lambda: mock.patch.object(seccomp_filter, '_assemble', shorter)


def except_flag(flag: int) -> Weakening:
  """Opening with one more flag."""
  first, (operation, yes, no, flags), *rest = seccomp_filter._SHARED[seccomp_filter.OPENAT]
  return condition(seccomp_filter.OPENAT, [first, (operation, yes, no, flags & ~flag), *rest])


def one_of(index: int, values: tuple[int, ...], number: int) -> Weakening:
  return condition(number, seccomp_filter._if_one_of(index, values))


def unchecked(word: seccomp_filter.Instruction) -> Weakening:
  """Any value of a word that has to be zero."""
  if_zero = seccomp_filter._if_zero
  return lambda: mock.patch.object(
      seccomp_filter, '_if_zero', lambda *words: if_zero(*(set(words) - {word})))


_argument = seccomp_filter._argument
ALLOW_ALL = struct.pack('<HBBI', seccomp_filter.RETURN, 0, 0, seccomp_filter.ALLOW)
LIMIT = {  # As it stands in the program.
    'CPU': '(resource.RLIMIT_CPU, int(2 * cpu) + 1, int(2 * cpu) + 2),',
    'AS': '(resource.RLIMIT_AS, memory, memory),',
    'DATA': '(resource.RLIMIT_DATA, memory, memory),',
    'STACK': '(resource.RLIMIT_STACK, 8 << 20, 8 << 20),',
    'NOFILE': '(resource.RLIMIT_NOFILE, 16, 16),', 'FSIZE': '(resource.RLIMIT_FSIZE, 0, 0),',
    'CORE': '(resource.RLIMIT_CORE, 0, 0),', 'NPROC': '(resource.RLIMIT_NPROC, 0, 0),',
    'MEMLOCK': '(resource.RLIMIT_MEMLOCK, 0, 0),', 'MSGQUEUE': '(resource.RLIMIT_MSGQUEUE, 0, 0)'}

# Protection: kind, what takes it away, what the refusal says.
NOTICED: dict[str, tuple[str, Weakening, str]] = {
    'namespaces: IPC': ('bwrap', without('--unshare-ipc'), 'shares the ipc namespace'),
    'namespaces: PID': (
        'bwrap', without('--unshare-pid', '--as-pid-1'), 'shares the pid namespace'),
    'namespaces: network': ('bwrap', without('--unshare-net'), 'shares the net namespace'),
    'namespaces: UTS': ('bwrap', without('--unshare-uts'), 'shares the uts namespace'),
    'namespaces: cgroup': (
        'bwrap', without('--unshare-cgroup-try'), 'shares the cgroup namespace'),
    'no user namespaces inside': (
        'bwrap', without('--disable-userns'), 'may make user namespaces'),
    'capabilities: all of them': ('bwrap', with_capabilities, 'capabilities are left'),
    'mounts: /': ('bwrap', mounting('--ro-bind', '/', '/host'), '/host.* is mounted'),
    'mounts: /proc': (
        'bwrap', mounting('--ro-bind', '/proc', '/proc'), "read a file of the host.*'/proc'"),
    'mounts: another /proc': (
        'bwrap', mounting('--proc', '/proc'), "read a file of the host.*'/proc'"),
    'mounts: /dev': ('bwrap', mounting('--dev', '/dev'), "read a file of the host.*'/dev'"),
    'mounts: a home': ('bwrap', mounting('--ro-bind', HOME, HOME), 'read a file of the host'),
    'mounts: a home, elsewhere': (
        'bwrap', mounting('--ro-bind', HOME, '/py/lib/home'), '/py/lib/home.* is mounted'),
    'read-only mounts: a writable bind': (
        'bwrap', mounting('--bind', tempfile.gettempdir(), '/job/new'),
        '/job/new.* is mounted|/job/new is writable'),
    'read-only mounts: the interpreter': (
        'bwrap', mounting('--bind', runtime.find().executable,
                          f'{bubblewrap.BIN}/{runtime.find().name}'), 'is writable'),
    'read-only mounts: /': ('bwrap', unmounting('--remount-ro', '/'), '/ is writable'),
    'list of system calls: kill': ('bwrap', allowing(62), r'seccomp is not applied: \[62\]'),
    'list of system calls: socket': ('bwrap', allowing(41), r'seccomp is not applied: \[41\]'),
    'list of system calls: keyctl': (
        'landlock', allowing(250), r'seccomp is not applied: \[250\]'),
    'list of system calls: the filter of a job': (
        'bwrap', code('  filter_.install()\n'), 'seccomp is not applied: '),
    'list of system calls: the filter of the interpreter': (
        'bwrap', lambda: mock.patch.object(seccomp_filter, 'warm', return_value=ALLOW_ALL),
        'seccomp is not applied: '),
    'flags of open: any': ('bwrap', condition(seccomp_filter.OPENAT), 'arguments: .*open O_RDWR'),
    **{f'flags of open: {name}': ('bwrap', except_flag(flag), f"arguments: .*'open {name}'")
       for name, flag in (('O_WRONLY', 1), ('O_RDWR', 2), ('O_CREAT', 0o100), ('O_TRUNC', 0o1000),
                          ('O_TMPFILE', 0o20000000))},
    'commands of fcntl: any': ('bwrap', condition(seccomp_filter.FCNTL), r'not applied: \[72\]'),
    'commands of fcntl: F_SETOWN': (
        'bwrap', one_of(1, (*seccomp_filter.DESCRIPTOR_ONLY, 8), seccomp_filter.FCNTL),
        r"arguments: \['fcntl 8'\]"),
    'ioctl': ('bwrap', condition(seccomp_filter.IOCTL), r"arguments: \['ioctl'\]"),
    'clone3': ('bwrap', condition(seccomp_filter.CLONE3), r"arguments: \['clone3'\]"),
    'prlimit64: the process': (
        'bwrap', unchecked(_argument(0)), r"\['the limits of others'\]"),
    'prlimit64: new limits, low word': ('bwrap', unchecked(_argument(2)), r"\['limits'\]"),
    'prlimit64: new limits, high word': (
        'bwrap', unchecked(_argument(2, high=True)), r"\['limits at a high address'\]"),
    'clock_gettime: any clock': (
        'bwrap', condition(seccomp_filter.CLOCK_GETTIME), r'not applied: \[228\]'),
    'clock_getres: any clock': (
        'bwrap', condition(seccomp_filter.CLOCK_GETRES), r'not applied: \[229\]'),
    'clock_nanosleep: any clock': (
        'bwrap', condition(seccomp_filter.CLOCK_NANOSLEEP), r'not applied: \[230\]'),
    **{f'{name}: the clock of process 1': (
        'bwrap', one_of(0, (*seccomp_filter.CLOCKS, -14 % 2**32), number),
        rf"arguments: \['{name} -14'\]")
       for name, number in (('clock_gettime', seccomp_filter.CLOCK_GETTIME),
                            ('clock_getres', seccomp_filter.CLOCK_GETRES),
                            ('clock_nanosleep', seccomp_filter.CLOCK_NANOSLEEP))},
    'futex: any operation': ('bwrap', condition(seccomp_filter.FUTEX), r'not applied: \[202\]'),
    'futex: shared WAKE': (
        'bwrap', one_of(1, (*seccomp_filter.PRIVATE_FUTEX, 1), seccomp_filter.FUTEX),
        r"arguments: \['futex 1'\]"),
    'futex: LOCK_PI': (
        'bwrap', one_of(1, (*seccomp_filter.PRIVATE_FUTEX, 134), seccomp_filter.FUTEX),
        r"arguments: \['futex 134'\]"),
    'other instruction sets: i386': ('bwrap', without_instructions(0, 3), 'calls of i386 pass'),
    'other instruction sets: x32': ('bwrap', without_instructions(4, 6), 'calls of x32 pass'),
    **{f'resource limits: {name}': ('bwrap', code(text), f'other limits: .*{name}')
       for name, text in LIMIT.items()},
    'time and output: CPU seconds': (
        'bwrap', code('cpu - time.clock_gettime(clock)', 'cpu'), 'CPU seconds'),
    'time and output: wall-clock seconds': (
        'bwrap', code('end - time.monotonic()', 'wall'), 'ran for 1'),
    'time and output: bytes printed': (
        'bwrap', code('if used[which] > most:', 'if used[which] > most and which != 0:'),
        'prints more than it may'),
    'time and output: bytes of the value': (
        'bwrap', code('if used[which] > most:', 'if used[which] > most and which != 1:'),
        'returns more than it may'),
    'descriptors': ('bwrap', code(
        '  os.closerange(ANSWER + 1, 64)  # The host\'s descriptors among them.\n'),
        'has other descriptors'),
    'environment': ('bwrap', code('  os.environ.clear()\n'), 'has an environment'),
    'no debugger': ('bwrap', code('prctl(PR_SET_DUMPABLE, 0)', 'None'),
                    'a debugger could attach'),
    'wiping: what was asked': ('bwrap', code(
        '  message[:] = bytes(size)\n'), 'finds the one before it in memory'),
    'wiping: what was answered': ('bwrap', code(
        '    data[:] = bytes(len(data))\n'), 'finds the one before it in memory'),
    'Landlock: all': ('landlock', code(
        "    landlock_rules.restrict(libc, settings['readable'])\n"),
        'read a file of the host|capabilities are left'),
    'Landlock: a rule for /': ('landlock', readable('/'), 'read a file of the host'),
    'Landlock: a rule for /proc': ('landlock', readable('/proc'), "host: .*'/proc'"),
    'Landlock: a rule for a home': ('landlock', readable(HOME), 'read a file of the host'),
    'Landlock: no_new_privs': ('landlock', code(
        '    prctl(PR_SET_NO_NEW_PRIVS, 1)\n'), 'no_new_privs|denied|not permitted'),
}
COVER = 'packages of the host'  # If they are installed beside the standard library.
for cover in bubblewrap._covers():
  NOTICED[COVER] = (
      'bwrap', unmounting('--tmpfs', cover, '--remount-ro', cover), f'{cover} is not covered up')
if os.geteuid() == 0:  # For others bubblewrap makes one in any case, and they have none to lose.
  NOTICED['namespaces: user'] = (
      'bwrap', without('--unshare-user', '--disable-userns', '--uid', '--gid', '65534'),
      'shares the user namespace')
  NOTICED['capabilities: with Landlock'] = ('landlock', code(
      "  call(CAPSET, struct.pack('<Ii', 0x20080522, 0), bytes(24))\n", module=landlock_rules),
      'capabilities are left')

# Protection: kind, what takes it away. Another layer, named in the document, still holds.
MASKED: dict[str, tuple[str, Weakening]] = {
    'another user and group': ('bwrap', without('--uid', '--gid', '65534')),
    'a session of its own': ('bwrap', without('--new-session')),
    'death with the host: of bubblewrap': ('bwrap', without('--die-with-parent')),
    'death with the host: of the interpreter': ('bwrap', code(
        """  prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
  prctl(PR_SET_DUMPABLE""", '  prctl(PR_SET_DUMPABLE')),
    'process 1': ('bwrap', without('--as-pid-1')),
    'a cleared environment': ('bwrap', without('--clearenv')),
    'wiping in the job itself': ('bwrap', code('    message[:] = bytes(len(message))\n')),
    'inherited descriptors closed': ('bwrap', code('os.closerange(3, 65536)', 'None')),
}


class DocumentTest(absltest.TestCase):

  def test_the_tables_name_every_protection(self):
    text = runtime.ROOT.joinpath('docs/security.md').read_text(encoding='utf-8')
    for heading, cases in (('What the self-test notices', NOTICED),
                           ('What another layer masks', MASKED)):
      section = text.partition(f'## {heading}\n')[2].partition('\n## ')[0]
      rows = re.findall(r'^\| ([^|]+?) \|', section, re.MULTILINE)
      known = {name.partition(':')[0] for name in cases}
      self.assertEqual(set(rows[1:]) - {COVER}, known - {COVER})
      for name in cases:  # And what stands behind the colon, in the row.
        row = next(line for line in section.splitlines() if line.startswith(
            f'| {name.partition(":")[0]} |'))
        self.assertIn(name.partition(': ')[2], row)


class SelfTestTest(parameterized.TestCase):

  def test_every_interpreter_is_tested(self):
    """One that is started later, and weaker, is given nothing to do; the others go on."""
    with sandbox.Sandbox(workers=1) as box:
      job = result.Job('def f(): return 1', 'f')
      with mock.patch.dict(seccomp_filter.SNIPPET, keyctl=250):
        first, second = box.map([job, job._replace(hash_seed=1)])
        self.assertLen(box._workers, 1)
      third, = box.map([job._replace(hash_seed=1)])
    self.assertEqual((first.value, third.value), (1, 1))
    self.assertEqual(second.status, result.Status.INFRASTRUCTURE)
    self.assertIn('does not hold: seccomp is not applied: [250]', second.error)

  @parameterized.named_parameters((name, *case) for name, case in NOTICED.items())
  def test_taken_away(self, kind: str, weakened: Weakening, message: str):
    if sys.version_info >= (3, 13) and 'what was asked' in self.id():
      self.skipTest('Python 3.13 leaves no trace of it for the self-test: docs/security.md')
    ran = mock.Mock()
    with self.assertRaisesRegex(result.Unavailable, message), weakened(), sandbox.Sandbox(
        kind, workers=1, hash_seeds=(0,)):
      ran()
    ran.assert_not_called()

  @parameterized.named_parameters((name, *case) for name, case in MASKED.items())
  def test_masked_by_another_layer(self, kind: str, weakened: Weakening):
    with weakened(), sandbox.Sandbox(kind, workers=1, hash_seeds=(0,)) as box:
      self.assertEqual(box.run('def f(): return 1', 'f').value, 1)


if __name__ == '__main__':
  absltest.main()
