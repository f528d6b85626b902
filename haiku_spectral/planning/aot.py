"""The real training step, compiled for a mesh that is not there: virtual devices of the CPU.

XLA's buffers are those of its CPU backend, which has no 16-bit arithmetic of its own on most
machines and then computes in float32 on the way: for 16 bits, memory is an upper estimate.
"""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
from jax.sharding import NamedSharding

from haiku_spectral import backend
from haiku_spectral.config import Config
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import gradients, state, step


class Compiled(NamedTuple):
  """What the compiler says of one device."""

  arguments: int  # Bytes of the train state and the batch,
  temporary: int  # of buffers within the step,
  results: int  # and of what is new after it: the state takes the place of the one before.
  seconds: float  # That compiling took.
  text: str  # The program.

  @property
  def total(self) -> int:
    """Bytes of the device."""
    return self.arguments + self.temporary + self.results


def batch_like(config: Config) -> gradients.Rows:
  """Shapes and types of a batch."""
  rows, segment = config.data.batch_size, config.data.segment
  def of(dtype: str, *shape: int) -> Any:
    return jax.ShapeDtypeStruct(shape, dtype)

  return gradients.Rows(
      of('int32', rows, segment), of('int32', rows, segment), of('bool', rows), of('int32', rows),
      of('bool', rows, segment))


def compile_step(config: Config, sizes: Mapping[str, int]) -> Compiled:
  """Compiles the step for the first devices of this process, of which there must be enough."""
  count = 1
  for size in sizes.values():
    count *= size
  mesh = meshes.make_mesh(dict(sizes), jax.devices()[:count])
  model = spectral_gpt.make_model(config.model)
  like, rows = state.abstract_state(model, config), batch_like(config)
  specs = meshes.batch_specs(rows)
  inputs = jax.tree.map(
      lambda leaf, sharding: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding),
      (like, rows),
      (state.shardings(mesh, like), jax.tree.map(
          lambda spec: NamedSharding(mesh, spec), specs,
          is_leaf=lambda node: isinstance(node, jax.sharding.PartitionSpec))))
  start = time.monotonic()
  with backend.chosen(training_options={}):  # A CPU's are not those of what it stands for.
    train_step: Any = step.make_train_step(model, config, mesh)
  compiled = train_step.lower(*inputs).compile(compiler_options=backend.run_once_options())
  found = compiled.memory_analysis()
  return Compiled(
      found.argument_size_in_bytes, found.temp_size_in_bytes,
      found.output_size_in_bytes - found.alias_size_in_bytes, time.monotonic() - start,
      compiled.as_text())
