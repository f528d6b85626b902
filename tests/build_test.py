"""BUILD.md against the sources: all files and their imports declared, all in one direction."""

import ast
import importlib.metadata
import pathlib
import re

from absl.testing import absltest, parameterized

import datasets
from tests import small_repository

PACKAGES = ('haiku_spectral', 'datasets', 'binaries', 'tests')
REGISTERS = '//datasets:__init__'  # Tells TFDS of the builders, and imports none before it asks.


def is_module(root: pathlib.Path, name: str) -> bool:
  """Whether a dotted name is a file of the repository."""
  return name.split('.')[0] in PACKAGES and (root / (name.replace('.', '/') + '.py')).is_file()


def label(name: str) -> str:
  """'datasets.starter.builder' -> '//datasets/starter:builder'."""
  return '//' + ':'.join(name.replace('.', '/').rsplit('/', 1))


def imports(root: pathlib.Path, tree: ast.Module) -> set[str]:
  """The modules that a file imports, at its top or inside a function, as labels."""
  names = set()
  for node in ast.walk(tree):
    if isinstance(node, ast.Import):
      names |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom) and node.module:
      names |= {node.module, *(f'{node.module}.{alias.name}' for alias in node.names)}
  return {label(name) for name in names if is_module(root, name)}


def mentions(root: pathlib.Path, tree: ast.Module) -> set[str]:
  """The modules that a file names in strings, to import or run them later, as labels."""
  prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
  texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)
           and isinstance(node.value, str) and id(node) not in prose]
  paths = re.findall(r'([\w/]+)\.py\b', ' '.join(texts))
  names = [*texts, *(path.replace('/', '.') for path in paths)]
  return {label(name) for name in names
          if is_module(root, name) and not name.endswith('.__init__')}


def declarations(root: pathlib.Path) -> dict[str, tuple[set[str], set[str]]]:
  """What BUILD.md declares: of each target its imports, and what it uses when it runs."""
  status, output = small_repository.make(root, 'graph')
  if status:
    raise ValueError(output)
  declared = {}
  for line in output.splitlines():
    wanted, _, used = line.partition(' | ')
    target, *deps = wanted.split()
    declared[target] = set(deps), set(used.split())
  return declared


def data_files(root: pathlib.Path) -> set[str]:
  """The files that BUILD.md declares as part of some target."""
  listing = 'files: ; $(foreach t,$(TARGETS),$(foreach f,$(FILES.$t),$(info $f)))@:'
  return set(small_repository.make(root, f'--eval={listing}', 'files').output.splitlines())


def mistakes(root: pathlib.Path) -> list[str]:
  """All that BUILD.md says of the sources in `root` and that is not so, a line each."""
  found, declared = [], declarations(root)
  for path in sorted(path for package in PACKAGES for path in (root / package).rglob('*.py')):
    name = label(str(path.relative_to(root).with_suffix('')))
    tree = ast.parse(path.read_text(encoding='utf-8'))
    if path.name == '__init__.py':
      if name != REGISTERS and any(not isinstance(node, ast.Expr) for node in tree.body):
        found.append(f'{name} holds more than a docstring, which would run unseen')
      continue
    deps, used = declared.get(name, (set(), set()))
    if name not in declared:
      found.append(f'{name} is not declared')
    found += [f'{name} imports {dep}, undeclared' for dep in sorted(imports(root, tree) - deps)]
    found += [f'{name} does not import {dep}' for dep in sorted(deps - imports(root, tree))]
    found += [f'{name} names {dep} in a string: declare it as data'
              for dep in sorted(mentions(root, tree) - deps - used - {name})]
  data = data_files(root)
  others = [path.relative_to(root).as_posix() for package in PACKAGES
            for path in (root / package).rglob('*') if path.is_file()]
  found += [f'{name} is data of no target' for name in sorted(others)
            if not name.endswith(('.py', '.pyc')) and name not in data]
  return found


class RepositoryTest(absltest.TestCase):

  def test_build_file_tells_the_truth(self):
    found = mistakes(small_repository.ROOT)
    if found:
      self.fail('\n'.join(['mend BUILD.md:', *found]))

  def test_datasets_is_ours(self):
    self.assertEqual(pathlib.Path(datasets.__file__).parent, small_repository.ROOT / 'datasets')
    with self.assertRaises(importlib.metadata.PackageNotFoundError):
      importlib.metadata.distribution('datasets')


