"""A preset's training step on the device at hand: compiled, timed, and its memory.

Shapes: B rows of the batch, T time (bytes).
"""

import dataclasses
import gc
import time
from typing import Any, NamedTuple

import jax
import numpy as np

from haiku_spectral.benchmarks import device_rates
from haiku_spectral.config import Config
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import gradients, state, step


class Measured(NamedTuple):
  """One training step."""

  config: Config  # Its accumulation may be more than what was asked for.
  parameters: int
  compile_seconds: float
  step_seconds: float
  program_bytes: int  # Of the device: arguments, results and temporary buffers.

  @property
  def tokens_per_second(self) -> float:
    """Bytes of text per second."""
    return self.config.data.batch_size * self.config.data.segment / self.step_seconds

  @property
  def flops_per_second(self) -> float:
    """Model operations per second: those of the formula, not what is computed again."""
    return self.tokens_per_second * spectral_gpt.training_flops_per_byte(
        self.config.model, self.config.data.segment)


class Ready(NamedTuple):
  """A compiled step with what it is called with."""

  compiled: Any
  state: state.TrainState
  rows: gradients.Rows
  seconds: float  # Of compiling.


def with_accumulation(config: Config, accumulation: int) -> Config:
  """The same run in other micro-batches."""
  return dataclasses.replace(
      config, train=dataclasses.replace(config.train, accumulation=accumulation))


def random_rows(config: Config) -> gradients.Rows:
  """A batch of random bytes."""
  shape = config.data.batch_size, config.data.segment + 1
  return rows_of(np.random.default_rng(0).integers(0, 256, shape, np.int32))


def rows_of(ids: np.ndarray) -> gradients.Rows:  # [B, T + 1] int32
  """A batch of these ids; of its rows none continues another."""
  rows, segment = len(ids), ids.shape[1] - 1
  parts: tuple[Any, ...] = (
      ids[:, :-1].copy(), ids[:, 1:].copy(), np.zeros(rows, bool), np.zeros(rows, np.int32),
      np.zeros((rows, segment), bool))
  return gradients.Rows(*parts)


def prepare(config: Config, options: dict[str, Any] | None = None) -> Ready:
  """Compiles the step, with the compiler's options in addition, and makes its inputs."""
  mesh, model = meshes.data_mesh(jax.devices()[:1]), spectral_gpt.make_model(config.model)
  train_state = state.start(model, config, mesh)
  rows = meshes.place_rows(mesh, random_rows(config))
  train_step: Any = step.make_train_step(model, config, mesh)  # What `jax.jit` gives.
  lowered = train_step.lower(train_state, rows)
  start = time.perf_counter()
  compiled = lowered.compile(compiler_options=options)
  return Ready(compiled, train_state, rows, time.perf_counter() - start)


def run(ready: Ready, count: int) -> Ready:
  """Takes steps, the state of which replaces that of `ready`, and waits for the last."""
  train_state = ready.state
  for _ in range(count):
    train_state, metrics = ready.compiled(train_state, ready.rows)
  jax.block_until_ready((train_state, metrics))
  return ready._replace(state=train_state)


def measure(config: Config, options: dict[str, Any] | None = None) -> Measured:
  """Times a step, in more and smaller micro-batches if the device's memory does not suffice."""
  while True:
    try:
      return _measure(config, options)
    except RuntimeError as error:  # XLA's are.
      smaller = with_accumulation(config, 2 * config.train.accumulation)
      if 'RESOURCE_EXHAUSTED' not in str(error) or config.data.batch_size % (
          smaller.train.accumulation):
        raise
    config = smaller
    gc.collect()


def _measure(config: Config, options: dict[str, Any] | None) -> Measured:
  ready = prepare(config, options)
  memory = ready.compiled.memory_analysis()
  used = (memory.argument_size_in_bytes + memory.output_size_in_bytes
          + memory.temp_size_in_bytes - memory.alias_size_in_bytes)
  train_state = ready.state

  def one() -> Any:
    nonlocal train_state
    train_state, metrics = ready.compiled(train_state, ready.rows)
    return metrics

  seconds = device_rates.seconds_per_call(one)
  size = sum(leaf.size for leaf in jax.tree.leaves(train_state.params))
  return Measured(config, size, ready.seconds, seconds, used)
