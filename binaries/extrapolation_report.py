"""Held-out documents in, report and picture out: for the evaluation and the hook of training."""

import dataclasses
import pathlib
from typing import Any

import haiku as hk

from binaries import command_line, text_sources
from haiku_spectral import config as config_lib
from haiku_spectral.config import phases
from haiku_spectral.evaluation import extrapolation, plan, report
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.storage import atomic_file
from haiku_spectral.training import task

HOOK_MAX_FACTOR = 16
HOOK_DOCUMENTS = 8


class _Stopped(Exception):
  """Training is to stop, and the hook with it."""


def write(
    found: report.Report, folder: pathlib.Path, *, name: str = 'extrapolation'
) -> tuple[pathlib.Path, pathlib.Path]:
  """Writes NAME.json and NAME.png into a folder, and returns their paths."""
  from haiku_spectral.evaluation import plot  # Here, so that training need not wait for it to load.

  folder.mkdir(parents=True, exist_ok=True)
  paths = folder / f'{name}.json', folder / f'{name}.png'
  atomic_file.write_text(paths[0], command_line.with_command(report.to_json(found)))
  plot.save(found, paths[1])
  return paths


def training_hook(
    config: config_lib.Config, model: spectral_gpt.Model, *, data_dir: str, run_dir: pathlib.Path
) -> task.Hook:
  """Evaluates extrapolation to 16x on the longest held-out documents every so many steps.

  The report in the run's folder is the latest one's. Raises ValueError at once when no document is
  long enough.
  """
  names = list(config_lib.parse_mixture(config.data.mixture))
  wanted = plan.Plan(config.data.segment, HOOK_MAX_FACTOR)
  chosen = plan.longest(
      text_sources.of_datasets(
          names, data_dir=data_dir, split='validation', limit=wanted.limit),
      count=HOOK_DOCUMENTS, limit=wanted.limit)
  if not any(wanted.factors(len(data)) for _, data in chosen):
    raise ValueError(
        f'config.train.extrapolation_every={config.train.extrapolation_every}, but no held-out '
        f'document of {", ".join(names)} is as long as a segment of {config.data.segment} bytes: '
        'give 0, or longer documents.')

  def call(step: int, params: hk.Params, stop: task.Stop) -> dict[str, Any] | None:
    def watch(scored: int) -> None:
      del scored
      if stop():
        raise _Stopped

    try:
      found = extrapolation.evaluate(
          model, params, chosen, train_length=config.data.segment, max_factor=HOOK_MAX_FACTOR,
          on_progress=watch)
    except _Stopped:
      return None
    source = f'{run_dir} at step {step:,} on {", ".join(names)} (validation)'
    write(dataclasses.replace(
        found, source=source, trained_context=phases.trained_context(config)), run_dir)
    scalars: dict[str, Any] = {}
    for row in found.factors:
      scalars[f'bits_per_byte_{row.factor}x'] = row.full.value
      scalars[f'gain_{row.factor}x'] = row.gain.value
    return scalars

  return task.Hook('extrapolation', config.train.extrapolation_every, call)
