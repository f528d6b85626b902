"""What make promises: results kept by content, failures never, errors that say what to do."""

import signal
import subprocess
import sys

from absl.testing import absltest, parameterized

from tests import small_repository

ALL = {'wave': 'PASSED', 'sea': 'PASSED', 'sky': 'PASSED', 'shore': 'PASSED'}
MAIN = "if __name__ == '__main__':\n"
CACHED = {name: '(cached) PASSED' for name in ALL}


class CacheTest(small_repository.SmallRepositoryTestCase):

  def setUp(self):
    super().setUp()
    status, output = self.first = self.make('test', '-j2')
    self.assertEqual((status, output.splitlines()[-1]), (0, '4 passed, 0 failed'), output)

  def test_touched_files_run_nothing(self):
    self.assertEqual(self.first.results, ALL)
    for path in self.root.rglob('*.*'):
      path.touch()
    again = self.make('test')
    self.assertEqual(again.results, CACHED)
    self.assertEqual(again.output.splitlines()[-1], '4 passed, 0 failed')

  @parameterized.parameters(
      ('haiku_spectral/ops/wave.py', '# A comment.\n', ['wave', 'sea']),
      ('haiku_spectral/modules/sea.py', '# A comment.\n', ['sea']),
      ('haiku_spectral/modules/__init__.py', '', ['sea', 'sky']),
      ('tests/sky_test.py', '# A comment.\n', ['sky']),
      ('tests/shore.txt', '\n', ['shore']),
      ('requirements.txt', '# A comment.\n', list(ALL)),
  )
  def test_changed_file_runs_what_reads_it(self, name: str, text: str, stale: list[str]):
    self.append(name, text)
    self.assertEqual(self.make('test').results, CACHED | dict.fromkeys(stale, 'PASSED'))
    self.assertEqual(self.make('test').results, CACHED)

  def test_failure_is_kept_until_mended(self):
    self.write('haiku_spectral/modules/sky.py', 'VALUE = 4\n')
    for _ in range(2):
      failed = self.make('test')
      self.assertNotEqual(failed.status, 0)
      self.assertEqual(failed.results, CACHED | {'sky': 'FAILED'})
      self.assertIn('AssertionError: 4 != 3', failed.output)
      self.assertIn('\n3 passed, 1 failed\n', failed.output)
    self.write('haiku_spectral/modules/sky.py', 'VALUE = 3\n')
    self.assertEqual(self.make('test').results, CACHED | {'sky': 'PASSED'})


class FailureTest(small_repository.SmallRepositoryTestCase):

  @parameterized.named_parameters(
      ('no_test_ran', '', 60, 'exit code 0'),
      ('killed', 'import os; os.kill(os.getpid(), 9)', 60, 'exit code 137'),
      ('timed_out', 'while True: pass', 1, 'exit code 124'),
      ('exit_code', "print('Ran 1 test in 0s'); raise SystemExit(7)", 60, 'exit code 7'),
  )
  def test_is_a_failure(self, source: str, timeout: int, reason: str):
    self.write('tests/sky_test.py', source)
    failed = self.make('//tests:sky_test', f'TIMEOUT={timeout}')
    self.assertNotEqual(failed.status, 0)
    self.assertEqual(failed.results, {'sky': 'FAILED'})
    self.assertIn(reason, failed.output)

  @parameterized.named_parameters(
      ('target', 'data, //tests:moon_test, tests/shore.txt', '//tests:moon_test is not declared'),
      ('use', 'data, //tests:sky_test, //tests:moon', '//tests:moon is not declared'),
      ('tagged', 'tags, //tests:moon_test, slow', '//tests:moon_test is not declared'),
      ('data', 'data, //tests:sky_test, a.txt', '//tests:sky_test has no data file a.txt'),
      ('requirements', 'environment, //binaries:tidy, moon',
       '//binaries:tidy has no file requirements-moon.txt'),
  )
  def test_wrong_build_file(self, call: str, message: str):
    self.declare(call)
    status, output = self.make('test')
    self.assertNotEqual(status, 0)
    line = (self.root / 'BUILD.md').read_text().splitlines().index(f'$(call {call})') + 1
    self.assertIn(f'BUILD.md:{line}: *** {message}', output)

  @parameterized.parameters(
      (['//tests:moon_test'], 'there is no target //tests:moon_test'),
      (['//moon/...'], 'there is no target //moon/...'),
      (['query', 'deps=//tests:moon_test'], 'there is no target //tests:moon_test'),
      (['help', 'MAKE_VERSION=4.2.1'], 'GNU Make 4.2.1 is too old: 4.3 or newer is needed'),
      (['test', 'PY=.venv/bin/python', 'PYTHON=false'], 'error: no Python >= 3.11'),
      (['tidy', 'PY=.venv/bin/python', 'PYTHON=false'], 'error: no Python >= 3.11'),
  )
  def test_wrong_command(self, arguments: list[str], message: str):
    status, output = self.make(*arguments)
    self.assertNotEqual(status, 0)
    self.assertIn(message, output)


