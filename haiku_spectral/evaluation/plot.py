"""The picture of an evaluation of extrapolation: two panels over the length of the context."""

import io
import os

import matplotlib
import matplotlib.figure
import matplotlib.ticker
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends import backend_agg

from haiku_spectral.evaluation.bootstrap import Estimate
from haiku_spectral.evaluation.report import MARGIN, Report
from haiku_spectral.storage import atomic_file

# Okabe and Ito's palette: distinguishable with any colour vision, and in print.
FULL_COLOUR, CUT_COLOUR, GAIN_COLOUR, GREY = '#0072B2', '#D55E00', '#009E73', '#5F5F5F'
STYLE = {
    'font.family': 'sans-serif', 'font.sans-serif': ['DejaVu Sans'], 'font.size': 10,
    'axes.spines.top': False, 'axes.spines.right': False, 'axes.linewidth': 0.8,
    'axes.titlesize': 12, 'axes.titleweight': 'bold', 'axes.titlelocation': 'left',
    'axes.grid': True, 'axes.grid.axis': 'y', 'grid.color': '#E4E4E4', 'grid.linewidth': 0.8,
    'axes.axisbelow': True, 'legend.frameon': False, 'xtick.direction': 'out',
}


def bytes_label(value: float) -> str:
  """1024 -> '1 KiB'."""
  for unit, name in ((2**20, 'MiB'), (2**10, 'KiB')):
    if value >= unit:
      return f'{value / unit:.3g} {name}'
  return f'{value:.0f} B'


def line(
    axes: Axes, lengths: np.ndarray, estimates: list[Estimate], colour: str, marker: str,
    label: str,
) -> None:
  """A line of estimates with its 95 % band, where there is one."""
  values = [estimate.value for estimate in estimates]
  lows = [np.nan if e.low is None else e.low for e in estimates]
  highs = [np.nan if e.high is None else e.high for e in estimates]
  axes.fill_between(lengths, lows, highs, color=colour, alpha=0.15, linewidth=0)
  axes.plot(lengths, values, color=colour, marker=marker, markersize=5, linewidth=1.8, label=label)


def _draw_gain(axes: Axes, report: Report, lengths: np.ndarray) -> None:
  """The gain, and below zero the loss that still counts as a success."""
  axes.axhline(0, color=GREY, linewidth=0.8)
  line(axes, lengths, [row.gain for row in report.factors], GAIN_COLOUR, 'o', 'gain')
  axes.axhline(-MARGIN, color=GREY, linewidth=1, linestyle=':')
  axes.annotate(
      f'success: the band stays above this line (−{MARGIN})',
      (1, 0), (-4, 4), xycoords='axes fraction', textcoords='offset points', ha='right',
      color=GREY, fontsize=8)
  low, high = axes.get_ylim()
  axes.set_ylim(low - 0.1 * (high - low), high)
  axes.set(ylabel='gain, bits per byte\n(cut − full)',
           xlabel='context: position in the document, up to')


def figure(report: Report) -> matplotlib.figure.Figure:
  """Bits per byte with full and cut context above, their difference below."""
  lengths = np.array([row.reach for row in report.factors])
  with matplotlib.rc_context(STYLE):
    drawing = matplotlib.figure.Figure(figsize=(7.2, 6.0), layout='constrained')
    above, below = drawing.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    line(above, lengths, [row.cut for row in report.factors], CUT_COLOUR, 's',
          f'context cut to {bytes_label(3 * report.train_length // 4)} – '
          f'{bytes_label(report.train_length)}')
    line(above, lengths, [row.full for row in report.factors], FULL_COLOUR, 'o', 'full context')
    above.set(ylabel='bits per byte',
              title=f'Trained at {bytes_label(report.train_length)}, scored to '
                    f'{bytes_label(lengths[-1])}')
    above.legend(loc='best', handlelength=1.6)
    _draw_gain(below, report, lengths)
    for axes in (above, below):
      axes.axvline(
          report.train_length, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    above.annotate(
        'trained length', (report.train_length, 1), (4, -2), xycoords=('data', 'axes fraction'),
        textcoords='offset points', color=GREY, fontsize=8.5, va='top')
    below.set_xscale('log', base=2)
    below.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    below.set_xticks(lengths, [
        f'{bytes_label(length)}\nn = {row.documents}'
        for length, row in zip(lengths, report.factors, strict=True)
    ])
    below.set_xlim(lengths[0] / 2**0.35, lengths[-1] * 2**0.35)
    drawing.align_ylabels()
    drawing.supxlabel(
        'Same bytes for both contexts. Bands: 95 % intervals over n documents.',
        fontsize=8.5, color=GREY)
  return drawing


def save(report: Report, path: str | os.PathLike[str]) -> None:
  """Writes the picture as PNG, at 200 dots per inch; what was there before is replaced."""
  save_figure(figure(report), path)


def save_figure(drawing: matplotlib.figure.Figure, path: str | os.PathLike[str]) -> None:
  """The same for any figure."""
  png = io.BytesIO()
  with matplotlib.rc_context(STYLE):
    backend_agg.FigureCanvasAgg(drawing)
    drawing.savefig(png, dpi=200, format='png')
  atomic_file.write(path, png.getvalue(), mode=None)
