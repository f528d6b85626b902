"""The kind `landlock`: one layer instead of two, for machines where user namespaces are forbidden.

The process stays in the host's namespaces. Landlock leaves it the standard library to read; the
filter of system calls and the limits are those of `bwrap`. Known leak: untrusted code learns which
files of the host exist, how large and how old they are (stat), for Landlock guards what is in files
and folders, not that they are there.
"""

import os

from haiku_spectral.sandbox import landlock_rules, runtime, seccomp_filter

HINT = ('Landlock needs Linux 5.13 or later with landlock in the list of security modules '
        '(/sys/kernel/security/lsm); --sandbox=bwrap is the stronger kind')


def _readable() -> list[tuple[str, int]]:
  """The standard library without what is installed beside it, and the libraries."""
  python = runtime.find()
  file, folder = landlock_rules.READ_FILE, landlock_rules.READ_DIRECTORY
  paths = [(path, file) for path in python.libraries.values()]
  paths.append((python.standard, folder))  # Names only.
  with os.scandir(python.standard) as entries:
    paths += [(entry.path, file) for entry in entries if entry.name not in runtime.FOREIGN]
  return paths


def launch(hash_seed: int, filter_fd: int) -> runtime.Launch:
  """A warm interpreter that puts itself behind the filter, after Landlock."""
  del filter_fd
  environment = runtime.environment(hash_seed, str(runtime.ROOT))
  command = [runtime.find().executable, *runtime.FLAGS, str(runtime.PROGRAM)]
  settings = {'readable': _readable(), 'hidden': [str(runtime.ROOT)],
              'warm': seccomp_filter.warm()}
  return runtime.Launch(command, environment, settings)


def weaknesses(process: int) -> list[str]:
  """Nothing that the host could see: there are no namespaces and no mounts of its own."""
  del process
  return []
