"""A repository of a few lines with our Makefile, for the tests of the build."""

import os
import pathlib
import re
import subprocess
import sys
import textwrap
from typing import NamedTuple

from absl.testing import parameterized

from binaries import tidy

ROOT = pathlib.Path(__file__).parents[1]
BUILD = """
Prose, and `$(error prose is not read)`.

```make
$(call layer, haiku_spectral)
$(call layer, haiku_spectral/ops)
$(call layer, haiku_spectral/modules)
$(call layer, haiku_spectral/sandbox, haiku_spectral/sandbox)
$(call layer, haiku_spectral/training)
$(call layer, datasets, haiku_spectral //haiku_spectral/training:record datasets)
$(call layer, binaries)
$(call layer, tests)
include imports.mk
$(call data, //tests:shore_test, tests/shore.txt)
```
"""
SOURCES = {
    'haiku_spectral/ops/wave': 'VALUE = 3\n',
    'haiku_spectral/modules/sea': 'from haiku_spectral.ops import wave\nVALUE = wave.VALUE\n',
    'haiku_spectral/modules/sky': 'VALUE = 3\n',
    'tests/wave_test': 'from haiku_spectral.ops import wave\nSEEN = wave.VALUE\n',
    'tests/sea_test': 'from haiku_spectral.modules import sea\nSEEN = sea.VALUE\n',
    'tests/sky_test': 'from haiku_spectral.modules import sky\nSEEN = sky.VALUE\n',
    'tests/shore_test': "SEEN = int(open('tests/shore.txt').read())\n",
}
TEST = textwrap.dedent("""
    import unittest
    class Test(unittest.TestCase):
      def test(self):
        self.assertEqual(SEEN, 3)
    if __name__ == '__main__':
      unittest.main()
""")


class Outcome(NamedTuple):
  """What a run of make came to."""

  status: int
  output: str  # stdout and stderr together.

  @property
  def results(self) -> dict[str, str]:
    """{'sea': 'PASSED', 'sky': '(cached) PASSED', ...} of the tests in the output."""
    lines = re.findall(r'^(.*(?:PASSED|FAILED|SKIPPED)) //tests:(\w+)_test', self.output, re.M)
    return {name: result for result, name in lines}


def environment() -> dict[str, str]:
  """That of this process, without the settings of the make that runs it."""
  return {k: v for k, v in os.environ.items() if not k.startswith(('MAKE', 'OPENBLAS_'))}


def make(root: pathlib.Path, *arguments: str) -> Outcome:
  """Runs make with this Python."""
  done = subprocess.run(
      ['make', f'PY={sys.executable}', *arguments], cwd=root, env=environment(), text=True,
      check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
  return Outcome(done.returncode, done.stdout)


class SmallRepositoryTestCase(parameterized.TestCase):
  """Each test has a small repository, in `root`."""

  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)
    for name in ('Makefile', 'requirements.txt', 'requirements-dev.txt', 'binaries/tidy.py',
                 'run'):
      self.write(name, (ROOT / name).read_text(encoding='utf-8'))
    (self.root / 'run').chmod(0o755)
    self.write('BUILD.md', BUILD)
    self.write('tests/shore.txt', '3\n')
    for name, text in SOURCES.items():
      self.write(f'{name}.py', text + TEST * name.endswith('_test'))
    self.tidy()

  def write(self, name: str, text: str):
    path = self.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding='utf-8')

  def append(self, name: str, text: str):
    with (self.root / name).open('a', encoding='utf-8') as file:
      file.write(text)

  def tidy(self):
    """What `make tidy` does, without a process."""
    self.write('imports.mk', tidy.declarations(self.root))

  def declare(self, *calls: str):
    """Adds calls such as 'tags, //a:b, slow' to BUILD.md."""
    self.append('BUILD.md', '\n'.join(['', '```make', *(f'$(call {c})' for c in calls), '```', '']))

  def make(self, *arguments: str) -> Outcome:
    return make(self.root, *arguments)

  def deps(self, label: str) -> list[str]:
    """All that a target needs, by make, once tidy has been run."""
    self.tidy()
    status, output = self.make('query', f'deps={label}')
    self.assertEqual(status, 0, output)
    return output.split()
