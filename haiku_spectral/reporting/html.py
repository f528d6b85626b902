"""A document as one HTML file: its style and pictures are in it, and nothing is fetched."""

import base64
import functools
import pathlib
import re
from collections.abc import Sequence
from html import escape

from haiku_spectral.reporting import chart as charts
from haiku_spectral.reporting import document as doc

STYLE = pathlib.Path(__file__).with_name('page.css')
# From this share on the colour is so deep that the number on it is light.
_DEEP = 0.55
_CLASS_NUMBER = ' class="number"'
_NUMBER = re.compile(r'[+−-]?[\d.,]+( ?(%|x|k|M|G|B|[KMG]iB|ms))?|-|')


def render(document: doc.Document) -> str:
  """The whole file."""
  style = STYLE.read_text(encoding='utf-8')
  entries = '\n'.join(f'<li><a href="#{anchor(section.title)}">{escape(section.title)}</a></li>'
                      for section in document.sections)
  body = '\n'.join(map(_section, document.sections))
  return f'''<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(document.title)}</title>
<style>
{style}</style>
</head>
<body>
<div class="page">
<header>
<h1>{inline(document.title)}</h1>
<p>{inline(document.subtitle)}</p>
</header>
<nav aria-label="Sections">
<ol>
{entries}
</ol>
</nav>
<main>
{body}
</main>
</div>
</body>
</html>
'''


def anchor(title: str) -> str:
  """What a link to a section names."""
  return re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')


def inline(text: str) -> str:
  """Prose with its marks: `code` and **bold**."""
  parts = re.split(r'(`[^`]+`|\*\*[^*]+\*\*)', text)
  return ''.join(
      f'<code>{escape(part[1:-1])}</code>' if part.startswith('`') and len(part) > 2
      else f'<strong>{escape(part[2:-2])}</strong>' if part.startswith('**') and len(part) > 4
      else escape(part) for part in parts)


def _section(section: doc.Section) -> str:
  blocks = '\n'.join(map(_block, section.blocks))
  name = anchor(section.title)
  return f'<section id="{name}">\n<h2>{escape(section.title)}</h2>\n{blocks}\n</section>'


@functools.singledispatch
def _block(block: doc.Block) -> str:
  raise TypeError(f'{type(block).__name__} has no form in HTML')


@_block.register
def _(block: doc.Paragraph) -> str:
  return f'<p>{inline(block.text)}</p>'


@_block.register
def _(block: doc.Quote) -> str:
  paragraphs = (f'<p>{inline(text)}</p>' for text in block.text.split('\n\n'))
  return f'<blockquote>{"".join(paragraphs)}</blockquote>'


@_block.register
def _(block: doc.Facts) -> str:
  facts = '\n'.join(
      f'<div class="fact"><dt>{escape(fact.label)}</dt><dd class="value">{escape(fact.value)}</dd>'
      + (f'<dd class="note">{inline(fact.note)}</dd>' if fact.note else '') + '</div>'
      for fact in block.facts)
  return f'<dl class="facts">\n{facts}\n</dl>'


@_block.register
def _(block: doc.Table) -> str:
  numeric = [all(_NUMBER.fullmatch(cell) for cell in column)
             for column in zip(*block.rows, strict=True)] or [False] * len(block.header)

  def row(cells: Sequence[str], tag: str, mark: str = '') -> str:
    return f'<tr{mark}>' + ''.join(
        f'<{tag}{_CLASS_NUMBER * number}>{inline(cell)}</{tag}>'
        for cell, number in zip(cells, numeric, strict=True)) + '</tr>'

  rows = '\n'.join(row(cells, 'td', ' class="marked"' if i in block.marked else '')
                   for i, cells in enumerate(block.rows))
  table = (f'<div class="table scroll"><table>\n<thead>{row(block.header, "th")}</thead>\n'
           f'<tbody>\n{rows}\n</tbody>\n</table></div>')
  if block.folded:
    return f'<details><summary>{escape(block.folded)}</summary>\n{table}\n</details>'
  return table


@_block.register
def _(block: doc.Chart) -> str:
  keys = ''.join(
      f'<span class="key"><svg viewBox="0 0 22 8" aria-hidden="true"><path d="M0 4H22" class="line '
      f'l{number % charts.COLOURS}{" dashed" if line.dashed else ""}"/></svg>'
      f'{escape(line.name)}</span>' for number, line in enumerate(block.lines))
  legend = f'<div class="legend">{keys}</div>' if len(block.lines) > 1 else ''
  drawn = charts.svg(block) if charts.has_points(block) else '<p class="aside">No value known.</p>'
  return (f'<figure><figcaption>{escape(block.title)}</figcaption>{legend}\n'
          f'<div class="scroll">{drawn}</div></figure>')


@_block.register
def _(block: doc.HeatMaps) -> str:
  return '<div class="maps">\n' + '\n'.join(map(_heat_map, block.maps)) + '\n</div>'


def _heat_map(block: doc.HeatMap) -> str:
  head = ''.join(f'<th>{escape(name)}</th>' for name in (block.corner, *block.columns))
  rows = '\n'.join(
      f'<tr><th>{escape(name)}</th>{"".join(map(_heat_cell, shares))}</tr>'
      for name, shares in zip(block.rows, block.shares, strict=True))
  return (f'<figure><figcaption>{escape(block.title)} <small>{escape(block.note)}</small>'
          f'</figcaption>\n<table class="heat">\n<thead><tr>{head}</tr></thead>\n'
          f'<tbody>\n{rows}\n</tbody>\n</table></figure>')


def _heat_cell(share: float | None) -> str:
  if share is None:
    return '<td style="--share: 0%"></td>'
  deep = ' class="high"' if share > _DEEP else ''
  return f'<td{deep} style="--share: {100 * share:.0f}%">{100 * share:.0f}</td>'


@_block.register
def _(block: doc.Picture) -> str:
  data = base64.b64encode(block.png).decode('ascii')
  return (f'<figure><img src="data:image/png;base64,{data}" alt="{escape(block.about)}">'
          '</figure>')


@_block.register
def _(block: doc.Sample) -> str:
  return (f'<div class="sample"><b>{escape(block.prompt)}</b>{escape(block.text)}</div>\n'
          f'<p class="aside">{inline(block.note)}</p>')


@_block.register
def _(block: doc.Code) -> str:
  return f'<div class="scroll"><pre>{escape(block.text)}</pre></div>'


@_block.register
def _(block: doc.Command) -> str:
  return f'<p class="aside">{escape(block.verb)} <code>{escape(block.command)}</code></p>'


@_block.register
def _(block: doc.Missing) -> str:
  return (f'<p class="missing"><strong>Not measured:</strong> {inline(block.what)}. To measure it: '
          f'<code>{escape(block.command)}</code></p>')
