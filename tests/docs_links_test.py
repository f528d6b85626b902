"""What README.md and docs name is there: files, headings, labels and flags. They stay short."""

import dataclasses
import re
import typing

from absl.testing import absltest, parameterized

from haiku_spectral import config as configs
from haiku_spectral.self_training import settings
from tests import docs_pages

ROOT = docs_pages.ROOT
OTHER_PAGES = ('BUILD.md', 'CHANGELOG.md', *sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / 'datasets').rglob('*.md')))
LANGUAGES = {docs_pages.COMMANDS, 'python', 'text'}
MAKE_RUNS = ('train', 'self_improve')
MAKE_COPIES = ('distill', 'export')
_DEFINED = re.compile(r'(?:DEFINE_\w+|\bdefine\w*)\(\s*\'([a-z]\w*)\'')
_IMPORTED = re.compile(r'^from binaries import (\([^)]+\)|.+)$', re.MULTILINE)


def flags_of(program: str) -> set[str]:
  """The flags that a program defines, alone or by the modules of `binaries` that it imports."""
  found, modules, names = {'help'}, [program], set()
  while modules:
    name = modules.pop()
    names.add(name)
    source = (ROOT / 'binaries' / f'{name}.py').read_text(encoding='utf-8')
    found |= set(_DEFINED.findall(source))
    imported = {each for names in _IMPORTED.findall(source) for each in re.findall(r'\w+', names)}
    modules += imported - names
  if program == 'self_improve':
    found |= {field.name for field in dataclasses.fields(settings.Settings)}
  return found


def is_field(path: str) -> bool:
  """Whether 'config.model.width' or 'config.curriculum[0].bytes' is a field of the config."""
  cls: object = configs.Config
  for part in path.split('.')[1:]:
    name, bracket, _ = part.partition('[')
    hints = typing.get_type_hints(cls) if dataclasses.is_dataclass(cls) else {}
    if name not in hints:
      return False
    cls = typing.get_args(hints[name])[0] if bracket else hints[name]
  return True


def is_flag(program: str, flag: str) -> bool:
  known = flags_of(program)
  if flag.startswith('config.'):
    return 'config' in known and is_field(flag)
  return flag in known or flag.removeprefix('no') in known


def missing_links(page: str, text: str) -> list[str]:
  """The links of a page that lead nowhere."""
  missing = []
  for link in docs_pages.links(text):
    name, _, anchor = link.partition('#')
    target = (ROOT / page).parent / name if name else ROOT / page
    if not target.exists() or (
        anchor and anchor not in docs_pages.anchors(target.read_text(encoding='utf-8'))):
      missing.append(link)
  return missing


def missing_runs(text: str, made: set[str]) -> list[str]:
  """The run folders that commands of a page use before one has made them; adds to `made`."""
  missing = []
  for program, typed in docs_pages.programs(text):
    runs, copies = (re.findall(rf'--{flag}=(\S+)', typed) for flag in ('run_dir', 'out'))
    if program not in MAKE_RUNS:
      missing += set(runs) - made
    made.update(runs, copies if program in MAKE_COPIES else ())
  return missing


