"""A training run as the page shows it, from the files that the run writes."""

import math
import pathlib
from typing import Any

import numpy as np

from haiku_spectral.config import Config, phases
from haiku_spectral.training import metrics, run_folder

POINTS = 400  # Of a curve, at most.
_SHOWN = ('loss', 'learning_rate', 'gradient_norm', 'tokens_per_second', 'skipped_steps')


def curves(run_dir: pathlib.Path) -> dict[str, Any]:
  """Where a run is, and its curves. Raises FileNotFoundError or ValueError for no run."""
  config = run_folder.read_config(run_dir)
  rows = metrics.read(run_dir)
  step = max((row['step'] for row in rows), default=0)
  return {
      'name': run_dir.name, 'steps': phases.total_steps(config), 'step': step,
      'bytes_left': _bytes_left(config, step),
      'curves': {kind: _curve([row for row in rows if row['kind'] == kind])
                 for kind in (metrics.TRAIN, metrics.HELDOUT)},
  }


def _bytes_left(config: Config, step: int) -> int:
  """What the run has still to train on."""
  return sum(
      phase.data.batch_size * stage.segment
      * max(min(stage.first_step + stage.steps - step, stage.steps), 0)
      for phase in phases.plan(config) for stage in phase.stages)


def _curve(rows: list[metrics.Row]) -> dict[str, list[float | None]]:
  """Columns of at most POINTS points, each the mean of the rows that it stands for."""
  names = sorted({name for row in rows for name in row
                  if name in _SHOWN or name.startswith('loss/')})
  bins = np.array_split(np.arange(len(rows)), min(POINTS, len(rows))) if rows else []
  columns: dict[str, list[float | None]] = {
      'step': [rows[where[-1]]['step'] for where in bins]}
  for name in names:
    columns[name] = [_mean([rows[i].get(name) for i in where]) for where in bins]
  return columns


def _mean(values: list[Any]) -> float | None:
  known = [value for value in values if isinstance(value, int | float) and math.isfinite(value)]
  return sum(known) / len(known) if known else None
