"""One training step as a pure function: (state, rows) -> (state, metrics).

Shapes: B rows of the batch, T time (bytes), S sources.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from jax.typing import ArrayLike

from haiku_spectral import backend
from haiku_spectral.config import Config, phases
from haiku_spectral.modules import precision, spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.parallel import sharding
from haiku_spectral.training import gradients, guards, loss, loss_scale, optimizer
from haiku_spectral.training.state import TrainState, abstract_state, compute_dtype, shardings


class StepMetrics(NamedTuple):
  """What a step reports; scalars, but for the sources."""

  loss: loss.LossSum  # Nats and targets of the global batch,
  by_source: loss.LossSum  # [S] and of each source.
  gradient_norm: jax.Array  # float32, before clipping.
  grad_norm_ema: jax.Array  # float32: its moving average before this step.
  learning_rate: jax.Array  # float32
  skipped: jax.Array  # int32: steps skipped since the training began.
  consecutive: jax.Array  # int32: and since the last one that was applied.


TrainStep = Callable[[TrainState, gradients.Rows], tuple[TrainState, StepMetrics]]
LossFunction = Callable[[hk.Params, *tuple[ArrayLike, ...]], loss.LossSum]


def make_train_step(model: spectral_gpt.Model, config: Config, mesh: Mesh) -> TrainStep:
  """The jitted step. The state that it is given is donated: its buffers become those of the next.

  Raises ValueError when the mesh cannot share the rows, the segments or the parameters evenly.
  """
  meshes.check(mesh, config)
  like = abstract_state(model, config)
  sharding.check(mesh, like.params)
  differentiate = gradients.make_gradients(
      model, mesh, dtype=compute_dtype(config), accumulation=config.train.accumulation,
      sources=len(phases.sources(config)), chunk=config.train.chunk)
  transform = optimizer.make_optimizer(config)
  learning_rate = optimizer.learning_rate(config)

  def train_step(state: TrainState, rows: gradients.Rows) -> tuple[TrainState, StepMetrics]:
    scale = loss_scale.factor(state.loss_scale)
    rows = rows._replace(hidden=hidden_rows(config, state.step, len(rows.sources)))
    result = differentiate(state.params, state.carry, rows, scale)
    grads = jax.tree.map(lambda g: g / scale, result.gradients)
    norm = optax.tree.norm(grads)
    apply, guard = guards.judge(state.guard, norm, result.loss.nats, config.train.guard)

    updates, opt_state = transform.update(grads, state.opt_state, state.params, step=state.step)
    new = (optax.apply_updates(state.params, updates), opt_state)
    params, opt_state = jax.tree.map(
        lambda after, before: jnp.where(apply, after, before),
        new, (state.params, state.opt_state))

    metrics = StepMetrics(
        loss=result.loss,
        by_source=result.by_source,
        gradient_norm=norm,
        grad_norm_ema=guards.grad_norm_ema(state.guard, config.train.guard),
        learning_rate=learning_rate(state.step),
        skipped=guard.skipped,
        consecutive=guard.consecutive,
    )
    scaling = loss_scale.adjust(state.loss_scale, jnp.isfinite(norm))
    return TrainState(state.step + 1, params, opt_state, result.carry, guard, scaling), metrics

  # Explicit, so that the next step's inputs lie where this one's did, and one program serves all.
  out_shardings = (shardings(mesh, like), meshes.replicated(mesh))
  return jax.jit(
      train_step, donate_argnums=0, out_shardings=out_shardings,
      compiler_options=backend.training_options())


def hidden_rows(config: Config, step: jax.Array, count: int) -> spectral_gpt.Hidden | None:
  """The rows that a step trains without a part of what was recalled; None: none ever is.

  Each row in its turn is without long contexts, and all are without the count memory before its
  share of the steps begins.
  """
  every, without = config.train.hide_contexts, first_counted(config)
  if not every and not without:
    return None
  row = jnp.arange(count)
  return spectral_gpt.Hidden(
      (step + row) % every == 0 if every else row < 0, jnp.full(count, step < without))


def first_counted(config: Config) -> int:
  """The first step that is trained with the count memory."""
  if not config.model.counts.orders:
    return 0
  return round((1 - config.train.counts_share) * phases.total_steps(config))


def make_loss(model: spectral_gpt.Model, config: Config, mesh: Mesh) -> LossFunction:
  """The jitted loss of stateless rows: (params, inputs, targets, sources, starts) -> sums."""
  dtype, count = compute_dtype(config), len(phases.sources(config))

  def local(chunks: int, params: hk.Params, rows: gradients.Rows) -> loss.LossSum:
    initial = model.initial_state(len(rows.sources), dtype)
    sums, _ = gradients.read(
        model, precision.cast_params(params, dtype), rows, initial, chunks)
    return jax.lax.psum(loss.by_source(sums, rows.sources, count), meshes.AXES)

  def loss_of(params: hk.Params, *given: jax.Array) -> loss.LossSum:
    inputs, targets, sources, starts = given
    chunks = phases.chunks(inputs.shape[1], config.train.chunk)
    rows = gradients.Rows(inputs, targets, jnp.ones(sources.shape, bool), sources, starts)
    rows = meshes.in_chunks(mesh, rows, chunks)
    specs = (sharding.specs(params), meshes.batch_specs(rows))
    return jax.shard_map(
        functools.partial(local, chunks), mesh=mesh, check_vma=False, in_specs=specs,
        out_specs=P())(params, rows)

  return jax.jit(loss_of)
