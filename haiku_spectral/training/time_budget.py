"""How many steps a training takes in a given time.

A training is a function of its number of steps, not of the clock: the time per step is measured
once, before it begins, on steps that are thrown away. The number that follows is stored with the
config of the run, so that a run that is stopped goes on exactly.
"""

import contextlib
import time
from collections.abc import Callable

import jax
from jax.sharding import Mesh

from haiku_spectral.config import Config
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import gradients, state, step
from haiku_spectral.training.task import Stop, Task

WARM_STEPS = 3  # They compile, and fill caches.
SHARE = 0.05  # Of the time, for measuring: it is not counted.
MIN_STEPS = 5  # Timed at least.


def steps_in(
    seconds: float, config: Config, task: Task, *, mesh: Mesh | None = None,
    stop: Stop = lambda: False, clock: Callable[[], float] = time.perf_counter,
) -> int:
  """The steps of the config that take `seconds` on this machine, as busy as it is now; 1 at least.

  Compilation, evaluation and checkpoints are not counted.
  """
  mesh = mesh or meshes.data_mesh()
  train_step = step.make_train_step(task.model, config, mesh)
  position = state.start(task.model, config, mesh)
  with contextlib.closing(task.batches_from(0)) as batches:

    def take(position: state.TrainState) -> state.TrainState:
      batch = next(batches)
      rows = meshes.place_rows(mesh, gradients.rows_of(batch))
      return jax.block_until_ready(train_step(position, rows)[0])

    for _ in range(WARM_STEPS):
      position = take(position)
    start, count = clock(), 0
    while count < MIN_STEPS or clock() - start < SHARE * seconds:
      position, count = take(position), count + 1
      if stop():
        break
    per_step = (clock() - start) / count
  return max(int(seconds / per_step), 1)
