"""The plots of benchmarks: curves over lengths, both axes logarithmic."""

import os
from collections.abc import Mapping

import matplotlib
import matplotlib.figure
import matplotlib.ticker

from haiku_spectral.evaluation import plot as plots

Line = Mapping[int, float]  # Length or position -> what was measured.
_LOOKS = ((plots.FULL_COLOUR, 'o'), (plots.CUT_COLOUR, 's'), (plots.GAIN_COLOUR, '^'))


def figure(
    lines: Mapping[str, Line], *, title: str, ylabel: str, xlabel: str
) -> matplotlib.figure.Figure:
  """A curve for each label, ours first; curves without points are left out."""
  with matplotlib.rc_context(plots.STYLE):
    drawing = matplotlib.figure.Figure(figsize=(7.2, 4.0), layout='constrained')
    axes = drawing.subplots()
    for (label, line), (colour, marker) in zip(lines.items(), _LOOKS, strict=False):
      if line:
        positions = sorted(line)
        axes.plot(positions, [line[position] for position in positions], color=colour,
                  marker=marker, markersize=5, linewidth=1.8, label=label)
    axes.set_xscale('log', base=2)
    axes.set_yscale('log')
    values = [value for line in lines.values() for value in line.values()]
    axes.set_ylim(min(values) / 2, max(values) * 2)  # Else noise would fill the axis.
    axes.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda y, _: f'{y:,g}'))
    axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    ticks = sorted({tick for line in lines.values() for tick in line})
    axes.set_xticks(ticks, [plots.bytes_label(tick).replace('iB', '') for tick in ticks])
    axes.set(title=title, ylabel=ylabel, xlabel=xlabel)
    axes.legend(loc='best', handlelength=1.6)
  return drawing


def save(drawing: matplotlib.figure.Figure, path: str | os.PathLike[str]) -> None:
  """Writes a plot as PNG, at 200 dots per inch."""
  plots.save_figure(drawing, path)
