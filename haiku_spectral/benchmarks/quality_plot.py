"""The plot of quality: bits per byte of each model and baseline, with intervals over documents."""

import os
from collections.abc import Sequence

import matplotlib
import matplotlib.figure

from haiku_spectral.benchmarks.report import Row
from haiku_spectral.evaluation import plot as plots


def figure(rows: Sequence[Row]) -> matplotlib.figure.Figure:
  """A line per row, the best first; models with parameters are ours."""
  ordered = sorted(rows, key=lambda row: float(row['bits per byte']))
  with matplotlib.rc_context(plots.STYLE | {'axes.grid.axis': 'x'}):
    drawing = matplotlib.figure.Figure(
        figsize=(7.6, 1.2 + 0.3 * len(ordered)), layout='constrained')
    axes = drawing.subplots()
    for place, row in enumerate(ordered):
      value = float(row['bits per byte'])
      ours = not isinstance(row['parameters'], str)
      ends = row['documents, low'], row['documents, high']
      bar = [[0.0], [0.0]] if isinstance(ends[0], str) else [
          [value - float(ends[0])], [float(ends[1]) - value]]
      axes.errorbar([value], [place], xerr=bar, fmt='o' if ours else 's', markersize=5,
                    color=plots.FULL_COLOUR if ours else plots.CUT_COLOUR, elinewidth=1.4)
      axes.annotate(f'{value:.3f}', (value, place), (0, 5), textcoords='offset points',
                    ha='center', fontsize=7.5, color=plots.GREY)
    axes.set_yticks(range(len(ordered)), [str(row['model']) for row in ordered], fontsize=8.5)
    axes.set_ylim(len(ordered) - 0.4, -0.8)
    axes.tick_params(axis='y', length=0)
    axes.set(title='Held-out documents',
             xlabel='bits per byte; bars: 95 % intervals over documents')
  return drawing


def save(rows: Sequence[Row], path: str | os.PathLike[str]) -> None:
  """Writes the picture as PNG, at 200 dots per inch."""
  plots.save_figure(figure(rows), path)
