"""The pages that people read: their fenced blocks, links, labels and flags."""

import pathlib
import re
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ('README.md', 'CONTRIBUTING.md',
         *sorted(f'docs/{path.name}' for path in (ROOT / 'docs').glob('*.md')))
COMMANDS = 'sh'  # The language of blocks that a reader types.

_BLOCK = re.compile(
    r'(?:^<!-- not run: (?P<reason>[^\n]+) -->\n+)?'
    r'^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
_LINK = re.compile(r'\]\(([^)\s]+)\)')
_LABEL = re.compile(r'(?<![:\w])//[a-z_]\w*(?:/\w+)*:\w+')
_PROGRAM = re.compile(r'//binaries:(\w+)(.*)')
_FLAG = re.compile(r'(?<![\w-])--([a-z][\w.\[\]-]*)')


class Block(NamedTuple):
  """A fenced block of a page."""

  line: int  # Of its opening fence, from 1.
  language: str
  text: str
  reason: str  # Why it is not run; '' when it is.


def read(page: str) -> str:
  """The text of a page."""
  return (ROOT / page).read_text(encoding='utf-8')


def blocks(text: str) -> list[Block]:
  """All fenced blocks. One behind the line `<!-- not run: REASON -->` is not to be run."""
  return [Block(text.count('\n', 0, found.start('language')) + 1, found['language'],
                found['text'], found['reason'] or '') for found in _BLOCK.finditer(text)]


def links(text: str) -> list[str]:
  """The targets of links to files of the repository and to headings."""
  return [link for link in _LINK.findall(text) if not re.match(r'\w+:', link)]


def labels(text: str) -> set[str]:
  """The labels //a/b:c."""
  return set(_LABEL.findall(text))


def mentioned_flags(text: str) -> set[str]:
  """Every --flag, without its dashes and its value."""
  return set(_FLAG.findall(text))


def programs(text: str) -> list[tuple[str, str]]:
  """(program, its flags as typed) for each command that runs one, its other lines included."""
  return [(found[1], found[2]) for command in text.replace('\\\n', ' ').splitlines()
          for found in _PROGRAM.finditer(command)]


def program_flags(text: str) -> list[tuple[str, str]]:
  """(program, flag) for each flag of these commands."""
  return [(program, flag) for program, typed in programs(text) for flag in _FLAG.findall(typed)]


def anchors(text: str) -> set[str]:
  """What a link may name in a page: its headings, as GitHub writes them."""
  headings = re.findall(r'^#+ (.+)$', text, re.MULTILINE)
  return {re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-') for heading in headings}
