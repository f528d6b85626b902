"""The pages of the site: the repository's own, and one for each module and each file they link to.

A page lies in the site where its file lies in the repository: `a/b.py` is the page `a/b.md` of its
docstrings, README.md is index.md, that of another folder about.md, and any other file that a page
links to is shown as it is.
"""

import os
import pathlib
import posixpath
import re
import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

HOME = 'README.md'
ABOUT = ('BUILD.md', 'CONTRIBUTING.md', 'CHANGELOG.md')
PACKAGES = ('haiku_spectral', 'datasets', 'binaries')
_LINK = re.compile(r'(\]\()([^)\s#]+)(#[^)\s]*)?\)')
_CODE = re.compile(r'(^```.*?^```$|`[^`\n]*`)', re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'^# (.+)$', re.MULTILINE)


class Site(NamedTuple):
  """What a site consists of."""

  pages: dict[str, str]  # The Markdown of each page by its place in the site.
  copied: tuple[str, ...]  # Pictures, by their place in the repository and in the site.
  nav: list[Any]  # As in mkdocs.yml.


def make(root: pathlib.Path) -> Site:
  """Reads the repository. Raises ValueError for a link to a file that is not there."""
  guides = sorted(f'docs/{path.name}' for path in (root / 'docs').glob('*.md'))
  data = sorted(
      path.relative_to(root).as_posix() for path in (root / 'datasets').rglob('README.md'))
  written = [HOME, *ABOUT, *guides, *data]
  texts = {name: (root / name).read_text(encoding='utf-8') for name in written}
  modules = list(_modules(root))
  pages: dict[str, str] = {_module_page(path): _reference(path) for path in modules}
  copied: set[str] = set()
  for name, text in texts.items():
    for target in _targets(root, name, text):
      if target.endswith('.png'):
        copied.add(target)
      elif target not in texts and target not in modules:
        pages[place(target)] = _shown(root, target)
    pages[place(name)] = _rewritten(root, name, text)
  order = [target for target in _targets(root, HOME, texts[HOME]) if target in guides]
  order += [name for name in guides if name not in order]
  return Site(pages, tuple(sorted(copied)), [
      {'Home': place(HOME)},
      {'Guide': [{_title(texts[name]): name} for name in dict.fromkeys(order)]},
      {'Data': [{_data_title(name): place(name)} for name in data]},
      {'Reference': _tree(modules)},
      {'Project': [{_title(texts[name]): name} for name in ABOUT]}])


def write(site: Site, root: pathlib.Path, folder: pathlib.Path) -> None:
  """Writes the pages into a folder, which is emptied before."""
  shutil.rmtree(folder, ignore_errors=True)
  for name, text in site.pages.items():
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding='utf-8')
  for name in site.copied:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / name, folder / name)


def place(name: str) -> str:
  """Where a file of the repository is shown in the site."""
  if name == HOME:
    return 'index.md'
  if name.endswith('/README.md'):  # MkDocs takes it for the index, which is that of the package.
    return f'{posixpath.dirname(name)}/about.md'
  if name.endswith('.py') and name.startswith(PACKAGES):
    return _module_page(name)
  return name if name.endswith(('.md', '.png')) else f'{name}.md'


def _modules(root: pathlib.Path) -> Iterator[str]:
  """Every module, packages by their `__init__.py`."""
  for package in PACKAGES:
    yield from sorted(path.relative_to(root).as_posix() for path in (root / package).rglob('*.py'))


def _module_page(path: str) -> str:
  """a/b.py -> a/b.md; a/__init__.py -> a/index.md."""
  return re.sub(r'(__init__)?\.py$', lambda match: 'index.md' if match[1] else '.md', path)


def _reference(path: str) -> str:
  name = path.removesuffix('.py').removesuffix('/__init__').replace('/', '.')
  return f'# {name.rpartition(".")[2]}\n\n`{name}`\n\n::: {name}\n'


def _targets(root: pathlib.Path, page: str, text: str) -> list[str]:
  """The files of the repository that a page links to, in order."""
  return [_resolve(root, page, match[2]) for part in _prose(text)
          for match in _LINK.finditer(part) if not re.match(r'\w+:', match[2])]


def _resolve(root: pathlib.Path, page: str, link: str) -> str:
  target = posixpath.normpath(posixpath.join(posixpath.dirname(page), link))
  for name in (target, f'{target}/README.md', f'{target}/__init__.py'):
    if (root / name).is_file():
      return name
  raise ValueError(f'{page} links to {link}, and {target} is no file of the repository.')


def _prose(text: str) -> list[str]:
  return _CODE.split(text)[::2]


def _rewritten(root: pathlib.Path, page: str, text: str) -> str:
  """A page whose links lead to places in the site."""
  def rewritten(match: re.Match[str]) -> str:
    if re.match(r'\w+:', match[2]):
      return match[0]
    target = place(_resolve(root, page, match[2]))
    link = os.path.relpath(target, posixpath.dirname(place(page)) or '.')
    return f'{match[1]}{link}{match[3] or ""})'

  parts = _CODE.split(text)
  parts[::2] = [_LINK.sub(rewritten, part) for part in parts[::2]]
  title = '' if _TITLE.search(text) else f'# {_data_title(page)}\n\n'
  return title + ''.join(parts)


def _shown(root: pathlib.Path, name: str) -> str:
  """A file as it is, between fences that it does not contain."""
  text = (root / name).read_text(encoding='utf-8')
  fence = '`' * max(3, 1 + max(map(len, re.findall('`+', text)), default=0))
  language = 'python' if name.endswith('.py') else 'text'
  return f'# {posixpath.basename(name)}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n'


def _title(text: str) -> str:
  match = _TITLE.search(text)
  return match[1] if match else 'Page'


def _data_title(name: str) -> str:
  return posixpath.basename(posixpath.dirname(name))


def _tree(modules: list[str]) -> list[Any]:
  """Modules below their packages."""
  root: dict[str, Any] = {}
  for path in modules:
    *packages, _ = path.split('/')
    node = root
    for package in packages:
      node = node.setdefault(package, {})
    node[path] = None

  def entries(node: dict[str, Any]) -> list[Any]:
    return [_module_page(name) if below is None else {name: entries(below)}
            for name, below in node.items()]

  return entries(root)
