"""Style and types, as `make lint` checks them. pyproject.toml holds the rules."""

import ast
import pathlib
import subprocess
import sys

from absl.testing import absltest

ROOT = pathlib.Path(__file__).parents[1]


def opens_without_encoding(call: ast.Call) -> bool:
  """Whether a call opens or reads text in an encoding that the locale chooses."""
  name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, 'id', '')
  owner = getattr(getattr(call.func, 'value', None), 'id', '')
  words = {keyword.arg for keyword in call.keywords}
  if {'encoding', None} & words or owner in ('os', 'atomic_file', 'text_files', 'gzip', 'archive'):
    return False
  modes = [node.value for node in (*call.args, *(keyword.value for keyword in call.keywords))
           if isinstance(node, ast.Constant) and isinstance(node.value, str)]
  if name in ('TemporaryFile', 'NamedTemporaryFile'):  # Binary unless a mode is given.
    return bool({'w', 'w+', 'r+', 'a'} & set(modes))
  if name in ('open', 'fdopen'):
    return not any('b' in mode and len(mode) <= 3 for mode in modes)
  reads = isinstance(call.func, ast.Attribute) and name in ('read_text', 'write_text')
  return reads or ('text' in words and owner == 'subprocess')


class LintTest(absltest.TestCase):

  def check(self, *tool: str):
    done = subprocess.run([sys.executable, '-m', *tool], cwd=ROOT, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    self.assertEqual(done.returncode, 0, f'{" ".join(tool)} found:\n{done.stdout}')

  def test_style(self):
    self.check('ruff', 'check', '--quiet', '--output-format=concise', '.')

  def test_types(self):
    self.check('mypy', '--no-error-summary', '--hide-error-context')

  def test_text_is_utf8_whatever_the_locale(self):
    found = [
        f'{path.relative_to(ROOT)}:{node.lineno}: give an encoding'
        for package in ('haiku_spectral', 'datasets', 'binaries')
        for path in sorted((ROOT / package).rglob('*.py'))
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
        if isinstance(node, ast.Call) and opens_without_encoding(node)]
    self.assertEmpty(found)

  def test_the_check_of_encodings(self):
    for line, wrong in (
        ("open('x')", True), ("p.open('a')", True), ('p.read_text()', True),
        ("subprocess.run(c, text=True)", True), ("open('x', 'rb')", False),
        ("p.open('w', encoding='utf-8')", False), ("os.open(p, 1)", False),
      ("t.TemporaryFile('w')", True), ("t.TemporaryFile(dir=p)", False)):
      with self.subTest(line):
        self.assertEqual(opens_without_encoding(ast.parse(line).body[0].value), wrong)


if __name__ == '__main__':
  absltest.main()