class MistakesTest(small_repository.SmallRepositoryTestCase):
  """That the test above would fail."""

  def test_small_repository_has_none(self):
    self.assertEmpty(mistakes(self.root))

  @parameterized.parameters(
      'from haiku_spectral.modules import sky',
      'import haiku_spectral.modules.sky as above',
      'from haiku_spectral.modules.sky import VALUE as HEIGHT',
      'def lazily():\n  from haiku_spectral.modules import sky\n  return sky',
  )
  def test_undeclared_import(self, line: str):
    self.append('haiku_spectral/modules/sea.py', line)
    self.assertEqual(mistakes(self.root), [
        '//haiku_spectral/modules:sea imports //haiku_spectral/modules:sky, undeclared'])

  @parameterized.parameters(
      "COMMAND = ['python', '-m', 'haiku_spectral.modules.sky']",
      "PRESET = '--config=haiku_spectral/modules/sky.py'",
  )
  def test_undeclared_use(self, line: str):
    self.append('haiku_spectral/modules/sea.py', line)
    self.assertEqual(mistakes(self.root), [
        '//haiku_spectral/modules:sea names //haiku_spectral/modules:sky in a string: '
        'declare it as data'])

  def test_declared_and_not_imported(self):
    self.write('haiku_spectral/modules/sea.py', '')
    self.assertEqual(mistakes(self.root), [
        '//haiku_spectral/modules:sea does not import //haiku_spectral/ops:wave'])

  def test_undeclared_file(self):
    self.write('datasets/sand.py', '')
    self.assertEqual(mistakes(self.root), ['//datasets:sand is not declared'])

  def test_undeclared_data(self):
    self.write('tests/tide.txt', '')
    self.assertEqual(mistakes(self.root), ['tests/tide.txt is data of no target'])

  def test_package_that_imports(self):
    self.write('haiku_spectral/ops/__init__.py', 'from haiku_spectral.ops import wave')
    self.assertLen(mistakes(self.root), 1)


class DirectionTest(small_repository.SmallRepositoryTestCase):

  def test_import_against_the_direction(self):
    self.append('haiku_spectral/ops/wave.py', 'from haiku_spectral.modules import sky\n')
    self.assertEqual(mistakes(self.root), [
        '//haiku_spectral/ops:wave imports //haiku_spectral/modules:sky, undeclared'])
    self.write('BUILD.md', '')
    self.declare('py_library, //haiku_spectral/modules:sky',
                 'py_library, //haiku_spectral/ops:wave, //haiku_spectral/modules:sky')
    status, output = self.make('test')
    self.assertNotEqual(status, 0)
    self.assertIn(
        '//haiku_spectral/ops:wave may not import //haiku_spectral/modules:sky: haiku_spectral/ops '
        'imports only from haiku_spectral haiku_spectral/configs haiku_spectral/ops', output)

  @parameterized.parameters(
      ('haiku_spectral/ops/a', 'haiku_spectral/b', True),
      ('haiku_spectral/a', 'haiku_spectral/ops/b', False),
      ('haiku_spectral/modules/a', 'haiku_spectral/ops/b', True),
      ('haiku_spectral/modules/deep/a', 'haiku_spectral/modules/b', True),
      ('haiku_spectral/training/a', 'haiku_spectral/parallel/b', True),
      ('haiku_spectral/training/a', 'haiku_spectral/evaluation/b', False),
      ('haiku_spectral/training/a', 'datasets/b', False),
      ('haiku_spectral/evaluation/a', 'haiku_spectral/training/b', True),
      ('datasets/starter/a', 'datasets/b', True),
      ('datasets/a', 'haiku_spectral/b', True),
      ('datasets/a', 'haiku_spectral/ops/b', False),
      ('binaries/a', 'haiku_spectral/improvement/b', True),
      ('binaries/a', 'datasets/starter/b', True),
      ('binaries/a', 'tests/b', False),
      ('haiku_spectral/ops/a', 'binaries/b', False),
      ('tests/ops/a', 'binaries/b', True),
      ('tests/ops/a', 'tests/b', True),
  )
  def test_layers(self, importer: str, imported: str, allowed: bool):
    self.write(f'{importer}.py', '')
    self.write(f'{imported}.py', '')
    self.declare(f'py_library, {label(imported)}',
                 f'py_library, {label(importer)}, {label(imported)}')
    self.assertEqual(self.make('query').status == 0, allowed)


if __name__ == '__main__':
  absltest.main()
