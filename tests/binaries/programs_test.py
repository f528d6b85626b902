"""What holds for every program, read from its source: to start each of them would take minutes."""

import ast
import pathlib
import re

from absl.testing import absltest, parameterized

FOLDER = pathlib.Path(__file__).resolve().parents[2] / 'binaries'
OF_THE_BUILD = ('tidy',)  # Runs before anything is installed.
UNTYPED = re.compile(r'flags\.DEFINE_(integer|float|multi_integer|multi_float)$')
PLACE = re.compile(
    r'(.*_)?(dir|file|folder|path|input|output|out|source|mirror|session|session_info|fork)$')


def calls(name):
  """The calls at the top of a program, as (function, arguments); None for what is no literal."""
  for node in ast.parse((FOLDER / f'{name}.py').read_text(encoding='utf-8')).body:
    value = getattr(node, 'value', None)
    if isinstance(value, ast.Call):
      yield ast.unparse(value.func), [
          each.value if isinstance(each, ast.Constant) else None for each in value.args]


def defined_flags(name):
  """(function, name, ..., help) of each flag that a program names itself."""
  return [(function, *words) for function, words in calls(name)
          if words and ('DEFINE_' in function or 'flag_types.define_' in function)]


MODULES = sorted(path.stem for path in FOLDER.glob('*.py') if path.stem not in OF_THE_BUILD)
PROGRAMS = [name for name in MODULES
            if "__name__ == '__main__'" in (FOLDER / f'{name}.py').read_text(encoding='utf-8')]


class ProgramsTest(parameterized.TestCase):

  def test_there_are_programs(self):
    self.assertContainsSubset({'train', 'sample', 'prepare_data', 'benchmark'}, PROGRAMS)

  @parameterized.parameters(*PROGRAMS)
  def test_is_run_by_the_one_that_knows_how_to_end(self, name):
    last = ast.parse((FOLDER / f'{name}.py').read_text(encoding='utf-8')).body[-1]
    self.assertRegex(ast.unparse(last), r'\n    command_line\.run\((\w+\.)?main\)$')

  @parameterized.parameters(*MODULES)
  def test_flags_of_numbers_and_places_have_types_of_their_own(self, name):
    for function, flag, *_ in defined_flags(name):
      self.assertNotRegex(function, UNTYPED, flag)
      if PLACE.match(str(flag)):
        self.assertIn(function, ('flag_types.define_path', 'flag_types.define_paths'), flag)

  @parameterized.parameters(*MODULES)
  def test_help_is_a_sentence(self, name):
    for _, *words in defined_flags(name):
      described = words[-1]  # None: put together when the program starts.
      if described is not None:
        self.assertRegex(described, r'^\S.*[^.]\.$', words[0])


if __name__ == '__main__':
  absltest.main()
