"""What the measure of horizons found: table, JSON and picture."""

import dataclasses
import json
import os
from collections.abc import Sequence

import matplotlib
import matplotlib.figure
import numpy as np

from haiku_spectral.evaluation import bootstrap, plot
from haiku_spectral.evaluation.bootstrap import Estimate

PERSISTENT, FRESH = 'persistent context', 'fresh context'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
  """Goals of one length."""

  length: int  # Sub-tasks.
  different: int  # Goals whose problems differ in their objects: intervals count these.
  persistent: Estimate  # Share of goals reached.
  fresh: Estimate
  difference: Estimate  # persistent - fresh, paired by goal.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
  """Success by length, and what it follows from."""

  source: str  # Which model on which problems, for people.
  goals: int
  rows: tuple[Row, ...]
  by_position: dict[str, tuple[float, ...]]  # Share of right answers to the i-th sub-task.
  restart_bytes: int  # Written once more with restarts, and not one of them another.


def summarize(
    source: str,
    lengths: tuple[int, ...],
    persistent: np.ndarray,  # [goals, sub-tasks] bool
    fresh: np.ndarray,  # [goals, sub-tasks] bool
    restart_bytes: int,
    *,
    objects: Sequence[Sequence[str]],  # [goals][sub-tasks] of the persistent context's problems.
) -> Report:
  """The report on which answers were right.

  Goals about the same objects are no independent evidence, so intervals count different ones.
  """
  rows = []
  for length in sorted(lengths):
    reached = [np.all(right[:, :length], axis=1) for right in (persistent, fresh)]
    _, groups = np.unique(['\n'.join(keys[:length]) for keys in objects], return_inverse=True)
    different = int(groups.max()) + 1
    counted = (*(np.asarray(each, float) for each in reached), np.ones(len(groups)))
    sums = np.stack([np.bincount(groups, values) for values in counted], axis=1)
    rows.append(Row(
        length=length, different=different, persistent=_share(reached[0], different),
        fresh=_share(reached[1], different),
        difference=bootstrap.estimate(
            sums, lambda sums: (sums[..., 0] - sums[..., 1]) / sums[..., 2])))
  by_position = {name: tuple(right.mean(axis=0).tolist())
                 for name, right in ((PERSISTENT, persistent), (FRESH, fresh))}
  return Report(source=source, goals=len(persistent), rows=tuple(rows), by_position=by_position,
                restart_bytes=restart_bytes)


def _share(reached: np.ndarray, count: int) -> Estimate:  # [goals] bool
  """With Wilson's interval for `count` draws: a bootstrap gives none where all goals end alike."""
  share = float(reached.mean())
  return Estimate(share, *bootstrap.of_proportion(share, count))


def to_json(report: Report) -> str:
  """The report, with names for the numbers of an estimate."""
  document = dataclasses.asdict(report)
  for plain, row in zip(document['rows'], report.rows, strict=True):
    for name in ('persistent', 'fresh', 'difference'):
      plain[name] = getattr(row, name)._asdict()
  return json.dumps(document, indent=2)


def _interval(estimate: Estimate, form: str) -> str:
  if estimate.low is None or estimate.high is None:
    return f'{estimate.value:{form}}'.ljust(22)
  return f'{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]'.ljust(22)


def to_text(report: Report) -> str:
  """A table of goals and one of sub-tasks."""
  lines = [
      report.source,
      f'{report.goals} goals of chained sub-tasks; a goal is reached if all its answers are right '
      '(95 % intervals, in which goals about the same objects count as one):',
      f'{"sub-tasks":>9}  {PERSISTENT:<22}  {FRESH:<22}  difference, paired',
  ]
  for row in report.rows:
    lines.append(f'{row.length:>9}  {_interval(row.persistent, ".2f")}  '
                 f'{_interval(row.fresh, ".2f")}  {_interval(row.difference, "+.2f").rstrip()}')
  lines += ['', 'Share of right answers by the place in the goal:']
  for name, shares in report.by_position.items():
    lines.append(f'  {name:<18}  ' + ' '.join(f'{share:.2f}' for share in shares))
  lines += ['', f'Stopped and loaded in the middle: the same {report.restart_bytes:,} bytes.']
  return '\n'.join(lines)


def figure(report: Report) -> matplotlib.figure.Figure:
  """Success by length, with what independent sub-tasks would give."""
  lengths = np.array([row.length for row in report.rows])
  with matplotlib.rc_context(plot.STYLE):
    drawing = matplotlib.figure.Figure(figsize=(6.4, 3.8), layout='constrained')
    axes = drawing.subplots()
    for name, colour, marker, estimates in (
        (PERSISTENT, plot.FULL_COLOUR, 'o', [row.persistent for row in report.rows]),
        (FRESH, plot.CUT_COLOUR, 's', [row.fresh for row in report.rows]),
    ):
      plot.line(axes, lengths, estimates, colour, marker, name)
    single = np.mean(report.by_position[FRESH])
    axes.plot(lengths, single**lengths, color=plot.GREY, linewidth=1, linestyle=':',
              label=f'{single:.2f} to the power of m')
    axes.set_xscale('log', base=2)
    axes.set_xticks(lengths, [str(length) for length in lengths])
    axes.set(ylim=(-0.03, 1.03), xlabel='m: chained sub-tasks of a goal', ylabel='goals reached',
             title=f'{report.goals} goals, all answers right')
    axes.legend(loc='best', handlelength=1.6)
  return drawing


def save(report: Report, path: str | os.PathLike[str]) -> None:
  """Writes the picture as PNG, at 200 dots per inch."""
  plot.save_figure(figure(report), path)
