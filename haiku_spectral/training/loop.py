"""The loop of a training: steps, measurements, checkpoints, and the end, whatever brings it.

A run is a function of its config and data alone: stopped and resumed anywhere, it takes the same
steps and writes the same rows. What the loop itself must remember for that is its `_Memory`.
"""

import contextlib
import math
import pathlib
from collections.abc import Mapping
from typing import NamedTuple

import jax
from jax.sharding import Mesh

from haiku_spectral.config import Config, phases
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import (
  checkpoint,
  gradients,
  guards,
  heldout,
  metrics,
  progress,
  run_folder,
  state,
  step,
  tally,
)
from haiku_spectral.training.task import Outcome, Report, Stop, Task


class _Memory(NamedTuple):
  """What the loop keeps outside the train state; stored with it as JSON."""

  work_done: bool = True  # The evaluation and the hooks due at this step are done.
  heldout_loss: float | None = None  # Nats per byte, measured at this very step.
  nats: Mapping[str, float] = {}  # Of the finite steps since the last row of metrics, by dataset,
  targets: Mapping[str, int] = {}  # what was scored in them,
  read: Mapping[str, int] = {}  # and what was scored since the run began.


def train(
    config: Config, task: Task, *, run_dir: pathlib.Path, stop: Stop = lambda: False,
    mesh: Mesh | None = None, report: Report = print, until: int | None = None,
) -> Outcome:
  """Starts the run in `run_dir`, or goes on with it, until it is finished or told to stop.

  With `until` it is finished for now at that step: the same call goes on with a later one.

  Raises ValueError when the config contradicts the run's, when no checkpoint of it is whole, and
  (as TooManySkippedSteps, after saving) when the guards give up.
  """
  mesh = mesh or meshes.data_mesh()
  meshes.check_rows(mesh, config.data.batch_size, config.train.accumulation)
  with run_folder.locked(run_dir), contextlib.ExitStack() as stack:
    for change in run_folder.changes(run_dir, config):
      report(f'from now on {change}')
    run = _Run(config, task, run_dir, stop, mesh, report, stack, until)
    run_folder.write_config(run_dir, config)  # Now that nothing speaks against it.
    return run.run()


