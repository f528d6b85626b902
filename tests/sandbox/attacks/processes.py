"""At other processes, and at becoming many."""

import ctypes
import os
import signal
import time

libc = ctypes.CDLL(None, use_errno=True)


def fork_many(world):
  for _ in range(50):
    if not os.fork():
      time.sleep(5)
      os._exit(0)
  return True


def threads_many(world):
  import threading
  for _ in range(50):
    threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
  return True


def become_a_daemon(world):
  if not os.fork():
    os.setsid()
    if not os.fork():
      time.sleep(10)
    os._exit(0)
  return True


def leave_grandchildren_and_spin(world):
  for _ in range(2):
    if not os.fork():
      time.sleep(10)
      os._exit(0)
  while True:
    pass


def clone_by_number(world):
  empty = (ctypes.c_uint64 * 11)()
  empty[4] = signal.SIGCHLD  # exit_signal
  for number, args in ((56, (signal.SIGCHLD, 0, 0, 0, 0)), (57, ()), (435, (empty, 88))):
    process = libc.syscall(number, *args)
    if process == 0:
      os._exit(0)
    if process > 0:
      return number
  return None


def spawn(world):
  return os.posix_spawn('/bin/true', ['true'], {})


def run_shell(world):
  import subprocess
  return subprocess.run(['/bin/sh', '-c', 'echo out'], capture_output=True, check=True).stdout


def become_a_shell(world):
  os.execv('/bin/sh', ['sh', '-c', f'touch {world["folder"]}/shell'])


def execute_from_memory(world):
  descriptor = os.memfd_create('program')
  os.write(descriptor, b'#!/bin/sh\n')
  os.execve(descriptor, ['x'], {})


def load_a_library_of_the_host(world):
  return ctypes.CDLL('/usr/lib/x86_64-linux-gnu/libcrypt.so.1')


def kill_victim(world):
  os.kill(world['victim'], signal.SIGKILL)
  return True


def signal_the_host(world):
  for process in (world['host'], -world['host'], os.getppid(), 0, 1):
    try:
      os.kill(process, signal.SIGUSR2)
      return process or 'group'
    except OSError:
      pass
  return None


def address_everybody(world):
  os.kill(-1, 0)
  return True


def signal_by_number(world):
  victim, number = world['victim'], signal.SIGKILL
  information = ctypes.create_string_buffer(128)
  return [call for call, args in (
      (200, (victim, number)), (234, (victim, victim, number)),
      (129, (victim, number, information)), (297, (victim, victim, number, information)),
      (424, (0, number, None, 0)), (434, (victim, 0)))
      if libc.syscall(call, *args) >= 0]


def signal_by_descriptor_owner(world):
  import fcntl
  fcntl.fcntl(1, fcntl.F_SETOWN, world['victim'])
  return True


def trace_victim(world):
  if libc.ptrace(16, world['victim'], None, None) == 0:  # PTRACE_ATTACH
    return True
  return libc.ptrace(0x4206, world['victim'], None, None) == 0  # PTRACE_SEIZE


def trace_parent(world):
  parent = os.getppid()
  return [how for how in (16, 0x4206) if libc.ptrace(how, parent, None, None) == 0]


def memory_of_others(world):
  data = ctypes.create_string_buffer(8)
  local = (ctypes.c_uint64 * 2)(ctypes.addressof(data), 8)
  remote = (ctypes.c_uint64 * 2)(id(world), 8)
  return [(call, process) for call in (310, 311) for process in (os.getppid(), world['victim'])
          if libc.syscall(call, process, local, 1, remote, 1, 0) > 0]


def slow_others_down(world):
  limits = (ctypes.c_uint64 * 2)(1, 1)
  mask, parameters = ctypes.c_uint64(1), ctypes.c_int(0)
  for process in (os.getppid(), world['victim']):
    if (libc.setpriority(0, process, 19) == 0
        or libc.syscall(203, process, 8, ctypes.byref(mask)) >= 0  # sched_setaffinity
        or libc.sched_setscheduler(process, 5, ctypes.byref(parameters)) == 0
        or libc.syscall(302, process, 7, limits, None) == 0  # prlimit64
        or libc.syscall(251, 1, process, 0) == 0):  # ioprio_set
      return process
  return None


def stop_all_of_own_user(world):
  return libc.setpriority(2, 0, 19) == 0


def leave_the_group(world):
  os.setpgid(0, 0)
  return True


def leave_the_session(world):
  os.setsid()
  return True


def shared_memory(world):
  return libc.shmget(0x5BEEF, 4096, 0o1666) >= 0 or libc.msgget(0x5BEEF, 0o1666) >= 0


def timers(world):
  signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
  return True
