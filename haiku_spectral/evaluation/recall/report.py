"""What an evaluation of recall found, as a table for the terminal and as JSON."""

import dataclasses
import json
from collections.abc import Sequence

import numpy as np

from haiku_spectral.evaluation import bootstrap
from haiku_spectral.evaluation.recall.scoring import Cell
from haiku_spectral.evaluation.recall.tasks import TASKS
from haiku_spectral.evaluation.report import aligned

HEADER = ('task', 'length', 'answers', 'exact', '95 %', 'worst depth', 'chance', 'bytes', 'first',
          'chance', 'bits/byte', 'chance')


def to_json(cells: Sequence[Cell], *, source: str, seed: int) -> str:
  """Every cell with the interval of its exact answers, and what its task is."""
  about = {cell.task: TASKS[cell.task].about for cell in cells}
  return json.dumps({'source': source, 'seed': seed, 'tasks': about,
                     'cells': [{**dataclasses.asdict(cell), 'exact_interval': interval([cell])}
                               for cell in cells]}, indent=2)


def interval(cells: Sequence[Cell]) -> tuple[float, float]:
  """Of the share of exact answers, over texts: answers in one text may depend on each other."""
  share = float(np.mean([cell.exact for cell in cells]))
  return bootstrap.of_proportion(share, sum(cell.examples for cell in cells))


def to_text(cells: Sequence[Cell], *, source: str) -> str:
  """A row for each task and length: means over the depths, and the depth that is worst."""
  groups: dict[tuple[str, int], list[Cell]] = {}
  for cell in cells:
    groups.setdefault((cell.task, cell.length), []).append(cell)
  lines = aligned(HEADER, list(map(_row, groups.values())), words=1)
  notes = [f'  {name}: {TASKS[name].about}' for name in dict.fromkeys(cell.task for cell in cells)]
  return '\n'.join([
      source, '',
      'exact: answers of which each byte was the most likely one, with an interval over texts;',
      'bytes: all bytes of the answers; first: their first ones. Beside each number is what chance',
      'gives.', *notes, '', *lines])


def _row(group: list[Cell]) -> tuple[str, ...]:
  """Cells of one task and length, which have as many answers each."""
  one = group[0]
  # Where nothing can be known the worst is what was recalled all the same.
  worst = (min if one.recallable else max)(group, key=lambda cell: cell.exact)

  def mean(field: str) -> float:
    return float(np.mean([getattr(cell, field) for cell in group]))

  return (
      one.task, f'{one.length:,}', str(sum(cell.answers for cell in group)),
      percent(mean('exact')), ' to '.join(f'{100 * end:.0f}' for end in interval(group)),
      f'{percent(worst.exact)} at {worst.depth:g}',
      percent(one.chance_exact), percent(mean('byte_accuracy')), percent(mean('first_byte')),
      percent(one.chance_byte), f'{mean("bits_per_byte"):.2f}', f'{one.chance_bits:.2f}')


def percent(share: float) -> str:
  """0.0385 -> '3.8 %'."""
  return f'{100 * share:.1f} %'
