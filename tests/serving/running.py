"""The program `serve` in a process of its own: started, asked, ended and killed.

Nothing here needs more than Python, so that tests with packages of their own can use it.
"""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
_LISTENS = re.compile(r'listening at (http://127\.0\.0\.1:(\d+)/)')


def environment():
  """What `make test` gives to tests: compiled programs are kept, and LLVM does not optimise."""
  kept = {name: value for name, value in os.environ.items()
          if name not in ('MAKEFLAGS', 'MAKELEVEL', 'PYTHONPATH')}
  for name, value in (
      ('JAX_COMPILATION_CACHE_DIR', str(ROOT / '.build/jax')),
      ('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '0.3'),
      ('JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES', '-1'),
      ('XLA_FLAGS', '--xla_backend_optimization_level=0')):
    kept.setdefault(name, value)
  return kept


def run(label, *arguments):
  """Runs a program of the repository to its end."""
  subprocess.run([ROOT / 'run', label, *arguments], cwd=ROOT, env=environment(), check=True)


def make_run(folder, steps=0):
  """The folder of a run with a small model."""
  shutil.rmtree(folder, ignore_errors=True)  # Of a run before.
  run('//tests/serving:tiny_run', str(folder), str(steps))
  return folder


class Running:
  """A server process. `flags` are those of the program."""

  def __init__(self, run_dir, *flags, port=0):
    self.process = subprocess.Popen(
        [ROOT / 'run', '//binaries:serve', f'--run_dir={run_dir}', f'--port={port}', *flags],
        cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True)
    self.log = []
    for line in self.process.stderr:
      self.log.append(line)
      if found := _LISTENS.search(line):
        self.url, self.port = found[1], int(found[2])
        return
    raise RuntimeError(''.join(self.log))

  def ask(self, method, path, body=None, headers=None):
    """(status, parsed JSON)."""
    connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=300)
    try:
      connection.request(method, path, json.dumps(body) if body is not None else None,
                         {'Content-Type': 'application/json', **(headers or {})})
      answer = connection.getresponse()
      data = answer.read()
      return answer.status, json.loads(data) if data else None
    finally:
      connection.close()

  def end(self):
    """SIGTERM; returns the exit code and what was said."""
    self.process.send_signal(signal.SIGTERM)
    _, err = self.process.communicate(timeout=120)
    return self.process.returncode, err

  def kill(self):
    """kill -9; does nothing to one that has ended."""
    if self.process.poll() is None:
      self.process.kill()
      self.process.communicate()
