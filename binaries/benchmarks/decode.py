"""The suite `decode`: what writing costs."""

import pathlib
from collections.abc import Callable, Mapping

from binaries.benchmarks import compression, plot, processes, speed
from binaries.benchmarks.report import Section
from binaries.benchmarks.settings import Settings
from binaries.benchmarks.subject import Subject

SECTIONS: dict[str, Callable[[Subject, Settings], Section]] = {
    'flat': speed.flat,
    'memory': processes.prefill_memory,
    'horizons': speed.horizons,
    'rival': processes.rival,
    'speculation': speed.speculation,
    'compression': compression.compare,
    'filters': speed.filter_kinds,
}


def lines(sections: Mapping[str, Section]) -> tuple[plot.Line, plot.Line]:
  """Milliseconds by position that were measured, ours and the rival's."""
  def line(name: str, position: str, milliseconds: str) -> dict[int, float]:
    rows = sections[name].rows if name in sections else ()
    return {int(row[position]): float(row[milliseconds]) for row in rows}

  ours = line('rival', 'context', 'ours, ms a byte') | line('flat', 'position', 'ms a byte')
  return ours, line('rival', 'context', 'transformer, ms a token')


def draw(sections: Mapping[str, Section], folder: pathlib.Path) -> list[pathlib.Path]:
  """Writes decode.png when something was measured by position; returns what was written."""
  ours, theirs = lines(sections)
  if not ours:
    return []
  plot.save(ours, theirs, folder / 'decode.png')
  return [folder / 'decode.png']
