"""Writes imports.mk: what each module of this repository is, imports and names, for make.

`make tidy` runs it, as gazelle is run for Bazel. It needs no package, so it works before there is a
`.venv`, and it reads nothing but the sources, so a stale imports.mk cannot stop it.
"""

import ast
import pathlib
import re
import sys
import textwrap
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

PACKAGES = ('haiku_spectral', 'datasets', 'binaries', 'tests')
HEADER = '# Each module with its imports and what its strings name. `make tidy` writes this file.\n'


class Module(NamedTuple):
  """One source file. The id a/b/c stands for a/b/c.py."""

  kind: str  # 'py_library', 'py_binary' or 'py_test'.
  imports: frozenset[str]  # Ids of the modules that it imports, at its top or in a function.
  names: frozenset[str]  # Ids of the modules that it names in a string, to run or load them.


def _packages(module: str) -> list[str]:
  """The ids of the packages that hold a module: Python runs each of them before the module."""
  parents = pathlib.PurePosixPath(module).parents
  return [f'{parent}/__init__' for parent in parents if parent.name]


def _ids(names: Iterable[str], known: Collection[str]) -> set[str]:
  """The known modules and packages among dotted names, as ids."""
  paths = [name.replace('.', '/') for name in names]
  return {found for path in paths for found in (path, f'{path}/__init__') if found in known}


def _imported_names(module: str, tree: ast.Module) -> set[str]:
  """All dotted names that may be modules in the import statements of a file."""
  names = set()
  for node in ast.walk(tree):
    if isinstance(node, ast.Import):
      names |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
      here = module.split('/')[:-node.level] if node.level else []
      base = '.'.join([*here, *([node.module] if node.module else [])])
      names |= {base, *(f'{base}.{alias.name}' for alias in node.names)}
  return names


def _quoted_names(tree: ast.Module) -> set[str]:
  """All dotted names that may be modules in the strings of a file, docstrings apart."""
  prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
  texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)
           and isinstance(node.value, str) and id(node) not in prose]
  paths = re.findall(r'([\w/]+)\.py\b', ' '.join(texts))
  return {*texts, *(path.replace('/', '.') for path in paths)}


def _kind(module: str, tree: ast.Module) -> str:
  if module.endswith('_test'):
    return 'py_test'
  guards = [ast.unparse(node.test) for node in tree.body if isinstance(node, ast.If)]
  return 'py_binary' if "__name__ == '__main__'" in guards else 'py_library'


def _read(root: pathlib.Path) -> dict[str, Module]:
  """Every source file in `root` by its id.

  Raises SyntaxError, with file and line, where a file is no Python.
  """
  paths = [path for package in PACKAGES for path in (root / package).rglob('*.py')
           if not path.name.startswith('.')]  # Those are the editors'.
  ids = {path.relative_to(root).with_suffix('').as_posix(): path for path in paths}
  modules = {}
  for module, path in sorted(ids.items()):
    tree = ast.parse(path.read_bytes(), filename=str(path))
    imports = _ids(_imported_names(module, tree), ids) - {module}
    quoted = _ids(_quoted_names(tree), ids) - imports - {module}
    modules[module] = Module(
        _kind(module, tree), frozenset(imports),
        frozenset(name for name in quoted if not name.endswith('/__init__')))
  return modules


def _reach(module: str, modules: Mapping[str, Module]) -> set[str]:
  """A module, and all that it imports, directly or not."""
  found: set[str] = set()
  ahead = [module]
  while ahead:
    here = ahead.pop()
    if here not in found:
      found.add(here)
      ahead += modules[here].imports
  return found


def dependencies(modules: Mapping[str, Module]) -> dict[str, Module]:
  """The modules as make shall know them, with the packages that Python runs on the way.

  An `__init__.py` that imports nothing of ours is no module of its own: make counts it as a part of
  every module below it. Any other is needed by whatever needs a module below it, and by those
  modules, except by the ones that it imports itself: that would be circular.
  """
  packages = {name for name in modules if name.endswith('/__init__')}
  reach = {name: _reach(name, modules) for name in packages if modules[name].imports}

  def on_the_way(name: str, needed: Iterable[str]) -> set[str]:
    return {package for module in needed for package in _packages(module)
            if package in reach and name not in reach[package]}

  found = {}
  for name, module in modules.items():
    imports = module.imports - packages | on_the_way(name, {name, *module.imports})
    names = module.names | on_the_way(name, module.names)
    if name in reach or name not in packages:
      found[name] = Module(module.kind, imports, names - imports)
  return found


def _label(module: str) -> str:
  """'haiku_spectral/ops/dense' -> '//haiku_spectral/ops:dense'."""
  return '//' + ':'.join(module.rsplit('/', 1))


def _declaration(name: str, module: Module) -> str:
  groups = [' '.join(_label(needed) for needed in sorted(group))
            for group in (module.imports, module.names)]
  call = ', '.join([f'$(call {module.kind}', _label(name), *groups]).rstrip(' ,') + ')'
  lines = textwrap.wrap(call, 97, subsequent_indent='    ', break_long_words=False,
                        break_on_hyphens=False)
  return ' \\\n'.join(lines) + '\n'


def declarations(root: pathlib.Path) -> str:
  """What imports.mk has to say about the sources in `root`."""
  modules = dependencies(_read(root))
  return HEADER + ''.join(_declaration(name, modules[name]) for name in sorted(modules))


def main() -> int:
  """Brings imports.mk of this repository up to date; 1 if a source cannot be read."""
  root = pathlib.Path(__file__).parents[1]
  try:
    text = declarations(root)
  except SyntaxError as error:
    print(f'error: {error.filename}:{error.lineno}: {error.msg}', file=sys.stderr)
    return 1
  path = root / 'imports.mk'
  if path.exists() and path.read_text(encoding='utf-8') == text:
    print('imports.mk is up to date')
  else:
    path.write_text(text, encoding='utf-8')
    print('imports.mk is rewritten')
  return 0


if __name__ == '__main__':
  sys.exit(main())
