"""Everything that a snippet may try, and that nothing comes of it."""

import inspect
import os
import pathlib
import time
import types

from absl.testing import absltest, parameterized

from haiku_spectral.sandbox import result, sandbox
from tests.sandbox import canaries
from tests.sandbox.attacks import (
  files,
  network,
  pool,
  privileges,
  processes,
  resources,
  traces,
  values,
)

LIMITS = result.Limits(cpu_seconds=0.5, wall_seconds=30.0)
WIDE = result.Limits(cpu_seconds=2.0, wall_seconds=30.0, output_bytes=result.MAX_OUTPUT)
HASTE = result.Limits(cpu_seconds=1.0, wall_seconds=0.5)  # For those that wait for the clock.
# Of processor time that a job may cost the host: 0.1 are promised, and a busy machine counts more.
MAX_HOST_SECONDS = 0.5
CLEAN = 'def f(items):\n  return sorted(items)'
# Landlock guards what is in files and folders, not that they are there: docs/security.md.
LEAKS_OF_LANDLOCK = {'learn_that_canary_exists', 'learn_where_a_symlink_leads'}
# What a limit has to end, and which: a status that is merely not OK would hide a limit never set.
ENDINGS = {
    'spin': 'timeout_cpu', 'spin_in_c': 'timeout_cpu', 'spin_in_a_pattern': 'timeout_cpu',
    'memory_of_a_list_of_itself': 'memory', 'spin_deaf_to_signals': 'timeout_cpu',
    'spin_past_the_limit_and_return': 'timeout_cpu', 'sleep': 'timeout_wall',
    'wait_for_nothing': 'timeout_wall', 'close_everything_and_wait': 'timeout_wall',
    'flood_stdout': 'output_limit', 'flood_stderr': 'output_limit',
    'flood_the_answer': 'output_limit', 'answer_at_length': 'output_limit', 'crash': 'signal',
    'abort': 'signal', 'end_as_a_failed_set_up_does': 'exit', 'kill_victim': 'exception',
    'replace_the_writer': 'exception', 'return_an_equal_to_everything': 'exception',
    'return_code_for_the_host': 'exception', 'system_calls_of_i386': 'signal',
    'system_calls_of_x32': 'signal', 'trace_parent': 'ok', 'every_call_on_no_list': 'ok'}


def attacks(*modules: types.ModuleType) -> list[tuple[str, str, types.ModuleType]]:
  """Name of the case, function, module."""
  return [(f'_{module.__name__.rpartition(".")[2]}_{name}', name, module)
          for module in modules for name, _ in inspect.getmembers(module, inspect.isfunction)
          if not name.startswith('_')]


ENDINGS |= {name: 'exception' for _, name, _ in attacks(values)}
ALL = attacks(files, network, processes, privileges, resources, pool, traces, values)


class Attacked(parameterized.TestCase):
  """A sandbox under attack, with the host's canaries around it."""

  kind: str

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.canaries = cls.enterClassContext(canaries.Canaries())
    cls.box = cls.enterClassContext(sandbox.Sandbox(cls.kind, workers=1, hash_seeds=(0,)))

  def attack(self, name: str, module: types.ModuleType) -> result.ExecResult:
    """Runs it; fails if it gained anything, or if the next job suffers from it."""
    source = pathlib.Path(module.__file__).read_text(encoding='utf-8')
    before, start = canaries.descendants(os.getpid()), time.monotonic()
    limits = HASTE if ENDINGS.get(name) == 'timeout_wall' else LIMITS
    limits = WIDE if module is values else limits
    processor = time.process_time()
    outcome = self.box.run(source, name, (self.canaries.world,), limits)
    self.assertLess(time.process_time() - processor, MAX_HOST_SECONDS)
    self.assertLess(time.monotonic() - start, limits.wall_seconds + 5)
    self.assertNotEqual(outcome.status, 'infrastructure', outcome.error)
    self.assertFalse(outcome.value, f'{name} gained something')
    self.assertNotIn(self.canaries.nonce, outcome.stdout + outcome.error.replace(
        str(self.canaries.folder), '').replace(f'/{self.canaries.nonce}', ''))
    self.assertLessEqual(len(outcome.stdout), LIMITS.output_bytes)
    self.assertLessEqual(len(outcome.error), result.MAX_ERROR)
    self.assertEqual(self.canaries.breaches(), [])
    # The same processes: nothing was left behind, and the warm interpreter is the one it was.
    self.assertEqual(canaries.descendants(os.getpid()), before)
    clean = self.box.run(CLEAN, 'f', ([3, 1, 2],), LIMITS)
    self.assertEqual((clean.status, clean.value), ('ok', [1, 2, 3]), clean.error)
    return outcome


class BubblewrapTest(Attacked):
  kind = 'bwrap'

  @parameterized.named_parameters(ALL)
  def test_contained(self, name: str, module: types.ModuleType):
    outcome = self.attack(name, module)
    self.assertEqual(outcome.status, ENDINGS.get(name, outcome.status), outcome.error)


class LandlockTest(Attacked):
  kind = 'landlock'

  @parameterized.named_parameters(case for case in ALL if case[1] not in LEAKS_OF_LANDLOCK)
  def test_contained(self, name: str, module: types.ModuleType):
    outcome = self.attack(name, module)
    self.assertEqual(outcome.status, ENDINGS.get(name, outcome.status), outcome.error)

  @parameterized.named_parameters(case for case in ALL if case[1] in LEAKS_OF_LANDLOCK)
  def test_known_leak(self, name: str, module: types.ModuleType):
    with self.assertRaisesRegex(AssertionError, 'gained something'):
      self.attack(name, module)


class ListTest(absltest.TestCase):

  def test_at_least_a_hundred(self):
    self.assertGreaterEqual(len(ALL), 100)
    self.assertLen({name for _, name, _ in ALL}, len(ALL))
    self.assertContainsSubset(ENDINGS, {name for _, name, _ in ALL})


if __name__ == '__main__':
  absltest.main()
