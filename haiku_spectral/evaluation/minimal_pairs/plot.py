"""The picture of minimal pairs: shares by phenomenon, of all pairs and of those of equal length."""

from collections.abc import Sequence

import matplotlib
import matplotlib.figure
from matplotlib.axes import Axes

from haiku_spectral.evaluation import plot
from haiku_spectral.evaluation.minimal_pairs.scoring import SHORTER, Row

_LOOKS = ((plot.FULL_COLOUR, 'o'), (plot.CUT_COLOUR, 's'), (plot.GAIN_COLOUR, '^'))
_PANELS = {'sum': 'all pairs, by the sum', 'per byte': 'all pairs, per byte',
           'equal length': 'pairs of equal length'}


def figure(rows: Sequence[Row]) -> matplotlib.figure.Figure:
  """A line per phenomenon, the average last, and a mark per scorer with its interval."""
  with matplotlib.rc_context(plot.STYLE | {'axes.grid.axis': 'x'}):
    drawing = matplotlib.figure.Figure(
        figsize=(11.0, 1.6 + 0.32 * len(rows)), layout='constrained')
    panels = drawing.subplots(1, len(_PANELS), sharey=True)
    for axes, (way, title) in zip(panels, _PANELS.items(), strict=True):
      _panel(axes, rows, way)
      axes.set_title(title, fontsize=10)
    panels[0].set_yticks(
        range(len(rows)), [row.phenomenon.replace('_', ' ') for row in rows], fontsize=8.5)
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc='outside lower center', ncols=len(labels), fontsize=9)
    panels[1].set_xlabel('share of the pairs whose right sentence is the likelier one; '
                         'bars: 95 % intervals', fontsize=9)
  return drawing


def _panel(axes: Axes, rows: Sequence[Row], way: str) -> None:
  axes.axvline(0.5, color=plot.GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
  axes.axhline(len(rows) - 1.5, color='#E4E4E4', linewidth=0.8)
  scorers = [name for name in rows[0].shares if name != SHORTER]
  for number, name in enumerate(scorers):
    colour, marker = _LOOKS[number % len(_LOOKS)]
    shift = 0.24 * (number - (len(scorers) - 1) / 2)
    known = [(place + shift, share) for place, row in enumerate(rows)
             if (share := row.shares[name][way]) is not None]
    bars = [(0.0, 0.0) if share.low is None or share.high is None
            else (share.value - share.low, share.high - share.value) for _, share in known]
    axes.errorbar([share.value for _, share in known], [place for place, _ in known],
                  xerr=list(zip(*bars, strict=True)) or None, fmt=marker, color=colour,
                  markersize=4.5, elinewidth=1.2, label=name)
  if way == 'sum':
    shares = [row.shares[SHORTER]['sum'] for row in rows]
    axes.plot([share.value for share in shares if share],
              [place for place, share in enumerate(shares) if share], '|', color=plot.GREY,
              markersize=11, markeredgewidth=2, label='the shorter one')
  axes.set_xlim(-0.03, 1.03)
  axes.tick_params(axis='y', length=0)
