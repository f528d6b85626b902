"""What an attack would touch on the host, and whether it did: evidence that no snippet forges."""

import contextlib
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from typing import Any, Self

import absl

from haiku_spectral.sandbox import runtime, seccomp_filter

LITTERED = ('/tmp', '/var/tmp', '/dev/shm', '/run', '/')


def descendants(process: int) -> set[int]:
  """All processes below one, living or not yet buried."""
  parents = {}
  for path in pathlib.Path('/proc').glob('[0-9]*/stat'):
    with contextlib.suppress(OSError):  # Gone meanwhile.
      name, _, rest = path.read_text().rpartition(')')
      parents[int(name.split(' ')[0])] = int(rest.split()[1])
  found, todo = set(), {process}
  while todo:
    todo = {child for child, parent in parents.items() if parent in todo} - found
    found |= todo
  return found


class Canaries(contextlib.ExitStack):
  """Files, listeners and a victim of the host; what a snippet knows of them is `world`."""

  def __enter__(self) -> Self:
    super().__enter__()
    self.nonce = secrets.token_hex(12)
    self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
    self.folder.chmod(0o777)  # Nothing but the sandbox keeps anybody out.
    self.canary = self.folder / 'canary'
    self.canary.write_text(self.nonce)
    self.canary.chmod(0o666)
    self.link = self.folder / 'symlink'
    self.link.symlink_to(self.canary)
    self.descriptor = os.open(self.canary, os.O_RDWR)
    os.set_inheritable(self.descriptor, True)
    self.callback(os.close, self.descriptor)
    self.victim = subprocess.Popen([sys.executable, '-S', '-c', 'input()'], stdin=subprocess.PIPE)
    self.callback(self.victim.wait)
    self.callback(self.victim.kill)
    self.callback(self.victim.stdin.close)
    self.signals: list[int] = []
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGIO):
      self.callback(signal.signal, number, signal.signal(number, self._note))
    self.tcp = self.enter_context(socket.create_server(('127.0.0.1', 0)))
    self.udp = self.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    self.udp.bind(('127.0.0.1', 0))
    self.unix, self.abstract = (self._listen(name) for name in (
        str(self.folder / 'socket'), f'\0{self.nonce}'))
    for listener in (self.tcp, self.udp, self.unix, self.abstract):
      listener.setblocking(False)
    self.before = self._state()
    return self

  @property
  def world(self) -> dict[str, Any]:
    packages = [str(pathlib.Path(absl.__file__).parents[1]), str(runtime.ROOT)]
    return {
        'nonce': self.nonce, 'folder': str(self.folder), 'canary': str(self.canary),
        'symlink': str(self.link), 'source': __file__, 'packages': packages,
        'tcp': self.tcp.getsockname()[1], 'udp': self.udp.getsockname()[1],
        'unix': str(self.folder / 'socket'), 'abstract': f'\0{self.nonce}',
        'victim': self.victim.pid, 'host': os.getpid(),
        'listed': sorted(seccomp_filter.SNIPPET.values())}

  def breaches(self) -> list[str]:
    """What was touched, since the beginning."""
    found = [f'signal {number}' for number in self.signals]
    for name, listener in (('tcp', self.tcp), ('unix', self.unix), ('abstract', self.abstract)):
      with contextlib.suppress(BlockingIOError):
        listener.accept()
        found.append(f'a connection to {name}')
    with contextlib.suppress(BlockingIOError):
      found.append(f'a datagram: {self.udp.recv(100)!r}')
    found += [f'a file {folder}/{self.nonce}' for folder in LITTERED
              if os.path.lexists(f'{folder}/{self.nonce}')]
    after = self._state()
    return found + [f'{name}: {self.before[name]} became {after[name]}' for name in after
                    if after[name] != self.before[name]]

  def _state(self) -> dict[str, Any]:
    status = pathlib.Path(f'/proc/{self.victim.pid}/status').read_text()
    canary = self.canary.stat()
    return {
        'the canary': (self.canary.read_text(), canary.st_mode, canary.st_uid, canary.st_mtime),
        'its folder': sorted(os.listdir(self.folder)),
        'the victim': (self.victim.poll(), os.getpriority(os.PRIO_PROCESS, self.victim.pid),
                       os.sched_getaffinity(self.victim.pid), 'TracerPid:\t0\n' in status),
        "the host's own priority": os.getpriority(os.PRIO_PROCESS, 0),
        'mounts': pathlib.Path('/proc/self/mounts').read_text(), 'name': socket.gethostname()}

  def _listen(self, name: str) -> socket.socket:
    listener = self.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(name)
    listener.listen()
    return listener

  def _note(self, number: int, frame: object) -> None:
    del frame
    self.signals.append(number)
