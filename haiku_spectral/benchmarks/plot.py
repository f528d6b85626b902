"""The plot of decoding: time per byte against the length of the context, and of the baseline."""

import os
from collections.abc import Mapping

import matplotlib
import matplotlib.figure
import matplotlib.ticker
from matplotlib.backends import backend_agg

from haiku_spectral.evaluation import plot as house

Line = Mapping[int, float]  # Position -> milliseconds per byte or token.


def figure(ours: Line, baseline: Line) -> matplotlib.figure.Figure:
  """Time per byte against position, both axes logarithmic. Either line may be empty."""
  with matplotlib.rc_context(house.STYLE):
    drawing = matplotlib.figure.Figure(figsize=(7.2, 4.0), layout='constrained')
    axes = drawing.subplots()
    for line, colour, marker, label in (
        (baseline, house.CUT_COLOUR, 's', 'GPT-2 of the same size, one token from its cache'),
        (ours, house.FULL_COLOUR, 'o', 'SpectralGPT, one byte'),
    ):
      if line:
        positions = sorted(line)
        axes.plot(positions, [line[position] for position in positions], color=colour,
                  marker=marker, markersize=5, linewidth=1.8, label=label)
    axes.set_xscale('log', base=2)
    axes.set_yscale('log')
    axes.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda ms, _: f'{ms:g}'))
    axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    ticks = sorted({*ours, *baseline})
    axes.set_xticks(ticks, [house.bytes_label(tick).replace('iB', '') for tick in ticks])
    axes.set(title='Time of the next byte, by the length of the context', ylabel='milliseconds',
             xlabel='context, bytes (tokens)')
    axes.legend(loc='best', handlelength=1.6)
  return drawing


def save(ours: Line, baseline: Line, path: str | os.PathLike[str]) -> None:
  """Writes the plot as PNG, at 200 dots per inch."""
  drawing = figure(ours, baseline)
  with matplotlib.rc_context(house.STYLE):
    backend_agg.FigureCanvasAgg(drawing)
    drawing.savefig(path, dpi=200, format='png')
