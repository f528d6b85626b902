"""The namespaces and mounts of an interpreter, as the host's kernel shows them in /proc.

Nothing inside can forge that, and it shows what a snippet could not: a mount that is hidden, or one
that could be written to if the filter of system calls did not forbid it.
"""

import fcntl
import os
import pathlib
import re

NAMES = ('user', 'ipc', 'pid', 'net', 'uts', 'mnt', 'cgroup')
NS_GET_PARENT = 0xB702  # ioctl_ns(2)
_OCTAL = re.compile(r'\\([0-7]{3})')  # How mountinfo writes blanks.


def child(process: int) -> int:
  """The only child of a process; raises ValueError when there is not one, OSError without /proc."""
  children = pathlib.Path(f'/proc/{process}/task/{process}/children').read_text(encoding='ascii')
  [found] = map(int, children.split())
  return found


def shared(process: int) -> list[str]:
  """What it shares with this process."""
  own = pathlib.Path('/proc/self/ns')
  return [name for name in NAMES if own.joinpath(name).exists()
          and os.path.samefile(own / name, f'/proc/{process}/ns/{name}')]


def is_nested(process: int) -> bool:
  """Whether another user namespace, which allows no more of them, lies around its own."""
  namespace = os.open(f'/proc/{process}/ns/user', os.O_RDONLY)
  parent = fcntl.ioctl(namespace, NS_GET_PARENT)
  found = not os.path.samestat(os.fstat(parent), os.stat('/proc/self/ns/user'))
  os.close(namespace)
  os.close(parent)
  return found


def mounts(process: int | str = 'self') -> dict[str, bool]:
  """Where something is mounted, and whether it can be written to."""
  found: dict[str, bool] = {}
  listing = os.fsdecode(pathlib.Path(f'/proc/{process}/mountinfo').read_bytes())
  for line in listing.splitlines():
    _, _, _, _, point, options, *_ = line.split(' ')
    path = _OCTAL.sub(lambda match: chr(int(match[1], 8)), point)
    found[path] = found.get(path, False) or 'ro' not in options.split(',')
  return found
