"""What the measure of an agent's goals found: table, JSON and picture."""

import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib
import matplotlib.figure
import numpy as np

from haiku_spectral.agent import goals
from haiku_spectral.evaluation import bootstrap, plot
from haiku_spectral.evaluation.bootstrap import Estimate
from haiku_spectral.evaluation.report import aligned

TURNS, DISTANCE, NEXT_DAY = 'turns', 'distance', 'next day'  # What a cell is one of several by.
_TITLES = {TURNS: 'by number of turns', DISTANCE: 'by distance', NEXT_DAY: 'another goal, the next '
           'day'}


class Cell(NamedTuple):
  """Goals of one kind."""

  by: str
  turns: int  # Of all days.
  depth: int
  distance: int  # Bytes between the first value and where it is needed: the mean.
  goals: int
  kept: int  # Goals reached with the context kept.
  cut: int  # With the context cut.
  kept_values: float  # Share of the values that are right.
  cut_values: float

  def share(self, name: str) -> Estimate:
    """Of the goals reached, with Wilson's interval."""
    share = getattr(self, name) / self.goals
    return Estimate(share, *bootstrap.of_proportion(share, self.goals))


class Report(NamedTuple):
  """All cells, and what they follow from."""

  source: str  # Which model, for people.
  cut: int  # Bytes that a cut context has beside the goal.
  cells: tuple[Cell, ...]


def to_json(report: Report) -> str:
  """Each cell with its shares and their intervals."""
  def document(cell: Cell) -> dict[str, Any]:
    return {**cell._asdict(), 'kept_share': cell.share('kept')._asdict(),
            'cut_share': cell.share('cut')._asdict(), 'chance': goals.CHANCE}

  return json.dumps({**report._asdict(), 'cells': [document(cell) for cell in report.cells]},
                    indent=2)


def to_text(report: Report) -> str:
  """A row for each cell."""
  lines = [
      report.source, '',
      'Held-out goals that the model reached by its own turns, with 95 % intervals: the context',
      f'kept, saved and loaded on the way; cut to the goal and the last {report.cut:,} bytes. A',
      f'guess of a value is right with a chance of {goals.CHANCE:.4f}.']
  header = ('turns', 'depth', 'distance', 'goals', 'kept', 'cut', 'values right')
  for by in dict.fromkeys(cell.by for cell in report.cells):
    rows = [_row(cell) for cell in report.cells if cell.by == by]
    lines += ['', f'{_TITLES[by]}:', *aligned(header, rows)]
  return '\n'.join(lines)


def _row(cell: Cell) -> tuple[str, ...]:
  return (str(cell.turns), str(cell.depth), f'{cell.distance:,}', str(cell.goals),
          _shown(cell.share('kept')), _shown(cell.share('cut')),
          f'{cell.kept_values:.2f}, {cell.cut_values:.2f}')


def _shown(share: Estimate) -> str:
  return f'{share.value:.2f} [{share.low:.2f}, {share.high:.2f}]'


def figure(report: Report) -> matplotlib.figure.Figure:
  """Goals reached over turns, and over the distance."""
  panels = [by for by in (TURNS, DISTANCE) if any(cell.by == by for cell in report.cells)]
  with matplotlib.rc_context(plot.STYLE):
    drawing = matplotlib.figure.Figure(
        figsize=(1 + 3.9 * max(len(panels), 1), 3.6), layout='constrained')
    for axes, by in zip(drawing.subplots(1, max(len(panels), 1), squeeze=False)[0], panels,
                        strict=False):
      _panel(axes, report, by)
  return drawing


def _panel(axes: Any, report: Report, by: str) -> None:
  cells = [cell for cell in report.cells if cell.by == by]
  places = np.array([cell.turns if by == TURNS else cell.distance for cell in cells])
  for name, colour, marker, label in (
      ('kept', plot.FULL_COLOUR, 'o', 'context kept, saved and loaded'),
      ('cut', plot.CUT_COLOUR, 's', f'cut to the goal and {plot.bytes_label(report.cut)}')):
    plot.line(axes, places, [cell.share(name) for cell in cells], colour, marker, label)
  axes.axhline(goals.CHANCE, color=plot.GREY, linewidth=1, linestyle=':', label='chance')
  axes.set(ylim=(-0.03, 1.03), ylabel='goals reached', title=_TITLES[by].capitalize())
  if by == DISTANCE:
    axes.set_xscale('log', base=2)
    axes.axvline(report.cut, color=plot.GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    axes.set_xticks(places, [plot.bytes_label(place) for place in places], fontsize=8)
    axes.minorticks_off()
  else:
    axes.set_xticks(places)
  axes.set_xlabel('turns' if by == TURNS else 'bytes between a value and where it is needed')
  axes.legend(loc='best', handlelength=1.6, fontsize=8)


def save(report: Report, path: str | os.PathLike[str]) -> None:
  """Writes the picture as PNG, at 200 dots per inch."""
  plot.save_figure(figure(report), path)


def cell(
    by: str, spec: goals.Spec, *, distances: Sequence[int], kept: Sequence[tuple[bool, float]],
    cut: Sequence[tuple[bool, float]],
) -> Cell:
  """A cell of goals: whether each was reached, and the share of its values that are right."""
  def mean(shares: Sequence[float]) -> float:
    return float(np.mean(shares))

  return Cell(
      by, spec.turns + spec.next_day, spec.depth, round(mean(distances)), len(kept),
      sum(reached for reached, _ in kept), sum(reached for reached, _ in cut),
      mean([share for _, share in kept]), mean([share for _, share in cut]))
