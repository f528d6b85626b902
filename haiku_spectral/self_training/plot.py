"""The picture of a run of self-improvement: arms by round, and depths by round."""

import os
from collections.abc import Mapping, Sequence

import matplotlib
import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends import backend_agg

from haiku_spectral.evaluation.plot import CUT_COLOUR, FULL_COLOUR, GAIN_COLOUR, GREY, STYLE
from haiku_spectral.self_training.evaluation import DEEP

_LOOKS = {'golden': (FULL_COLOUR, 'o'), 'control': (CUT_COLOUR, 's'), 'unfiltered': (GREY, '^'),
          'oracle': (GAIN_COLOUR, 'D')}

Rounds = Sequence[Mapping[int, float]]  # pass@1 by depth, the base model's first.


def _deep(rounds: Rounds) -> list[float]:
  return [float(np.mean([value for depth, value in one.items() if depth >= DEEP]))
          for one in rounds]


def _mean(seeds: Sequence[Sequence[float]]) -> np.ndarray:
  """Over the seeds, of the rounds that all of them have."""
  count = min(map(len, seeds))
  return np.mean([one[:count] for one in seeds], axis=0)


def _draw_arms(axes: Axes, arms: Mapping[str, Sequence[Rounds]]) -> None:
  """A thin line for each seed, a thick one for their mean."""
  for arm, (colour, marker) in _LOOKS.items():
    seeds = [_deep(rounds) for rounds in arms.get(arm, ())]
    if not seeds:
      continue
    for one in seeds if len(seeds) > 1 else ():
      axes.plot(range(len(one)), one, color=colour, linewidth=0.8, alpha=0.35)
    mean = _mean(seeds)
    axes.plot(range(len(mean)), mean, color=colour, marker=marker, markersize=5, linewidth=2,
              label=arm)
  if axes.lines:
    axes.legend(loc='best', handlelength=1.6)
  longest = max((len(rounds) for seeds in arms.values() for rounds in seeds), default=1)
  axes.set_xticks(range(longest), ['base', *map(str, range(1, longest))])
  axes.set(xlabel='round', ylabel=f'pass@1, mean of depth {DEEP} and deeper',
           title='What the rounds learn from')


def _draw_depths(axes: Axes, seeds: Sequence[Rounds], arm: str) -> None:
  """A line for each round, darker with time."""
  count = min(map(len, seeds))
  colours = matplotlib.colormaps['Blues'](np.linspace(0.35, 1.0, count))
  for number, colour in zip(range(count), colours, strict=True):
    depths = list(seeds[0][number])
    values = [np.mean([rounds[number][depth] for rounds in seeds]) for depth in depths]
    axes.plot(depths, values, color=colour, marker='o', markersize=4, linewidth=1.8,
              label=f'round {number}' if number else 'base')
  axes.legend(loc='best', handlelength=1.6)
  axes.set_xticks(list(seeds[0][0]))
  axes.set(xlabel='depth', ylabel='pass@1', title=f'{arm}, by depth')


def figure(arms: Mapping[str, Sequence[Rounds]]) -> matplotlib.figure.Figure:
  """By arm, for each seed, for each round: pass@1 by depth."""
  with matplotlib.rc_context(STYLE):
    drawing = matplotlib.figure.Figure(figsize=(9.6, 4.2), layout='constrained')
    left, right = drawing.subplots(1, 2)
    _draw_arms(left, arms)
    shown = 'golden' if arms.get('golden') else next(iter(arms))
    _draw_depths(right, arms[shown], shown)
    for axes in (left, right):
      axes.set_ylim(0, 1)
    drawing.supxlabel(
        'Held-out problems, greedy completions.' + (
            f' Lines: means of {len(arms[shown])} seeds; thin: single seeds.'
            if len(arms[shown]) > 1 else ''), fontsize=8.5, color=GREY)
  return drawing


def save(arms: Mapping[str, Sequence[Rounds]], path: str | os.PathLike[str]) -> None:
  """Writes the picture as PNG, at 200 dots per inch."""
  drawing = figure(arms)
  with matplotlib.rc_context(STYLE):
    backend_agg.FigureCanvasAgg(drawing)
    drawing.savefig(path, dpi=200, format='png')
