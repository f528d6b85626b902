"""A worker that takes training steps of a model, and measures products of matrices beside them.

  python -m haiku_spectral.benchmarks.train_step RUN_DIR ROWS LENGTH

Random bytes, float32. An empty RUN_DIR stands for the preset tiny.
"""

import dataclasses
import pathlib
import sys
from typing import Any

import jax
import jax.numpy as jnp

from haiku_spectral import backend
from haiku_spectral import config as configs
from haiku_spectral.benchmarks import device_step, step_worker, timing
from haiku_spectral.configs import tiny
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import run_folder

SIDE, PRODUCTS = 1024, 5  # Of the matrices, and how many products are timed per step.


def config_of(run_dir: str, rows: int, length: int) -> configs.Config:
  """The config of a run, or of tiny, with batches of `rows` stateless rows of `length` bytes."""
  config = (run_folder.read_config(pathlib.Path(run_dir)) if run_dir
            else configs.from_config_dict(tiny.get_config()))
  data = dataclasses.replace(
      config.data, batch_size=rows, segment=length, stateful_rows=0, history=0)
  train = dataclasses.replace(
      config.train, steps=1000, precision='float32', accumulation=1,
      optimizer=dataclasses.replace(config.train.optimizer, warmup_steps=1))
  return dataclasses.replace(config, data=data, train=train, curriculum=())


def main() -> None:
  """Compiles, warms up, serves."""
  run_dir, rows, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
  config = config_of(run_dir, rows, length)
  ready = device_step.run(device_step.prepare(config), 1)
  matrix = jnp.ones((SIDE, SIDE), jnp.float32)
  product = jax.jit(jnp.dot)
  jax.block_until_ready(product(matrix, matrix))

  def multiply() -> None:
    for _ in range(PRODUCTS):
      jax.block_until_ready(product(matrix, matrix))

  def step() -> dict[str, Any]:
    nonlocal ready

    def one() -> None:
      nonlocal ready
      ready = device_step.run(ready, 1)

    seconds = timing.seconds(one)
    return {'seconds': seconds, 'rate': 2 * SIDE**3 * PRODUCTS / timing.seconds(multiply)}

  step_worker.serve({
      'parameters': sum(leaf.size for leaf in jax.tree.leaves(ready.state.params)),
      'flops': rows * length * spectral_gpt.training_flops_per_byte(config.model, length)}, step)


if __name__ == '__main__':
  backend.tune_malloc()  # As every program does.
  main()
