"""The picture of a run of self-improvement: the frontier by round, and what is solved below it."""

import os
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib
import matplotlib.figure
import matplotlib.ticker
import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from haiku_spectral.evaluation.plot import (
  CUT_COLOUR,
  FULL_COLOUR,
  GAIN_COLOUR,
  GREY,
  STYLE,
  save_figure,
)
from haiku_spectral.self_training.claim import GOLDEN, UNFILTERED, Found
from haiku_spectral.self_training.evaluation import Evaluation

_LOOKS = {GOLDEN: (FULL_COLOUR, 'o'), UNFILTERED: (GREY, '^'), 'control': (CUT_COLOUR, 's'),
          'oracle': (GAIN_COLOUR, 'D'), 'agreement': ('#CC79A7', 'v')}
Seeds = Sequence[Sequence[Evaluation]]  # The rounds of each seed, the base model's first.


def _prolonged(seeds: Seeds) -> list[list[Evaluation]]:
  """All as long as the longest: what has ended early stays what it was."""
  longest = max(map(len, seeds))
  return [[*rounds, *[rounds[-1]] * (longest - len(rounds))] for rounds in seeds]


def _draw_frontier(axes: Axes, arms: Mapping[str, Seeds]) -> None:
  """A thin line for each seed, a thick one for their mean."""
  for arm, (colour, marker) in _LOOKS.items():
    if not (seeds := arms.get(arm)):
      continue
    for one in seeds if len(seeds) > 1 else ():
      axes.plot(range(len(one)), [each.frontier for each in one], color=colour, linewidth=0.8,
                alpha=0.4)
    mean = np.mean([[each.frontier for each in one] for one in _prolonged(seeds)], axis=0)
    axes.plot(range(len(mean)), mean, color=colour, marker=marker, markersize=5, linewidth=2,
              label=arm)
  base = next(iter(arms.values()))[0][0]
  deepest = max(map(int, base.greedy))
  if base.labelled_depth < deepest:
    axes.axhline(base.labelled_depth, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    axes.annotate('labelled up to here', (1, base.labelled_depth), (-4, -11),
                  xycoords=('axes fraction', 'data'), textcoords='offset points', ha='right',
                  color=GREY, fontsize=8.5)
  if axes.get_legend_handles_labels()[0]:
    axes.legend(loc='best', handlelength=1.6, frameon=True, framealpha=1, edgecolor='none')
  longest = max(len(rounds) for seeds in arms.values() for rounds in seeds)
  axes.set_xticks(range(longest), ['base', *map(str, range(1, longest))])
  axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
  axes.set_ylim(0, deepest + 0.5)
  axes.set(xlabel='round', ylabel='depth', title='Frontier: deepest with pass@8 ≥ 0.05')


def _draw_depths(axes: Axes, seeds: Seeds, arm: str) -> AxesImage:
  """pass@1 by depth over rounds, the mean of the seeds."""
  depths = list(seeds[0][0].greedy)
  values = np.array([[np.mean([each.greedy[depth] for each in of_round])
                      for of_round in zip(*_prolonged(seeds), strict=True)] for depth in depths])
  image = axes.imshow(values, origin='lower', aspect='auto', cmap='viridis', vmin=0, vmax=1)
  axes.grid(visible=False)
  for (row, column), value in np.ndenumerate(values):
    axes.text(column, row, f'{value:.2f}'.removeprefix('0') if value < 0.995 else '1',
              ha='center', va='center', fontsize=7, color='black' if value > 0.6 else 'white')
  axes.set_yticks(range(len(depths)), depths)
  axes.set_xticks(range(values.shape[1]), ['base', *map(str, range(1, values.shape[1]))])
  labelled = seeds[0][0].labelled_depth
  if labelled < len(depths):
    axes.axhline(labelled - 0.5, color='white', linewidth=1.5, linestyle=(0, (4, 3)))
  axes.set(xlabel='round', ylabel='depth', title=f'pass@1, {arm}')
  return image


def figure(found: Found, headline: str) -> matplotlib.figure.Figure:
  """The headline, the frontier of all arms, and the depths of golden and unfiltered."""
  arms = {arm: list(by_seed.values()) for arm, by_seed in found.evaluations.items()}
  shown = [arm for arm in (GOLDEN, UNFILTERED) if arms.get(arm)] or [next(iter(arms))]
  count = len(next(iter(arms.values())))
  with matplotlib.rc_context(STYLE):
    drawing = matplotlib.figure.Figure(
        figsize=(4.4 + 4.2 * len(shown), 4.6), layout='constrained')
    left, *others = drawing.subplots(1, 1 + len(shown))
    _draw_frontier(left, arms)
    for axes, arm in zip(others, shown, strict=True):
      image = _draw_depths(axes, arms[arm], arm)
    drawing.colorbar(image, ax=others, fraction=0.04, pad=0.02)
    drawing.suptitle('\n'.join(textwrap.wrap(headline, 46 + 42 * len(shown))), x=0.01, ha='left',
                     fontsize=11, fontweight='bold')
    seeds = (f'Thick lines and cells: means of {count} seeds, where one that has ended early '
             'stays; thin lines: single seeds.')
    drawing.supxlabel('Held-out problems. ' + (seeds if count > 1 else 'One seed.'),
                      fontsize=8.5, color=GREY)
  return drawing


def save(found: Found, headline: str, path: str | os.PathLike[str]) -> None:
  """Writes the picture as PNG, at 200 dots per inch."""
  save_figure(figure(found, headline), path)
