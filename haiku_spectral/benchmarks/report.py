"""What a benchmark measured: sections, as markdown for people and JSON for programs."""

import json
import math
import os
import pathlib
import platform
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax

from haiku_spectral.storage import atomic_file

Cell = str | int | float
Row = dict[str, Cell]  # By the name of the column.


class Section(NamedTuple):
  """One question and what was measured."""

  title: str
  note: str  # How it was measured.
  rows: Sequence[Row]  # Empty when the section was skipped; the note then says why.


def machine() -> dict[str, Cell]:
  """On what this process measures."""
  return {
      'cores': os.cpu_count() or 0, 'device': jax.devices()[0].device_kind,
      'platform': jax.default_backend(), 'python': platform.python_version(),
      'jax': jax.__version__}


def cell(value: Cell) -> str:
  """Three significant digits, and commas between thousands."""
  if isinstance(value, float):
    digits = 2 - math.floor(math.log10(abs(value))) if value and math.isfinite(value) else 2
    return f'{value:,.{max(digits, 0)}f}'
  return f'{value:,}' if isinstance(value, int) else value


def markdown(section: Section) -> str:
  """Heading, table and note. Columns of words are on the left, of numbers on the right."""
  lines = [f'## {section.title}', '']
  if section.rows:
    header = list(section.rows[0])
    table = [[cell(row[name]) for name in header] for row in section.rows]
    widths = [max(map(len, column)) for column in zip(header, *table, strict=True)]
    words = [isinstance(section.rows[0][name], str) for name in header]

    def line(cells: Sequence[str]) -> str:
      return '| ' + ' | '.join(
          text.ljust(width) if word else text.rjust(width)
          for text, width, word in zip(cells, widths, words, strict=True)) + ' |'

    rule = ['-' * width if word else '-' * (width - 1) + ':'
            for width, word in zip(widths, words, strict=True)]
    lines += [line(header), line(rule), *map(line, table), '']
  return '\n'.join([*lines, section.note])


def write(
    folder: pathlib.Path, heading: str, machine: dict[str, Any], sections: dict[str, Section]
) -> list[pathlib.Path]:
  """Writes report.md and results.json, and returns their paths."""
  folder.mkdir(parents=True, exist_ok=True)
  paths = [folder / 'report.md', folder / 'results.json']
  about = ', '.join(f'{name} {value}' for name, value in machine.items())
  atomic_file.write_text(
      paths[0], '\n\n'.join([f'# {heading}', about, *map(markdown, sections.values())]) + '\n')
  atomic_file.write_text(paths[1], json.dumps(
      {'machine': machine, 'sections': {name: each._asdict() for name, each in sections.items()}},
      indent=2) + '\n')
  return paths
