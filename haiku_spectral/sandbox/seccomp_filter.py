"""Which system calls pass: two allow-lists, as classic BPF for the kernel. x86_64 only.

Allow-lists, because what a kernel adds next year must be refused too: with fresh namespaces and a
list of what is forbidden, AF_VSOCK, keyrings, userfaultfd and io_uring were all within reach. What
is not listed fails with EPERM; another architecture's calls kill.

By hand rather than with libseccomp, which pip cannot install. A filter (seccomp(2)) reads struct
seccomp_data {int nr; u32 arch; u64 instruction_pointer; u64 args[6]} and returns a verdict. Where
arguments decide, all the bits that the kernel itself reads are compared.
"""

import errno
import struct

AUDIT_ARCH_X86_64 = 0xC000003E
X32_BIT = 0x40000000  # Marks the calls of x32, which have the same architecture.
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, IF_EQUAL, IF_AT_LEAST, IF_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE = 0, 4  # Offsets in seccomp_data.

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant
Program = list[Instruction]

# What a snippet may call: all of it reads what is mounted, or concerns only its own process. No
# fork, no thread, no exec, no kill of any kind, no socket, no descriptor but by open and dup, no
# limit, no priority, no timer, nothing written.
SNIPPET = {
    'read': 0, 'write': 1, 'close': 3, 'stat': 4, 'fstat': 5, 'lstat': 6, 'poll': 7, 'lseek': 8,
    'mmap': 9, 'mprotect': 10, 'munmap': 11, 'brk': 12, 'rt_sigaction': 13, 'rt_sigprocmask': 14,
    'rt_sigreturn': 15, 'pread64': 17, 'readv': 19, 'writev': 20, 'access': 21, 'select': 23,
    'sched_yield': 24, 'mremap': 25, 'madvise': 28, 'dup': 32, 'dup2': 33, 'nanosleep': 35,
    'getpid': 39, 'exit': 60, 'getcwd': 79, 'readlink': 89, 'gettimeofday': 96, 'getrlimit': 97,
    'getrusage': 98, 'getuid': 102, 'getgid': 104, 'geteuid': 107, 'getegid': 108, 'getppid': 110,
    'sigaltstack': 131, 'gettid': 186, 'getdents64': 217, 'restart_syscall': 219, 'exit_group': 231,
    'newfstatat': 262, 'pselect6': 270, 'ppoll': 271, 'dup3': 292, 'getrandom': 318, 'statx': 332}

# What the warm interpreter needs beside: to be started, and to fork, limit, time and end a child.
WARM = {
    'sched_getaffinity': 204, 'arch_prctl': 158, 'set_tid_address': 218, 'set_robust_list': 273,
    'rseq': 334, 'execve': 59, 'uname': 63, 'sysinfo': 99, 'capget': 125, 'clone': 56, 'pipe2': 293,
    'wait4': 61, 'kill': 62, 'prctl': 157, 'pidfd_open': 434, 'close_range': 436,
    'clock_gettime': 228}

OPENAT, FCNTL, PRLIMIT, IOCTL, CLONE3 = 257, 72, 302, 16, 435
FUTEX, CLOCK_GETTIME, CLOCK_GETRES, CLOCK_NANOSLEEP = 202, 228, 229, 230
WRITING = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000000  # O_WRONLY, RDWR, CREAT, TRUNC, TMPFILE's own bit
DESCRIPTOR_ONLY = (0, 1, 2, 3, 1030)  # F_DUPFD, GETFD, SETFD, GETFL, DUPFD_CLOEXEC
# REALTIME to BOOTTIME, and TAI. A negative one is the CPU clock of some process of the namespace:
# its reading would tell the next job a number of the last one's choice.
CLOCKS = (0, 1, 2, 3, 4, 5, 6, 7, 11)
# FUTEX_WAIT, WAKE, WAIT_BITSET and that with CLOCK_REALTIME, all of them PRIVATE: of this process
# alone. Without PRIVATE, two jobs meet in a page of the same library; LOCK_PI knows processes.
PRIVATE_FUTEX = (128, 129, 137, 393)


def _argument(index: int, high: bool = False) -> Instruction:
  return LOAD, 0, 0, 16 + 8 * index + 4 * high


def _verdict(action: int) -> Instruction:
  return RETURN, 0, 0, action


def _error(number: int) -> Instruction:
  return _verdict(ERRNO | number)


def _on_call(number: int, body: Program) -> Program:
  """`body`, which ends in a verdict, if this is the call; else what follows."""
  return [(IF_EQUAL, 0, len(body), number), *body]


def _if_one_of(index: int, values: tuple[int, ...]) -> Program:
  """Allows when the argument, a C int, is one of the values."""
  tests = [step for value in values for step in ((IF_EQUAL, 0, 1, value), _verdict(ALLOW))]
  return [_argument(index), *tests, _error(errno.EPERM)]


def _if_zero(*words: Instruction) -> Program:
  """Allows when each of these words of the arguments is zero."""
  tests = [step for word in words
           for step in (word, (IF_EQUAL, 1, 0, 0), _error(errno.EPERM))]
  return [*tests, _verdict(ALLOW)]


def _assemble(calls: dict[str, int], conditions: dict[int, Program]) -> bytes:
  program = [
      (LOAD, 0, 0, ARCHITECTURE), (IF_EQUAL, 1, 0, AUDIT_ARCH_X86_64), _verdict(KILL),
      (LOAD, 0, 0, NUMBER), (IF_AT_LEAST, 0, 1, X32_BIT), _verdict(KILL)]
  for number in calls.values():
    program += _on_call(number, [_verdict(ALLOW)])
  for number, body in conditions.items():
    program += _on_call(number, body)
  program.append(_error(errno.EPERM))
  return b''.join(struct.pack('<HBBI', *step) for step in program)  # struct sock_filter


_SHARED = {
    OPENAT: [_argument(2), (IF_ANY_BIT, 0, 1, WRITING), _error(errno.EROFS), _verdict(ALLOW)],
    FCNTL: _if_one_of(1, DESCRIPTOR_ONLY),  # No F_SETOWN: it sends signals. No F_SETFL, F_SETLK.
    FUTEX: _if_one_of(1, PRIVATE_FUTEX),
    CLOCK_GETRES: _if_one_of(0, CLOCKS),
    CLOCK_NANOSLEEP: _if_one_of(0, CLOCKS),
    IOCTL: [_error(errno.ENOTTY)],  # As a pipe answers.
    CLONE3: [_error(errno.ENOSYS)],  # Its flags lie in memory, unseen: the C library uses clone.
}


def snippet() -> bytes:
  """The filter of the child that runs a job: installed by the child itself, permanently."""
  # prlimit64 reads limits, of itself: a limit lowered would look like the machine's doing.
  read_own = _if_zero(_argument(0), _argument(2), _argument(2, high=True))
  return _assemble(
      SNIPPET, _SHARED | {PRLIMIT: read_own, CLOCK_GETTIME: _if_one_of(0, CLOCKS)})


def warm() -> bytes:
  """The filter of the warm interpreter, from before its first instruction."""
  return _assemble(SNIPPET | WARM, _SHARED | {PRLIMIT: _if_zero(_argument(0))})
