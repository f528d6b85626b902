"""The picture of an evaluation of recall: for each task a heat map, depth over length."""

from collections.abc import Sequence

import matplotlib
import matplotlib.figure
import numpy as np
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from haiku_spectral.evaluation import plot
from haiku_spectral.evaluation.recall import report
from haiku_spectral.evaluation.recall.scoring import Cell

SHADES = colors.LinearSegmentedColormap.from_list('recall', ['#F3F3F3', plot.FULL_COLOUR])
COLUMNS = 4  # Heat maps side by side.


def figure(cells: Sequence[Cell]) -> matplotlib.figure.Figure:
  """The share of exact answers by depth and length."""
  tasks: dict[str, list[Cell]] = {}
  for cell in cells:
    tasks.setdefault(cell.task, []).append(cell)
  columns = min(COLUMNS, len(tasks))
  rows = -(-len(tasks) // columns)
  lengths = len({cell.length for cell in cells})
  with matplotlib.rc_context(plot.STYLE | {'axes.grid': False}):
    width = columns * max(2.4, 0.9 + 0.5 * lengths) + 1
    drawing = matplotlib.figure.Figure(figsize=(width, 2.5 * rows + 0.6), layout='constrained')
    panels = drawing.subplots(rows, columns, squeeze=False)
    for axes, (name, of_task) in zip(panels.flat, tasks.items(), strict=False):
      image = _panel(axes, name, of_task)
    for axes in panels.flat[len(tasks):]:
      axes.set_axis_off()
    bar = drawing.colorbar(image, ax=panels, shrink=0.6, pad=0.02)
    bar.set_label('exact answers, %')
    bar.outline.set_visible(False)
    drawing.supxlabel('length of the text', fontsize=10)
    drawing.supylabel('depth of the fact: 0 is the beginning', fontsize=10)
  return drawing


def _panel(axes: Axes, name: str, cells: Sequence[Cell]) -> AxesImage:
  lengths = sorted({cell.length for cell in cells})
  depths = sorted({cell.depth for cell in cells})
  shares = np.full((len(depths), len(lengths)), np.nan)
  for cell in cells:
    shares[depths.index(cell.depth), lengths.index(cell.length)] = 100 * cell.exact
  image = axes.imshow(shares, cmap=SHADES, vmin=0, vmax=100, aspect='auto')
  for (row, column), share in np.ndenumerate(shares):
    axes.text(column, row, f'{share:.0f}', ha='center', va='center', fontsize=8.5,
              color='white' if share > 60 else plot.GREY)
  wanted = '' if cells[0].recallable else ': 0 is right'
  axes.set_title(name + wanted, fontsize=10)
  axes.set_title(f'chance {report.percent(cells[0].chance_exact)}', loc='right', fontsize=7.5,
                 fontweight='normal', color=plot.GREY)
  axes.set_xticks(range(len(lengths)), [plot.bytes_label(length) for length in lengths], fontsize=8)
  axes.set_yticks(range(len(depths)), [f'{depth:g}' for depth in depths], fontsize=8)
  axes.tick_params(length=0)
  axes.spines[:].set_visible(False)
  return image