class ChoiceTest(small_repository.SmallRepositoryTestCase):

  def test_slow_tests_wait_to_be_asked_for(self):
    self.write('tests/tide_test.py', 'SEEN = 3\n' + small_repository.TEST)
    self.tidy()
    self.declare('tags, //tests:tide_test, slow')
    self.assertEqual(self.make('test').results, ALL | {'tide': 'SKIPPED'})
    self.assertEqual(self.make('test-slow').results, {'tide': 'PASSED'})
    self.assertEqual(self.make('test', 'SKIP=').results, CACHED | {'tide': '(cached) PASSED'})

  def test_folder_runs_the_tests_that_use_it(self):
    self.assertEqual(self.make('//haiku_spectral/modules/...').results,
                     {'sea': 'PASSED', 'sky': 'PASSED'})
    self.assertEqual(self.make('//tests/...').results,
                     ALL | {'sea': '(cached) PASSED', 'sky': '(cached) PASSED'})

  def test_arguments_reach_a_test_and_run_it_again(self):
    for _ in range(2):
      self.assertIn('test (__main__.Test', self.make('//tests:sky_test', 'ARGS=-v').output)

  def test_binary_gets_arguments_and_settings(self):
    self.write('binaries/show.py', MAIN + '  import os, sys; '
               "print(sys.argv[1:], os.environ['OPENBLAS_NUM_THREADS'], os.environ['PYTHONPATH'])")
    self.tidy()
    status, output = self.make('//binaries:show', "ARGS=--prompt='in a $ word' --steps=3")
    self.assertEqual(status, 0)
    self.assertEqual(output, f"['--prompt=in a $ word', '--steps=3'] 1 {self.root}\n")
    # A newline between arguments would end the command there, and lose the rest without a word.
    status, output = self.make('//binaries:show', 'ARGS=--steps=3\n  --seed=1')
    self.assertEqual((status, output), (0, f"['--steps=3', '--seed=1'] 1 {self.root}\n"))

  def test_binary_with_an_environment_runs_there(self):
    self.write('requirements-sea.txt', '# Nothing to install.\n')
    self.write('binaries/show.py', MAIN + '  import sys; print(sys.prefix)')
    self.tidy()
    self.declare('environment, //binaries:show, sea')
    for announced in (['Installing requirements-sea.txt into .venv-sea ...'], []):
      status, output = self.make('//binaries:show')
      self.assertEqual((status, output.splitlines()),
                       (0, [*announced, str(self.root / '.venv-sea')]))

  def test_query_follows_imports_and_use(self):
    self.write('tests/net_test.py', '')
    self.tidy()
    self.declare('data, //tests:net_test, //haiku_spectral/modules:sea')
    self.assertEqual(self.make('query', 'deps=//tests:net_test').output.split(), [
        '//haiku_spectral/modules:sea', '//haiku_spectral/ops:wave', '//tests:net_test'])
    self.assertEqual(self.make('query', 'rdeps=//haiku_spectral/modules:sea').output.split(), [
        '//haiku_spectral/modules:sea', '//tests:net_test', '//tests:sea_test'])


class RunTest(small_repository.SmallRepositoryTestCase):
  """./run, which ends as the program does: make itself ends with 2 after any failure."""

  def run_program(self, source: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of //binaries:show, started from another folder."""
    self.write('binaries/show.py', f'import os, sys\n{MAIN}  {source}\n')
    self.tidy()
    done = subprocess.run(
        [self.root / 'run', '//binaries:show', *arguments], capture_output=True, text=True,
        check=False, cwd='/', env=small_repository.environment() | {
            'PY': sys.executable, 'MAKELEVEL': '1', 'MAKEFLAGS': 'n -- COMMAND= ARGS=--moon'})
    return done.returncode, done.stdout, done.stderr

  @parameterized.parameters(0, 1, 2, 3, 4, 5, 130)
  def test_exit_code_is_the_programs(self, code: int):
    self.assertEqual(self.run_program(f'sys.exit({code})'), (code, '', ''))

  def test_arguments_arrive_as_given(self):
    arguments = ['--help', "--prompt=a 'b' \"c\" $HOME `x` \\ *", '--text=two\nlines', '', '--']
    self.assertEqual(self.run_program('print(sys.argv[1:])', *arguments),
                     (0, f'{arguments}\n', ''))

  def test_settings_and_folder_are_those_of_make(self):
    source = "print(os.environ['OPENBLAS_NUM_THREADS'], os.environ['PYTHONPATH'], os.getcwd())"
    expected = f'1 {self.root} {self.root}\n'
    self.assertEqual(self.run_program(source), (0, expected, ''))
    self.assertEqual(self.make('//binaries:show').output, expected)

  def test_signal_reaches_the_program(self):
    self.assertEqual(self.run_program('os.kill(os.getpid(), 15)')[0], -signal.SIGTERM)

  @parameterized.parameters(
      ([], 'usage: ./run //binaries:NAME'),
      (['//binaries:moon'], 'there is no target //binaries:moon'),
      (['//haiku_spectral/ops:wave'], '//haiku_spectral/ops:wave is a library'),
  )
  def test_wrong_label(self, arguments: list[str], message: str):
    done = subprocess.run([self.root / 'run', *arguments], capture_output=True, text=True,
                          check=False, env=small_repository.environment() | {'PY': sys.executable})
    self.assertEqual((done.returncode, done.stdout), (2, ''))
    self.assertIn(message, done.stderr)


class InstallationTest(small_repository.SmallRepositoryTestCase):

  def test_failed_installation_is_not_taken_for_whole(self):
    for _ in range(2):  # `true` passes for a Python, but makes no .venv/bin/python.
      status, output = self.make('test', 'PY=.venv/bin/python', 'PYTHON=true')
      self.assertNotEqual(status, 0)
      self.assertIn('Installing requirements.txt into .venv', output)
      self.assertEmpty(list(self.root.glob('.venv/*.ok')))

  def test_failed_addition_is_not_taken_for_whole(self):
    self.write('.venv/run.ok', '')
    status, output = self.make('test', 'PY=.venv/bin/python')
    self.assertNotEqual(status, 0)
    self.assertIn('Installing requirements-dev.txt into .venv', output)
    self.assertEqual([path.name for path in self.root.glob('.venv/*.ok')], ['run.ok'])


if __name__ == '__main__':
  absltest.main()