class _Run:
  """What one process does for a run."""

  def __init__(self, config: Config, task: Task, run_dir: pathlib.Path, stop: Stop, mesh: Mesh,
               report: Report, stack: contextlib.ExitStack, until: int | None = None):
    self._config, self._task, self._run_dir = config, task, run_dir
    self._stop, self._mesh, self._report = stop, mesh, report
    self._plan, self._names = phases.plan(config), phases.sources(config)
    self._steps = phases.total_steps(config)
    self._end = self._steps if until is None else min(until, self._steps)
    self._state, self._step, self._memory = self._start()
    self._saved = (self._step, self._memory)
    self._pending: tuple[int, step.StepMetrics] | None = None  # Of the step that may still run.
    self._heldout_loss = math.nan
    self._train_step = step.make_train_step(task.model, config, mesh)
    self._loss_of = step.make_loss(task.model, config, mesh)
    self._speed = progress.Speed()

    self._store = stack.enter_context(contextlib.closing(
        checkpoint.Store(run_dir, keep_latest=config.train.keep_latest)))
    self._writer = stack.enter_context(contextlib.closing(
        metrics.Writer(run_dir, step=self._step, work_done=self._memory.work_done)))
    self._progress = stack.enter_context(contextlib.closing(
        progress.Progress(step=self._step, steps=self._end)))
    self._batches = stack.enter_context(contextlib.closing(task.batches_from(self._step)))

  def _start(self) -> tuple[state.TrainState, int, _Memory]:
    """The latest whole checkpoint's state, or that of before the first step."""
    model, steps = self._task.model, self._steps
    found = checkpoint.restore_latest(self._run_dir, self._report)
    if found is None:
      return state.start(model, self._config, self._mesh), 0, _Memory()
    if found.step > steps:
      raise ValueError(
          f'config.train.steps={steps}, but the run in {self._run_dir} has already taken '
          f'{found.step}: give that or more.')
    reading = found.host.pop('reading', {})
    self._task.verify(found.step, reading)
    self._report(f'resuming {self._run_dir} at step {found.step}')
    train_state = state.restored(found.params, found.training, model, self._config)
    return state.place(self._mesh, train_state), found.step, _Memory(**found.host)

  def _segment(self, step: int) -> int:
    """How many bytes of each row a step reads."""
    phase, stage = phases.at(self._plan, step)
    return self._plan[phase].stages[stage].segment

  def _announce(self) -> None:
    """Says what is read from now on, where that changes."""
    for phase in self._plan:
      for stage in phase.stages:
        if stage.first_step == self._step:
          self._speed.pause()  # For another length the step is compiled anew.
          if len(self._plan) > 1:
            self._report(f'step {self._step}: phase {phase.name!r}, {stage.steps} steps of '
                         f'{phase.data.batch_size} x {stage.segment} bytes of {phase.data.mixture}')

  def _next_rows(self) -> gradients.Rows:
    """The next batch, put on the devices while the last step still runs there."""
    batch = next(self._batches)
    wanted = (self._config.data.batch_size, self._segment(self._step))
    if batch.inputs.shape != wanted:
      raise ValueError(f'batches must have the shape {wanted}, not {batch.inputs.shape}.')
    return meshes.place_rows(
        self._mesh, gradients.Rows(batch.inputs, batch.targets, batch.reset, batch.sources))

  def run(self) -> Outcome:
    """Steps until the end or until told to stop, and saves."""
    try:
      self._take_steps()
    except guards.TooManySkippedSteps as error:
      self._read(check=False)
      self._save()
      raise guards.TooManySkippedSteps(
          f'{error} The last good parameters are saved in {self._run_dir}.') from error
    if self._saved != (self._step, self._memory):
      self._save()
    return Outcome(self._step, self._step >= self._end, self._heldout_loss)

  def _take_steps(self) -> None:
    while True:
      if not self._memory.work_done:
        self._read()
        self._work()
      if self._step >= self._end or self._stop():
        self._read()
        return
      self._announce()
      self._state, latest = self._train_step(self._state, self._next_rows())
      self._step += 1
      self._memory = self._memory._replace(work_done=not self._has_work(), heldout_loss=None)
      self._read(but=(self._step, latest))

  def _read(self, but: tuple[int, step.StepMetrics] | None = None, check: bool = True) -> None:
    """Waits for the step that was dispatched last, or for the one before `but`, and notes it."""
    pending, self._pending = self._pending, but
    if pending is None:
      return
    number, values = pending[0], jax.device_get(pending[1])
    self._speed.step_done(self._config.data.batch_size * self._segment(number - 1))
    self._progress.step_done(number)
    memory, (nats, targets) = self._memory, values.by_source
    self._memory = memory._replace(read=tally.added(memory.read, self._names, targets))
    if math.isfinite(values.loss.nats):
      self._memory = self._memory._replace(
          nats=tally.added(memory.nats, self._names, nats),
          targets=tally.added(memory.targets, self._names, targets))
    if self._due(self._config.train.log_every, number):
      self._log(number, values)
    if check:
      guards.check(
          number, consecutive=values.consecutive, usual=values.usual_norm,
          loss=values.loss.nats / max(values.loss.targets, 1), gradient_norm=values.gradient_norm,
          config=self._config.train.guard)

  def _log(self, number: int, values: step.StepMetrics) -> None:
    """Writes a row of training metrics and begins the next one."""
    memory, speed = self._memory, self._speed.take()
    self._memory = memory._replace(nats={}, targets={})
    loss = metrics.loss_scalars(tally.mean(memory.nats, memory.targets))
    segment = self._segment(number - 1)
    self._writer.write(number, metrics.TRAIN, {
        **loss,
        **tally.losses(self._names, memory.nats, memory.targets),
        **{f'bytes/{name}': memory.read.get(name, 0) for name in self._names},
        'phase': phases.at(self._plan, number - 1)[0] + 1,
        'segment': segment,
        'gradient_norm': values.gradient_norm,
        'learning_rate': values.learning_rate,
        'skipped_steps': values.skipped,
        'tokens_per_second': speed,
        'flops_per_second': speed * self._task.flops_per_byte(segment),
    })
    self._progress.show(number, loss['loss'], tokens_per_second=speed)

  def _due(self, every: int, number: int) -> bool:
    """Whether something is done at a step: every so often, and always at the end of a phase."""
    return (every > 0 and number % every == 0) or any(number == phase.end for phase in self._plan)

  def _has_work(self) -> bool:
    train = self._config.train
    intervals = [train.eval_every, train.checkpoint_every, *(h.every for h in self._task.hooks)]
    return any(self._due(every, self._step) for every in intervals)

  def _work(self) -> None:
    """Does what is due between this step and the next; what is interrupted is done on resuming."""
    self._speed.pause()
    train = self._config.train
    if self._due(train.eval_every, self._step) and not self._evaluate():
      return
    for hook in self._task.hooks:
      if self._due(hook.every, self._step):
        scalars = hook.call(self._step, self._state.params, self._stop)
        if scalars is None:
          return
        self._writer.write(self._step, hook.name, scalars)
    self._memory = self._memory._replace(work_done=True)
    loss = self._memory.heldout_loss
    if self._due(train.checkpoint_every, self._step) or (
        loss is not None and loss < self._store.best_loss):
      self._save()

  def _evaluate(self) -> bool:
    """Measures and notes the held-out loss; False when it was told to stop before the end."""
    params = self._state.params
    sums = heldout.evaluate(
        self._loss_of, params, self._task.heldout, len(self._names), self._mesh, self._stop)
    if sums is None:
      return False
    nats, targets = (tally.added({}, self._names, x) for x in sums)
    loss = tally.mean(nats, targets)
    self._heldout_loss = loss
    self._memory = self._memory._replace(heldout_loss=loss if math.isfinite(loss) else None)
    scalars = metrics.loss_scalars(loss)
    self._writer.write(self._step, metrics.HELDOUT, {
        **scalars, **tally.losses(self._names, nats, targets), **self._task.properties(params)})
    self._progress.say(
        f'step {self._step}: held-out loss {loss:.4f} nats/byte, {scalars["bits_per_byte"]:.4f} '
        f'bits/byte{tally.told(self._names, nats, targets)}')
    return True

  def _save(self) -> None:
    train_state = state.stored(self._state, self._config.data.carried_rows)
    host = {**self._memory._asdict(), 'reading': self._task.reading(self._step)}
    self._store.save(self._step, self._state.params, train_state, host)
    self._saved = (self._step, self._memory)
