"""The suite `decode`: the cost of generation."""

import pathlib
from collections.abc import Callable, Mapping

from haiku_spectral.benchmarks import compression, plot, processes, speed
from haiku_spectral.benchmarks.report import Section
from haiku_spectral.benchmarks.settings import Settings
from haiku_spectral.benchmarks.subject import Subject

SECTIONS: dict[str, Callable[[Subject, Settings], Section]] = {
    'flat': speed.flat,
    'memory': processes.prefill_memory,
    'horizons': speed.horizons,
    'baseline': processes.baseline,
    'speculation': speed.speculation,
    'compression': compression.compare,
    'filters': speed.filter_kinds,
}


def lines(sections: Mapping[str, Section]) -> tuple[plot.Line, plot.Line]:
  """Measured milliseconds by position, ours and the baseline's."""
  def line(name: str, position: str, milliseconds: str) -> dict[int, float]:
    rows = sections[name].rows if name in sections else ()
    return {int(row[position]): float(row[milliseconds]) for row in rows}

  ours = line('baseline', 'context', 'ours, ms per byte') | line('flat', 'position', 'ms per byte')
  return ours, line('baseline', 'context', 'transformer, ms per token')


def draw(sections: Mapping[str, Section], folder: pathlib.Path) -> list[pathlib.Path]:
  """Writes decode.png when something was measured by position; returns what was written."""
  ours, theirs = lines(sections)
  if not ours:
    return []
  plot.save(plot.figure(
      {'SpectralGPT, one byte': ours,
       'GPT-2 of the same size, one token from its cache': theirs},
      title='Time of the next byte, by the length of the context', ylabel='milliseconds',
      xlabel='context, bytes (tokens)'), folder / 'decode.png')
  return [folder / 'decode.png']
