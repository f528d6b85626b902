"""The loop of a training: steps, measurements, checkpoints, and the end, whatever brings it.

A run is a function of its config and data alone: stopped and resumed anywhere, it takes the same
steps and writes the same rows. While a step runs on the devices, its successor's batch is placed
and the metrics of its predecessor are noted.
"""

import contextlib
import errno
import pathlib
from typing import Any, NamedTuple

import jax
from jax.sharding import Mesh

from haiku_spectral.config import Config, phases
from haiku_spectral.parallel import hosts
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import (
  accumulators,
  checkpoint_store,
  gradients,
  guards,
  measurements,
  metrics,
  run_folder,
  speed,
  step,
)
from haiku_spectral.training import run as runs
from haiku_spectral.training.task import Batches, Outcome, Report, Stop, Task

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)


class _Unread(NamedTuple):
  """The metrics of a step that may still run."""

  step: int
  metrics: step.StepMetrics


def train(
    config: Config, task: Task, *, run_dir: pathlib.Path, stop: Stop = lambda: False,
    mesh: Mesh | None = None, report: Report = print, until: int | None = None,
    profile: pathlib.Path | None = None,
) -> Outcome:
  """Starts the run in `run_dir`, or goes on with it, until it is finished or `stop` says so.

  With `until` it is finished for now at that step: the same call goes on with a later one. The
  folder `profile` gets a trace of a few steps, once the first are over.

  Raises ValueError when the config contradicts the run's, when no checkpoint of it is complete, and
  (as TooManySkippedSteps, after saving) when the guards give up; OSError, naming the last good
  checkpoint, when nothing can be saved or (as LostProcess) another process of the run is gone.
  """
  mesh = mesh or meshes.data_mesh()
  meshes.check(mesh, config)
  try:
    return _train(config, task, run_dir, stop, mesh, report, until, profile)
  except OSError as error:
    if error.errno not in DISK_ERRORS:
      raise
    raise OSError(f'{run_dir} cannot be written to ({error.strerror}). '
                  f'{checkpoint_store.describe_last(run_dir)}') from error


def _train(
    config: Config, task: Task, run_dir: pathlib.Path, stop: Stop, mesh: Mesh, report: Report,
    until: int | None, profile: pathlib.Path | None,
) -> Outcome:
  """`train`, whose disk may be full."""
  steps = phases.total_steps(config)
  report = report if hosts.is_main() else _silent
  with contextlib.ExitStack() as stack:
    if hosts.is_main():
      stack.enter_context(run_folder.locked(run_dir))
    hosts.wait()
    for change in run_folder.changes(run_dir, config):
      report(f'from now on {change}')
    run = runs.Run(
        config, task, run_dir, mesh, hosts.StopVote(stop), report,
        end=steps if until is None else min(until, steps),
        train_step=step.make_train_step(task.model, config, mesh),
        loss_of=step.make_loss(task.model, config, mesh))
    position = runs.start(run)
    out = runs.open_outputs(run, position, stack, profile)
    batches = stack.enter_context(contextlib.closing(task.batches_from(position.step)))
    # Now that nothing speaks against it.
    hosts.on_main(lambda: run_folder.write_config(run_dir, config))
    try:
      with hosts.noticing_losses(lambda: checkpoint_store.describe_last(run_dir)):
        position, problem = _take_steps(run, out, batches, position)
        if not position.saved:
          runs.save(run, out, position)
        out.store.finish()
    except hosts.LostProcess:
      out.store.abandon()
      raise
  if problem:
    raise guards.TooManySkippedSteps(
        f'{problem} The last good parameters are saved in {run_dir}.')
  return Outcome(position.step, position.step >= run.end, position.heldout_loss)


def _silent(line: str) -> None:
  """One process reports for all."""


