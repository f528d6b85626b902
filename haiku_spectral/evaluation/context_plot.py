"""The picture of an evaluation of context length: bits per byte, EffRem, against the context."""

import os

import matplotlib
import matplotlib.figure
import matplotlib.ticker
import numpy as np

from haiku_spectral.evaluation import plot
from haiku_spectral.evaluation.context_report import Report

# Okabe and Ito's palette again, without the model's blue.
_COLOURS = ('#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#000000')
_DRAWN = ('PPMd order 6', 'xz -9e', 'bzip2 -9', 'zstd -19', 'zpaq -m5')  # Of the compressors.


def figure(report: Report) -> matplotlib.figure.Figure:
  """A line for the model, one for each compressor, and what the shortest context costs.

  Below, what of the predictions the context beyond still changes.
  """
  lengths = np.array([row.context for row in report.rows])
  with matplotlib.rc_context(plot.STYLE):
    drawing = matplotlib.figure.Figure(figsize=(8.4, 5.4), layout='constrained')
    axes, below = drawing.subplots(2, sharex=True, height_ratios=(3, 1))
    bits = [row.over_runs or row.bits_per_byte for row in report.rows]
    plot.line(axes, lengths, bits, plot.FULL_COLOUR, 'o', 'this model')
    axes.axhline(bits[0].value, color=plot.FULL_COLOUR, linewidth=1, linestyle=(0, (4, 3)),
                 label=f'this model, cut to {plot.bytes_label(lengths[0])}')
    for name, colour in zip(_DRAWN, _COLOURS, strict=False):
      values = np.array([row.compressors.get(name) or np.nan for row in report.rows])
      if not np.isnan(values).all():
        axes.plot(lengths, values, color=colour, marker='D', markersize=3.5, linewidth=1.2,
                  label=name)
    plot.line(below, lengths, [row.remembrance for row in report.rows], plot.FULL_COLOUR, 'o', '')
    for each, label in ((axes, 'oldest state in training'), (below, None)):
      each.axvline(report.trained_context, color=plot.GREY, linewidth=1, linestyle=':', zorder=0,
                   label=label)
    axes.set_xscale('log', base=2)
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.set_xticks(lengths, [
        plot.bytes_label(row.context) + ('\nwhole' if row.whole else '') for row in report.rows])
    axes.set_xlim(lengths[0] / 2**0.5, lengths[-1] * 2**0.5)
    axes.set(ylabel='bits per byte', title='The same bytes with more and more context')
    below.set(ylabel='EffRem', xlabel='context, at least', ylim=(0, None))
    drawing.legend(loc='outside right upper', handlelength=1.6, fontsize=9)
    drawing.supxlabel(_caption(report), fontsize=8.5, color=plot.GREY)
  return drawing


def _caption(report: Report) -> str:
  text = (f'The last {report.bytes:,} bytes of {report.documents} held-out '
          f'document{"s" * (report.documents > 1)}.')
  over = (f' over {report.runs} runs' if report.runs > 1 else
          ' over documents' if report.documents > 1 else '')
  return text + (f' Bands: 95 % intervals{over}.' if over else '')


def save(report: Report, path: str | os.PathLike[str]) -> None:
  """Writes the picture as PNG, at 200 dots per inch; what was there before is replaced."""
  plot.save_figure(figure(report), path)
