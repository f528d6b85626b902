"""What of this machine's Python a sandbox needs to see: a program, a few libraries, modules."""

import functools
import glob
import os
import pathlib
import platform
import re
import subprocess
import sys
import sysconfig
from typing import NamedTuple

from haiku_spectral.sandbox import interpreter, literals, result

EXTENSIONS = ('_ctypes', '_decimal', 'math', 'zlib')  # Whose libraries come along.
FLAGS = ('-s', '-S', '-B', '-P')  # Not -I: it would ignore PYTHONHASHSEED.
ROOT = pathlib.Path(__file__).parents[2]  # Where this package is imported from.
PROGRAM = pathlib.Path(interpreter.__file__)
MODULES = (PROGRAM, pathlib.Path(literals.__file__))  # Ours, inside.
FOREIGN = ('site-packages', 'dist-packages')  # In the folder of the standard library, not of it.


class Runtime(NamedTuple):
  """Paths on the host."""

  executable: str
  name: str  # 'python3.12'
  loaders: tuple[str, ...]  # Their path is written in the program.
  libraries: dict[str, str]  # By the name under which the loader looks for them.
  standard: str  # Folder of the standard library.


@functools.cache
def find() -> Runtime:
  """The interpreter below the virtual environment, if there is one."""
  executable = os.path.realpath(getattr(sys, '_base_executable', sys.executable))
  standard = sysconfig.get_path('stdlib')
  binaries = [executable]
  for extension in EXTENSIONS:
    binaries += glob.glob(f'{glob.escape(standard)}/lib-dynload/{extension}.*')
  listing = subprocess.run(
      ['ldd', *binaries], capture_output=True, encoding='utf-8', errors='surrogateescape',
      check=False).stdout
  needed = re.findall(r'^\s+(?:(\S+) => )?(/\S+) \(0x', listing, re.MULTILINE)
  return Runtime(
      executable, 'python{}.{}'.format(*sys.version_info), standard=standard,
      loaders=tuple(sorted({path for name, path in needed if not name})),
      libraries={name: os.path.realpath(path) for name, path in sorted(needed) if name})


class Launch(NamedTuple):
  """How a warm interpreter is started."""

  command: list[str]
  environment: dict[str, str]
  settings: dict  # For interpreter.begin.


def environment(hash_seed: int, modules: str) -> dict[str, str]:
  """All that an interpreter inside has of an environment, whatever the host's says."""
  return {'PYTHONHASHSEED': str(hash_seed), 'PYTHONUTF8': '1', 'PYTHONPATH': modules}


def check_machine() -> None:
  """Refuses machines on which the sandbox has not been attacked."""
  if sys.platform != 'linux' or platform.machine() != 'x86_64' or sys.maxsize < 1 << 32:
    raise result.Unavailable(
        f'The sandbox knows 64-bit Linux on x86_64, not {sys.platform} on {platform.machine()}: '
        'its filter lists system calls by number, and its tests have run nowhere else.')
