"""A document as Markdown, which shows tables in the place of what it cannot draw."""

import functools
import re
from collections.abc import Sequence

from haiku_spectral.reporting import axis
from haiku_spectral.reporting import document as doc

POINTS = 10  # Of a line of a chart, at most.


def render(document: doc.Document) -> str:
  """The whole file."""
  parts = [f'# {document.title}', document.subtitle, *map(section, document.sections)]
  return '\n\n'.join(part for part in parts if part) + '\n'


def section(one: doc.Section, level: int = 2) -> str:
  """A heading and its blocks."""
  return '\n\n'.join([f'{"#" * level} {one.title}', *map(block, one.blocks)])


@functools.singledispatch
def block(one: doc.Block) -> str:
  """What stands below a heading."""
  raise TypeError(f'{type(one).__name__} has no form in Markdown')


@block.register
def _(one: doc.Paragraph) -> str:
  return one.text


@block.register
def _(one: doc.Quote) -> str:
  return '\n'.join(f'> {line}'.rstrip() for line in one.text.splitlines())


@block.register
def _(one: doc.Facts) -> str:
  return table(['', '', ''], [[fact.label, f'**{fact.value}**', fact.note] for fact in one.facts])


@block.register
def _(one: doc.Table) -> str:
  rows = [[f'**{cell}**' if i in one.marked and cell else cell for cell in row]
          for i, row in enumerate(one.rows)]
  return table(one.header, rows)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """Cells between bars."""
  def line(cells: Sequence[str]) -> str:
    return '| ' + ' | '.join(_cell(cell) for cell in cells) + ' |'

  return '\n'.join([line(header), '|' + '---|' * len(header), *map(line, rows)])


def _cell(text: str) -> str:
  return text.replace('|', r'\|').replace('\n', ' ')


@block.register
def _(one: doc.Chart) -> str:
  if one.picture:
    return f'![{one.title}]({one.picture})'
  chosen = _chosen(one)
  by_line = [dict(zip(line.x, line.y, strict=True)) for line in one.lines]
  rows = [[axis.size(x) if one.bytes_x else f'{x:,.6g}',
           *('' if (y := line.get(x)) is None else f'{y:.4g}' for line in by_line)] for x in chosen]
  return f'{one.title} ({one.y_label}):\n\n' + table(
      [one.x_label, *(line.name for line in one.lines)], rows)


def _chosen(one: doc.Chart) -> list[float]:
  """Where the lines are told: at all points of those that have few, or at some."""
  few = [line for line in one.lines if len(line.x) <= POINTS]
  every = sorted({x for line in few or one.lines for x in line.x})
  return every if few else sorted({*every[::-(-len(every) // POINTS)], every[-1]})


@block.register
def _(one: doc.HeatMaps) -> str:
  if one.picture:
    return f'![Heat maps]({one.picture})'
  return '\n\n'.join(map(_heat_map, one.maps))


def _heat_map(one: doc.HeatMap) -> str:
  rows = [[name, *('' if share is None else f'{100 * share:.0f} %' for share in shares)]
          for name, shares in zip(one.rows, one.shares, strict=True)]
  return f'{one.title}, {one.note}:\n\n' + table([one.corner, *one.columns], rows)


@block.register
def _(one: doc.Picture) -> str:
  return f'![{one.about}]({one.name})'


@block.register
def _(one: doc.Sample) -> str:
  return f'{_fenced("text", one.prompt + one.text)}\n\n{one.note}'


@block.register
def _(one: doc.Code) -> str:
  return _fenced(one.language, one.text)


def _fenced(language: str, text: str) -> str:
  """Text between fences that are longer than any run of back quotes in it."""
  fence = '`' * max(3, 1 + max((len(run) for run in re.findall('`+', text)), default=0))
  return f'{fence}{language}\n{text}\n{fence}'


@block.register
def _(one: doc.Command) -> str:
  return f'{one.verb} `{one.command}`'


@block.register
def _(one: doc.Missing) -> str:
  return f'**Not measured:** {one.what}. To measure it: `{one.command}`'
