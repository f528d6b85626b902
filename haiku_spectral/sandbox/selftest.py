"""Whether a sandbox holds, found out before anything is run in it. What gives way is refused.

A set-up can fail in silence: a filter that is not loaded looks exactly like one that is. So
probe.py tries, inside, what a snippet must not be able to do, and the host looks at canaries of its
own.
"""

import contextlib
import os
import pathlib
import secrets
import socket
import tempfile
from collections.abc import Callable

from haiku_spectral.sandbox import probe, result, worker

PROBE = pathlib.Path(probe.__file__).read_text(encoding='utf-8')
LIMITS = result.Limits(cpu_seconds=7.0, wall_seconds=30.0, memory_bytes=192 << 20)
# System calls that are on no list and ask for nothing that needs a privilege: getpgid, getpriority,
# sched_getparam, keyctl, setitimer, socket, memfd_create, userfaultfd, bpf, perf_event_open,
# io_uring_setup, unshare, ptrace, process_vm_writev, pidfd_send_signal, mount, chroot, kill.
CALLS = [121, 140, 143, 250, 38, 41, 319, 323, 321, 298, 425, 272, 101, 311, 424, 165, 161, 62]

Run = Callable[[str, tuple], result.ExecResult]  # A function of probe.py, its arguments.


def check(run: Run, kind: str) -> None:
  """Raises Unavailable when a canary is reached, and when the sandbox does not work at all."""

  def refuse(what: object) -> None:
    raise result.Unavailable(
        f'The sandbox {kind} does not hold: {what}. Nothing is run in it. '
        f'{worker.KINDS[kind].HINT}.')

  def ask(function: str, *args: object) -> result.ExecResult:
    outcome = run(function, args)
    if outcome.status is result.Status.INFRASTRUCTURE:
      raise result.Unavailable(outcome.error)
    return outcome

  def expect(wanted: object, what: str, function: str, *args: object) -> None:
    outcome = ask(function, *args)
    if outcome.status is not result.Status.OK or outcome.value != wanted:
      refuse(f'{what}: {outcome.value or outcome.error!r}')

  expect(42, 'it does not even compute', 'double', 21)
  expect([], 'seccomp is not applied', 'call', CALLS)
  _files(ask, expect, refuse)
  _sockets(expect, refuse)
  expect([], 'a snippet has processes or reaches them', 'multiply')
  expect({'environment': [], 'descriptors': ['0', '1', '2', '3'],
          'limits': [(15, 16), (LIMITS.memory_bytes,) * 2, (0, 0), (16, 16)]},
         'a snippet is not confined', 'surroundings')


def _files(ask: Callable, expect: Callable, refuse: Callable) -> None:
  nonce = secrets.token_bytes(16)
  with tempfile.TemporaryDirectory() as folder:
    canary = pathlib.Path(folder, 'canary')
    canary.write_bytes(nonce)
    if ask('read', str(canary)).value == nonce:
      refuse('a snippet read a file of the host')
    expect([], 'a snippet writes files', 'write', [str(canary), f'{folder}/new', '/new', 'new'])
    if canary.read_bytes() != nonce or os.listdir(folder) != ['canary']:
      refuse('a snippet wrote a file of the host')


def _sockets(expect: Callable, refuse: Callable) -> None:
  with contextlib.ExitStack() as stack:
    remote = stack.enter_context(socket.create_server(('127.0.0.1', 0)))
    local = stack.enter_context(socket.socket(socket.AF_UNIX))
    name = f'\0{secrets.token_hex(8)}'  # Abstract: seen by all who share the network namespace.
    local.bind(name)
    local.listen()
    expect([], 'a snippet has sockets', 'connect', remote.getsockname()[1], name)
    for listener in (remote, local):
      listener.setblocking(False)
      with contextlib.suppress(BlockingIOError):
        listener.accept()
        refuse('a snippet reached a socket of the host')