class DocsLinksTest(parameterized.TestCase):

  @parameterized.parameters(*docs_pages.PAGES, *OTHER_PAGES)
  def test_links_lead_somewhere(self, page: str):
    self.assertEmpty(missing_links(page, docs_pages.read(page)))

  @parameterized.parameters(*docs_pages.PAGES, *OTHER_PAGES)
  def test_labels_exist(self, page: str):
    missing = [label for label in docs_pages.labels(docs_pages.read(page))
               if not (ROOT / (label[2:].replace(':', '/') + '.py')).exists()
               and not label.endswith(':NAME')]
    self.assertEmpty(missing)

  @parameterized.parameters(*docs_pages.PAGES, *OTHER_PAGES)
  def test_flags_of_commands_are_those_of_the_program(self, page: str):
    wrong = [(program, flag) for program, flag in docs_pages.program_flags(docs_pages.read(page))
             if program != 'NAME' and not is_flag(program, flag)]
    self.assertEmpty(wrong)

  @parameterized.parameters(*docs_pages.PAGES)
  def test_flags_in_prose_exist(self, page: str):
    programs = sorted((ROOT / 'binaries').glob('*.py'))
    known = {flag for path in programs for flag in flags_of(path.stem)}
    sources = '\n'.join(path.read_text(encoding='utf-8')
                        for path in (ROOT / 'haiku_spectral').rglob('*.py'))
    wrong = [flag for flag in docs_pages.mentioned_flags(docs_pages.read(page))
             if not (is_field(flag) if flag.startswith('config.') else flag in known)
             and f"'--{flag}'" not in sources  # An option that we give to another program.
             and 'NAME' not in flag]
    self.assertEmpty(wrong)

  @parameterized.parameters(*docs_pages.PAGES)
  def test_commands_use_runs_that_are_there(self, page: str):
    self.assertIn('make demo', docs_pages.read('README.md'))
    self.assertEmpty(missing_runs(docs_pages.read(page), {'runs/demo'}))

  @parameterized.parameters(*docs_pages.PAGES)
  def test_blocks_say_what_they_are(self, page: str):
    wrong = [block.line for block in docs_pages.blocks(docs_pages.read(page))
             if block.language not in LANGUAGES]
    self.assertEmpty(wrong, f'lines of blocks that are none of {LANGUAGES}')

  def test_every_fence_belongs_to_a_block(self):
    for page in docs_pages.PAGES:
      text = docs_pages.read(page)
      fences = re.findall('^ *(?:```|~~~)', text, re.MULTILINE)
      self.assertLen(fences, 2 * len(docs_pages.blocks(text)), page)

  def test_readme_is_short(self):
    self.assertLessEqual(len(docs_pages.read('README.md').split()), 900)

  def test_build_file_is_short(self):
    self.assertLessEqual(len(docs_pages.read('BUILD.md').splitlines()), 400)

  def test_every_page_is_linked_from_the_readme(self):
    links = docs_pages.links(docs_pages.read('README.md'))
    self.assertContainsSubset(set(docs_pages.PAGES) - {'README.md'}, links)

  def test_every_program_is_named(self):
    text = '\n'.join(map(docs_pages.read, docs_pages.PAGES))
    named = {label.partition(':')[2] for label in docs_pages.labels(text)}
    programs = {path.stem for path in (ROOT / 'binaries').glob('*.py')
                if "__name__ == '__main__'" in path.read_text(encoding='utf-8')}
    internal = {'demo', 'corpus_stage', 'tidy', 'docs_site'}  # By make, the second by benchmark.
    self.assertEmpty(programs - named - internal)


class PagesTest(absltest.TestCase):
  """That the tests above would fail."""

  def test_blocks(self):
    text = 'A\n\n<!-- not run: no GPU -->\n```sh\nmake a\n```\n\n```sh\nmake b\\\n c\n```\n'
    self.assertEqual(docs_pages.blocks(text), [
        docs_pages.Block(4, 'sh', 'make a\n', 'no GPU'),
        docs_pages.Block(8, 'sh', 'make b\\\n c\n', '')])

  def test_flags_of_all_lines_of_a_command(self):
    text = "./run //binaries:train --steps=1 \\\n  '--config.a[0].b=2' --x\nother --y"
    self.assertEqual(docs_pages.program_flags(text),
                     [('train', 'steps'), ('train', 'config.a[0].b'), ('train', 'x')])

  def test_flags(self):
    for flag in ('run_dir', 'data_dir', 'config', 'config.model.width', 'help',
                 'config.curriculum[0].rate.schedule'):
      self.assertTrue(is_flag('train', flag), flag)
    for flag in ('rundir', 'config.model.wdth', 'config.width', 'prompt', 'labelled'):
      self.assertFalse(is_flag('train', flag), flag)
    for program, flag in (('self_improve', 'labelled'), ('sample', 'run_dir'), ('sample', 'noutf8'),
                          ('sample', 'precision'), ('compress', 'input'), ('self_improve', 'arm')):
      self.assertTrue(is_flag(program, flag), (program, flag))
    self.assertFalse(is_flag('sample', 'config.model.width'))

  def test_runs(self):
    text = ('./run //binaries:train --run_dir=runs/a\n./run //binaries:sample --run_dir=runs/a\n'
            './run //binaries:sample --run_dir=runs/b\n./run //binaries:distill --out=runs/b\n')
    self.assertEqual(missing_runs(text, set()), ['runs/b'])
    self.assertEqual(missing_runs(text, {'runs/b'}), [])

  def test_links(self):
    text = ('[a](docs/design.md) [b](docs/none.md) [c](https://x.org/y) [d](#links) [e](#none) '
            '[f](docs/design.md#the-law-of-chunks) [g](docs/design.md#none)')
    missing = missing_links('README.md', text)
    self.assertEqual(missing, ['docs/none.md', '#links', '#none', 'docs/design.md#none'])

  def test_labels(self):
    self.assertEqual(docs_pages.labels('`//a/b:c`, https://x.org:80, //d:e --f'),
                     {'//a/b:c', '//d:e'})


if __name__ == '__main__':
  absltest.main()
