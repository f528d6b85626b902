"""At becoming root, new worlds, and the parts of the kernel that nobody here needs."""

import ctypes
import mmap
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)


def become_root(world):
  os.setresuid(0, 0, 0)
  return True


def have_capabilities(world):
  header, sets = struct.pack('<Ii', 0x20080522, 0), ctypes.create_string_buffer(24)
  return libc.capget(header, sets) == 0 and any(sets.raw)


def mount(world):
  return libc.mount(b'none', world['folder'].encode(), b'tmpfs', 0, b'size=64k') == 0


def mount_by_number(world):
  return [call for call in (428, 429, 430, 432, 155, 166) if libc.syscall(call, 0, 0, 0, 0) >= 0]


def new_namespaces(world):
  return [flag for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000) if libc.unshare(flag) == 0]


def enter_namespace(world):
  return libc.setns(3, 0) == 0


def change_root(world):
  os.chroot('/py')
  return True


def rename_the_host(world):
  return libc.sethostname(b'pwned', 5) == 0


def raise_limits(world):
  import resource
  raised = []
  for kind in range(resource.RLIMIT_CPU, resource.RLIMIT_AS + 1):
    try:
      resource.setrlimit(kind, (resource.RLIM_INFINITY,) * 2)
      raised.append(kind)
    except (OSError, ValueError):
      pass
  return raised


def lower_limits_to_be_killed(world):
  """A SIGKILL would look like the machine's doing, and have the job repeated."""
  import resource
  resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
  while True:
    pass


def unfilter(world):
  allow = struct.pack('<HBBI', 6, 0, 0, 0x7FFF0000)
  class Program(ctypes.Structure):
    _fields_ = (('length', ctypes.c_ushort), ('code', ctypes.c_char_p))
  program = Program(1, allow)
  return (libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0 or libc.prctl(22, 0, 0, 0, 0) == 0
          or libc.syscall(317, 1, 0, ctypes.byref(program)) == 0)


def be_traceable(world):
  return [option for option in (4, 0x59616D61, 1, 36) if libc.prctl(option, 1, 0, 0, 0) == 0]


def _run_machine_code(code):
  memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
  memory.write(code)
  address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
  return ctypes.CFUNCTYPE(ctypes.c_long)(address)()


def system_calls_of_i386(world):
  # mov eax, 20 (getpid there, writev here); int 0x80; ret
  return _run_machine_code(b'\xb8\x14\x00\x00\x00\xcd\x80\xc3') > 0


def system_calls_of_x32(world):
  # mov eax, 0x40000027 (getpid); syscall; ret
  return _run_machine_code(b'\xb8\x27\x00\x00\x40\x0f\x05\xc3') > 0


def high_bits_of_arguments(world):
  flags = ctypes.c_uint64(1 << 32 | os.O_RDWR)
  return (libc.syscall(257, ctypes.c_long(-100), world['canary'].encode(), flags, 0) >= 0
          or libc.syscall(302, ctypes.c_uint64(1 << 32 | world['victim']), 7, 0, 0) == 0)


def every_call_on_no_list(world):
  """Calls with arguments that they cannot like: EPERM comes from the filter, another error not."""
  answered = {16, 257, 435}  # ioctl, openat, clone3: with errors of their own.
  debugging = {335, 336}  # uretprobe and uprobe: the kernel lets them pass, and sends SIGILL.
  passed = []
  for number in sorted(set(range(470)) - set(world['listed']) - answered - debugging):
    ctypes.set_errno(0)
    if libc.syscall(number, *[ctypes.c_long(-1)] * 6) >= 0 or ctypes.get_errno() != 1:
      passed.append(number)
  return passed


def rare_parts_of_the_kernel(world):
  """io_uring, bpf, perf, userfaultfd, keyrings, timers, memfd, futex2, personality, LDT."""
  page = ctypes.create_string_buffer(512)
  calls = {425: (4, page), 321: (0, page, 72), 298: (page, 0, -1, -1, 0), 323: (0,),
           250: (0, -5, 1), 248: (b'user', b'x', b'y', 1, -5), 283: (1, 0), 319: (b'x', 0),
           449: (page, 0), 135: (0,), 154: (0, page, 16), 172: (3,), 447: (0,), 284: (0, 0)}
  return [number for number, args in calls.items() if libc.syscall(number, *args) >= 0]
