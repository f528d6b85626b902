"""A run as a process works on it: what stays the same, where it writes to, where it has got to."""

import contextlib
import math
import pathlib
from typing import Any, NamedTuple, Self

from jax.sharding import Mesh

from haiku_spectral.config import Config, phases
from haiku_spectral.parallel import hosts
from haiku_spectral.training import (
  accumulators,
  checkpoint,
  checkpoint_store,
  metrics,
  progress,
  speed,
  state,
  step,
)
from haiku_spectral.training.task import Report, Task


class Run(NamedTuple):
  """What stays the same while a process works on a run."""

  config: Config
  task: Task
  run_dir: pathlib.Path
  mesh: Mesh
  stop: hosts.StopVote
  report: Report
  end: int  # The step at which this process has finished.
  train_step: step.TrainStep
  loss_of: step.LossFunction

  @property
  def steps(self) -> int:
    """How many steps the whole run takes."""
    return phases.total_steps(self.config)

  @property
  def plan(self) -> tuple[phases.Phase, ...]:
    """The phases of the run."""
    return phases.plan(self.config)

  @property
  def sources(self) -> tuple[str, ...]:
    """The names of its datasets."""
    return phases.sources(self.config)

  def segment(self, number: int) -> int:
    """Bytes of each row in the step from `number` to the next."""
    phase, stage = phases.at(self.plan, number)
    return self.plan[phase].stages[stage].segment

  def due(self, every: int, number: int) -> bool:
    """Whether something is done at a step: every so often, and always at the end of a phase."""
    return (every > 0 and number % every == 0) or any(number == phase.end for phase in self.plan)


class Outputs(NamedTuple):
  """Where a run writes to."""

  store: checkpoint_store.Store
  metrics: metrics.Writer | metrics.NoWriter
  progress: progress.Progress
  speed: speed.Speed
  profiler: speed.Profiler


class Memory(NamedTuple):
  """What the next step depends on outside the train state; stored with it as JSON."""

  work_done: bool = True  # The evaluation and the hooks due at this step are done.
  heldout_loss: float | None = None  # Nats per byte, measured at this very step.
  sums: accumulators.Accumulators = accumulators.Accumulators()


class Position(NamedTuple):
  """Where a run has got to."""

  step: int
  state: state.TrainState
  memory: Memory
  saved: bool = True  # A checkpoint holds it, or there is nothing to hold.
  heldout_loss: float = math.nan  # Nats per byte, of this process's last evaluation.

  def remember(self, **fields: Any) -> Self:
    """The position with another memory."""
    return self._replace(memory=self.memory._replace(**fields), saved=False)


def start(run: Run) -> Position:
  """The position of the latest complete checkpoint, or that before the first step."""
  found = checkpoint.restore_latest(run.run_dir, run.report)
  if found is None:
    return Position(0, state.start(run.task.model, run.config, run.mesh), Memory())
  if found.step > run.steps:
    raise ValueError(
        f'config.train.steps={run.steps}, but the run in {run.run_dir} has already taken '
        f'{found.step}: give that or more.')
  host = dict(found.host)
  run.task.verify(found.step, host.pop('reading', {}))
  run.report(f'resuming {run.run_dir} at step {found.step}')
  train_state = state.restored(found.params, found.training, run.task.model, run.config)
  memory = Memory(**{**host, 'sums': accumulators.Accumulators(**host.get('sums', {}))})
  return Position(found.step, state.place(run.mesh, train_state), memory)


def open_outputs(
    run: Run, position: Position, stack: contextlib.ExitStack, profile: pathlib.Path | None = None
) -> Outputs:
  """Opens what the run writes to until the stack is left."""
  return Outputs(
      store=stack.enter_context(contextlib.closing(
          checkpoint_store.Store(run.run_dir, keep_latest=run.config.train.keep_latest))),
      metrics=stack.enter_context(contextlib.closing(metrics.Writer(
          run.run_dir, step=position.step, work_done=position.memory.work_done)
          if hosts.is_main() else metrics.NoWriter())),
      progress=stack.enter_context(contextlib.closing(
          progress.Progress(step=position.step, steps=run.end, shown=hosts.is_main()))),
      speed=speed.Speed(),
      # Not the first steps, which compile.
      profiler=stack.enter_context(
          contextlib.closing(speed.Profiler(
              profile if hosts.is_main() else None, position.step + 2))))


def save(run: Run, out: Outputs, position: Position) -> Position:
  """Saves a checkpoint in the background."""
  host = {**position.memory._asdict(), 'sums': position.memory.sums._asdict(),
          'reading': run.task.reading(position.step)}
  training = state.stored(position.state, run.config.data.stateful_rows)
  with out.speed.waits(speed.CHECKPOINT):
    out.store.save(position.step, position.state.params, training, host)
  return position._replace(saved=True)
