"""The suite `train`: the speed and memory of training, by the length of the rows."""

import contextlib
import functools
import os
import pathlib
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from haiku_spectral.benchmarks import plot, step_worker
from haiku_spectral.benchmarks.report import Cell, Row, Section
from haiku_spectral.benchmarks.settings import Settings
from haiku_spectral.benchmarks.subject import Subject

OURS, GPT2, MAMBA = 'SpectralGPT', 'GPT-2', 'Mamba'
MISSING = '-'
Start = Callable[[Sequence[str]], step_worker.Worker]


class Measured(NamedTuple):
  """What a model's steps came to at one length; medians over the rounds."""

  seconds: float
  peak: int  # Bytes.
  parameters: int
  flops: float = 0.0  # Of a step; 0: not known.
  rate: float = 0.0  # Of products of matrices, beside the steps, per second.


def commands(subject: Subject, settings: Settings, rows: int, length: int) -> dict[str, list[str]]:
  """What is started to measure each model."""
  size = sum(leaf.size for leaf in jax.tree.leaves(subject.params))
  run_dir = str(pathlib.Path(settings.run_dir).resolve()) if settings.run_dir else ''
  baseline = ['./run', '//haiku_spectral/benchmarks:transformer_train_step']
  sizes = [str(rows), str(length), str(size), str(os.cpu_count())]
  return {
      OURS: [sys.executable, '-m', 'haiku_spectral.benchmarks.train_step', run_dir, *sizes[:2]],
      GPT2: [*baseline, 'gpt2', *sizes], MAMBA: [*baseline, 'mamba', *sizes]}


def measure(
    models: Mapping[str, Sequence[str]], repeats: int, start: Start
) -> tuple[dict[str, Measured], dict[str, str]]:
  """Steps of all models in alternation; the models that could not be measured, and why."""
  found: dict[str, list[dict[str, Any]]] = {}
  failed: dict[str, str] = {}
  with contextlib.ExitStack() as stack:
    workers = {}
    for name, command in models.items():
      try:
        workers[name] = stack.enter_context(start(command))
      except (step_worker.WorkerError, OSError) as error:
        failed[name] = str(error)
    for _ in range(repeats):
      for name, worker in workers.items():
        if name not in failed:
          try:
            found.setdefault(name, []).append(worker.step())
          except step_worker.WorkerError as error:
            failed[name] = str(error)
  measured = {name: _median(workers[name].about, steps) for name, steps in found.items()
              if name not in failed}
  return measured, failed


def _median(about: Mapping[str, Any], steps: list[dict[str, Any]]) -> Measured:
  rates = [each['rate'] for each in steps if 'rate' in each]
  return Measured(
      statistics.median(each['seconds'] for each in steps), max(each['peak'] for each in steps),
      about['parameters'], about.get('flops', 0.0), statistics.median(rates) if rates else 0.0)


def exponent(seconds: Mapping[int, float]) -> float:  # By length, of a row.
  """The slope of log time against log length."""
  return float(np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0])


def steps(subject: Subject, settings: Settings, *, start: Start | None = None) -> Section:
  """Training steps by length, beside GPT-2 and Mamba of the same size."""
  begin: Start = start or functools.partial(step_worker.Worker, limit=settings.worker_seconds)
  found: dict[int, dict[str, Measured]] = {}
  failures: dict[str, str] = {}  # What could not be measured is not tried with longer rows.
  for length in settings.lengths:
    chosen = {name: command for name, command in commands(
        subject, settings, _rows(settings, length), length).items() if name not in failures}
    found[length], failed = measure(chosen, settings.repeats, begin)
    failures |= {name: f'{name} from {length:,} on: {reason}.' for name, reason in failed.items()}
  table = [_row(settings, length, name, of_length, _exponent_of(settings, found, name))
           for length, of_length in found.items() for name in of_length]
  note = (f'{subject.name}: a step is forward, backward and the optimiser, on random bytes in '
          f'float32; {settings.step_bytes:,} bytes per step or one row, models in alternation, '
          f'median of {settings.repeats} rounds, all warm. Parameters without the table of '
          'positions; GPT-2 with SDPA; Mamba as transformers computes it without kernels of its '
          'own. Products: of 1024 x 1024 matrices in JAX, measured beside the steps. Exponent: of '
          'the time per row against its length.')
  return Section('Training by length', ' '.join([note, *failures.values()]), table)


def _rows(settings: Settings, length: int) -> int:
  return max(settings.step_bytes // length, 1)


def _row(
    settings: Settings, length: int, name: str, found: Mapping[str, Measured], slope: Cell
) -> Row:
  one, count = found[name], _rows(settings, length)
  speed = count * length / one.seconds
  baseline = found.get(GPT2)
  return {
      'model': name, 'parameters': one.parameters, 'length': length, 'rows': count,
      'bytes/s': speed,
      'over GPT-2': baseline.seconds / one.seconds if baseline else MISSING,
      'GFLOP/s': one.flops / one.seconds / 1e9 if one.flops else MISSING,
      'of products, %': 100 * one.flops / one.seconds / one.rate if one.rate else MISSING,
      'peak, MiB': one.peak / 2**20, 'exponent': slope}


def _exponent_of(
    settings: Settings, found: Mapping[int, Mapping[str, Measured]], name: str
) -> Cell:
  seconds = {length: models[name].seconds / _rows(settings, length)
             for length, models in found.items() if name in models}
  return exponent(seconds) if len(seconds) > 1 else MISSING


SECTIONS: dict[str, Callable[[Subject, Settings], Section]] = {'steps': steps}


def draw(sections: Mapping[str, Section], folder: pathlib.Path) -> list[pathlib.Path]:
  """Writes train.png: bytes per second by length; returns what was written."""
  curves: dict[str, dict[int, float]] = {}
  for row in sections['steps'].rows if 'steps' in sections else ():
    curves.setdefault(str(row['model']), {})[int(row['length'])] = float(row['bytes/s'])
  if not curves:
    return []
  plot.save(plot.figure(
      curves, title='Speed of training, by the length of the rows', ylabel='bytes (tokens) per s',
      xlabel='length of a row, bytes (tokens)'), folder / 'train.png')
  return [folder / 'train.png']
