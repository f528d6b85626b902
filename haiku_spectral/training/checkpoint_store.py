"""The checkpoints of a run as they are written: in the background, the latest and the best stay."""

import contextlib
import math
import pathlib
import shutil
from collections.abc import Iterable, Iterator
from typing import Any

import orbax.checkpoint as ocp
from absl import logging
from orbax.checkpoint import checkpoint_managers as policies

from haiku_spectral.parallel import hosts
from haiku_spectral.training import checkpoint, leaves, orbax_errors, run_folder


class _KeepBest:
  """Preserves the checkpoint of the lowest held-out loss.

  Orbax's own BestN keeps the losses in a file without which, when it is cut, nothing can be opened.
  """

  def __init__(self, losses: dict[int, float]):
    self._losses = losses

  def should_preserve(self, checkpoints: Iterable[Any], *, context: Any) -> list[bool]:
    del context
    steps = [checkpoint.step for checkpoint in checkpoints]
    best = min(steps, key=lambda step: self._losses.get(step, math.inf), default=None)
    return [step == best and step in self._losses for step in steps]


class Store:
  """Saves the checkpoints of one run and decides which of them stay: the latest and the best."""

  def __init__(self, run_dir: pathlib.Path, *, keep_latest: int):
    losses = {step: checkpoint.heldout_loss(run_dir, step) for step in run_folder.steps(run_dir)}
    self._losses = {step: loss for step, loss in losses.items() if math.isfinite(loss)}
    options = ocp.CheckpointManagerOptions(
        preservation_policy=policies.AnyPreservationPolicy(
            [policies.LatestN(keep_latest), _KeepBest(self._losses)]),
        cleanup_tmp_directories=True)
    registry = ocp.handlers.DefaultCheckpointHandlerRegistry()
    for item in checkpoint.ITEMS:
      registry.add(item, ocp.args.PyTreeSave, orbax_errors.array_handler())
    self._run_dir = run_dir
    self._folder = (run_dir / run_folder.CHECKPOINTS).absolute()
    self._failed = False
    # For good: after an error some of its threads go on for a moment.
    logging.get_absl_logger().addFilter(orbax_errors.is_not_from_orbax)
    self._manager = ocp.CheckpointManager(
        self._folder, options=options, handler_registry=registry)

  @property
  def best_loss(self) -> float:
    """The lowest held-out loss of a stored checkpoint; infinite when there is none."""
    return min(self._losses.values(), default=math.inf)

  def save(self, step: int, params: Any, training: Any, host: dict[str, Any]) -> None:
    """Copies the state now and writes it in the background. A step saved before is replaced.

    `host['heldout_loss']` (nats per byte, None when unknown) decides which checkpoint is the best.

    Raises OSError, naming the last complete checkpoint, when this or the one before cannot be
    saved.
    """
    trees = zip(checkpoint.ITEMS, (params, training), strict=True)
    arrays = {item: leaves.to_leaves(tree) for item, tree in trees}
    meta = {'version': checkpoint.VERSION, 'host': host,
            'digests': {item: leaves.digests(arrays[item]) for item in checkpoint.ITEMS}}
    items: dict[str, Any] = {item: ocp.args.PyTreeSave(arrays[item]) for item in checkpoint.ITEMS}
    items['meta'] = ocp.args.JsonSave({**meta, 'seal': checkpoint.seal(meta)})
    self.finish()
    with self._failing_once():
      if step in self._manager.all_steps():
        # It goes when its successor is complete, which a kill may prevent.
        hosts.on_main(lambda: (self._folder / str(step)).rename(
            self._folder / f'{step}{checkpoint.REPLACED}'))
        self._manager.reload()
      self._losses.pop(step, None)
      if host.get('heldout_loss') is not None:
        self._losses[step] = host['heldout_loss']
      self._manager.save(step, args=ocp.args.Composite(**items))

  def finish(self) -> None:
    """Waits until what was saved is complete, and removes what it replaced."""
    with self._failing_once():
      self._manager.wait_until_finished()
      if hosts.is_main():
        for path in self._folder.glob(f'*{checkpoint.REPLACED}'):
          shutil.rmtree(path)

  @contextlib.contextmanager
  def _failing_once(self) -> Iterator[None]:
    """Turns what Orbax raises into one OSError, and makes room: what is incomplete goes."""
    try:
      yield
    except Exception as error:
      self._failed = True
      if hosts.is_main():
        for path in self._folder.glob('*.orbax-checkpoint-tmp'):
          shutil.rmtree(path, ignore_errors=True)
        checkpoint.recover_replaced(self._run_dir)
      raise OSError(
          f'a checkpoint could not be saved in {self._folder}: {orbax_errors.reason(error)}. '
          f'{describe_last(self._run_dir)}') from error

  def abandon(self) -> None:
    """Has `close` wait for nothing: another process, without which nothing is complete, is gone."""
    self._failed = True

  def close(self) -> None:
    """Waits until everything is on disk; after an error there is nothing to wait for."""
    if not self._failed:
      self.finish()
      self._manager.close()


def describe_last(run_dir: pathlib.Path) -> str:
  """Where a run goes on that cannot go on now, in a sentence."""
  last = run_folder.last_step(run_dir)
  if last is None:
    return 'Nothing was saved before: the same command begins anew.'
  return f'The last good checkpoint is that of step {last}: the same command goes on from there.'
