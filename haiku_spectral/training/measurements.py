"""What is measured and saved between two steps."""

import math

import jax

from haiku_spectral.parallel import hosts
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import accumulators, heldout, metrics
from haiku_spectral.training import run as runs
from haiku_spectral.training.task import Hook, Scalars


def are_due(run: runs.Run, number: int) -> bool:
  """Whether something is evaluated, hooked in or saved at a step."""
  train = run.config.train
  intervals = [train.eval_every, train.checkpoint_every, *(h.every for h in run.task.hooks)]
  return any(run.due(every, number) for every in intervals)


def make(run: runs.Run, out: runs.Outputs, position: runs.Position) -> runs.Position:
  """Does what is due between this step and the next; what is interrupted is done on resuming."""
  out.speed.pause()
  train = run.config.train
  if run.due(train.eval_every, position.step):
    evaluated = _evaluate(run, out, position)
    if evaluated is None:
      return position
    position = evaluated
  for hook in run.task.hooks:
    if run.due(hook.every, position.step):
      scalars = _call(hook, run, position)
      if scalars is None:
        return position
      out.metrics.write(position.step, hook.name, scalars)
  position = position.remember(work_done=True)
  loss = position.memory.heldout_loss
  if run.due(train.checkpoint_every, position.step) or (
      loss is not None and loss < out.store.best_loss):
    position = runs.save(run, out, position)
  return position


def _call(hook: Hook, run: runs.Run, position: runs.Position) -> Scalars | None:
  """What a hook measured, None when it gave up; on one process, of whole parameters."""
  params = position.state.params
  if run.mesh.size > 1:
    whole = jax.jit(lambda x: x, out_shardings=meshes.replicated(run.mesh))(params)
    params = jax.device_get(whole)
  scalars: Scalars | None = {}
  if hosts.is_main():
    scalars = hook.call(position.step, params, run.stop.own)
  return None if hosts.any_of(scalars is None) else scalars


def _evaluate(run: runs.Run, out: runs.Outputs, position: runs.Position) -> runs.Position | None:
  """Measures and notes the held-out loss; None when it was stopped before the end."""
  params = position.state.params
  sums = heldout.evaluate(
      run.loss_of, params, run.task.heldout, len(run.sources), run.mesh, run.stop)
  if sums is None:
    return None
  nats, targets = (accumulators.add({}, run.sources, x) for x in sums)
  loss = accumulators.mean(nats, targets)
  scalars = metrics.loss_scalars(loss)
  out.metrics.write(position.step, metrics.HELDOUT, {
      **scalars, **accumulators.losses(run.sources, nats, targets),
      **run.task.properties(params)})
  out.progress.say(
      f'step {position.step}: held-out loss {loss:.4f} nats/byte, '
      f'{scalars["bits_per_byte"]:.4f} bits/byte'
      f'{accumulators.describe(run.sources, nats, targets)}')
  position = position.remember(heldout_loss=loss if math.isfinite(loss) else None)
  return position._replace(heldout_loss=loss)