def _take_steps(
    run: runs.Run, out: runs.Outputs, batches: Batches, position: runs.Position
) -> tuple[runs.Position, str]:
  """Steps until the end, until `run.stop()`, or until the guards give up; the text is their reason.
  """
  unread: _Unread | None = None
  problem = ''
  while True:
    if not problem and not position.memory.work_done:
      position, problem = _read(run, out, position, unread)
      unread = None
      if not problem:
        position = measurements.make(run, out, position)
    if problem or position.step >= run.end or run.stop():
      position, last_problem = _read(run, out, position, unread)
      return position, problem or last_problem
    _announce(run, out, position.step)
    out.profiler.reached(position.step)
    with out.speed.waits(speed.DATA):
      rows = _next_rows(run, batches, position.step)
    with jax.profiler.StepTraceAnnotation('train', step_num=position.step):
      train_state, latest = run.train_step(position.state, rows)
    position = position._replace(step=position.step + 1, state=train_state).remember(
        work_done=not measurements.are_due(run, position.step + 1), heldout_loss=None)
    position, problem = _read(run, out, position, unread)
    unread = _Unread(position.step, latest)


def _announce(run: runs.Run, out: runs.Outputs, number: int) -> None:
  """Says what is trained on from now on, where that changes."""
  for phase in run.plan:
    for stage in phase.stages:
      if stage.first_step == number:
        out.speed.pause()  # For another length the step is compiled again.
        if len(run.plan) > 1:
          run.report(f'step {number}: phase {phase.name!r}, {stage.steps} steps of '
                     f'{phase.data.batch_size} x {stage.segment} bytes of {phase.data.mixture}')


def _next_rows(run: runs.Run, batches: Batches, number: int) -> gradients.Rows:
  """The next batch, put on the devices while the last step still runs there."""
  batch = next(batches)
  _, shares = meshes.row_share(run.mesh)
  wanted = (run.config.data.batch_size // shares, run.segment(number))
  if batch.inputs.shape != wanted:
    raise ValueError(f'batches must have the shape {wanted}, not {batch.inputs.shape}.')
  return meshes.place_rows(run.mesh, gradients.rows_of(batch))


def _read(
    run: runs.Run, out: runs.Outputs, position: runs.Position, unread: _Unread | None
) -> tuple[runs.Position, str]:
  """Waits for a step and notes its metrics; the text says why the guards give up, if they do."""
  if unread is None:
    return position, ''
  number, values = unread.step, jax.device_get(unread.metrics)
  out.speed.step_done(run.config.data.batch_size * run.segment(number - 1))
  out.progress.step_done(number)
  sums = accumulators.add_step(position.memory.sums, run.sources, *values.by_source)
  if run.due(run.config.train.log_every, number):
    speeds = out.speed.take()
    out.metrics.write(number, metrics.TRAIN, _row(run, number, values, sums, speeds))
    out.progress.show(number, accumulators.mean(sums.nats, sums.targets),
                      tokens_per_second=speeds.tokens_per_second,
                      by_source=accumulators.describe(run.sources, sums.nats, sums.targets),
                      skipped=int(values.skipped))
    sums = accumulators.next_row(sums)
  return position.remember(sums=sums), guards.reason_to_stop(
      number, consecutive=values.consecutive, ema=values.grad_norm_ema,
      loss=values.loss.nats / max(values.loss.targets, 1), gradient_norm=values.gradient_norm,
      config=run.config.train.guard)


def _row(
    run: runs.Run, number: int, values: step.StepMetrics, sums: accumulators.Accumulators,
    speeds: speed.Speeds,
) -> dict[str, Any]:
  """The scalars of a row of training metrics."""
  segment = run.segment(number - 1)
  flops = speeds.tokens_per_second * run.task.flops_per_byte(segment)
  return {
      **metrics.loss_scalars(accumulators.mean(sums.nats, sums.targets)),
      **accumulators.losses(run.sources, sums.nats, sums.targets),
      **{f'bytes/{name}': sums.total.get(name, 0) for name in run.sources},
      'phase': phases.at(run.plan, number - 1)[0] + 1,
      'segment': segment,
      'gradient_norm': values.gradient_norm,
      'learning_rate': values.learning_rate,
      'skipped_steps': values.skipped,
      'tokens_per_second': speeds.tokens_per_second,
      'flops_per_second': flops,
      'mfu': speed.utilisation(flops, run.mesh, run.config.train.precision),
      **{f'seconds/{name}': seconds for name, seconds in speeds._asdict().items()
         if name != 'tokens_per_second'},
  }
