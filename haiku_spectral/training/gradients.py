"""Loss and gradients of a global batch: over devices, micro-batches and carried states.

Shapes: B rows of the batch, T time (bytes), L super-blocks, A micro-batches, N devices, S sources.

The global sum of nats is divided by the global count of targets, so how the rows are cut among
devices and micro-batches changes nothing but rounding, however unequal their counts.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from haiku_spectral.modules import precision, spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import loss

State = spectral_gpt.State
BATCH_AXIS = spectral_gpt.BATCH_AXIS


class Rows(NamedTuple):
  """The part of a batch that a step needs."""

  inputs: jax.Array  # [B, T] int32
  targets: jax.Array  # [B, T] int32; PAD where nothing is scored.
  fresh: jax.Array  # [B] bool: the row does not continue the same row of the batch before.
  sources: jax.Array  # [B] int32: the dataset that the row is from.


class Gradients(NamedTuple):
  """What one pass over a batch gives."""

  gradients: Any  # Of the mean loss in nats per byte, times the loss scale; float32.
  loss: loss.LossSum  # [] Of the whole batch,
  by_source: loss.LossSum  # [S] and of the rows of each source.
  carry: State | None  # [L, B, ...]: the state after the batch; None when none was given.


def make_gradients(
    model: spectral_gpt.Model, mesh: Mesh, *, dtype: jax.typing.DTypeLike, accumulation: int,
    sources: int,
) -> Callable[..., Gradients]:
  """Returns f(params, carry, rows, scale) -> Gradients, for use under jit.

  `carry` may be None: every row then starts cold. Layers compute in `dtype`.
  """

  def scaled_loss(params: hk.Params, rows: Rows, state: State, weight: jax.Array):
    logits, state = model.apply(precision.cast_params(params, dtype), rows.inputs, state)
    sums = loss.next_byte_loss(logits, rows.targets)
    return jnp.sum(sums.nats) * weight, (sums, state)

  def local(params: hk.Params, carry: State | None, rows: Rows, scale: jax.Array):
    chex.assert_equal_shape_prefix([rows.inputs, rows.fresh], 1)
    count = jnp.sum(loss.scored(rows.targets), dtype=jnp.int32)
    count = jax.lax.psum(count, meshes.DATA_AXIS)
    weight = scale / jnp.maximum(count, 1)
    initial = model.initial_state(rows.fresh.shape[0], dtype)
    state = initial if carry is None else spectral_gpt.reset(carry, rows.fresh, initial)

    def micro_batch(total: hk.Params, part: tuple[Rows, State]):
      gradients, aux = jax.grad(scaled_loss, has_aux=True)(params, *part, weight)
      return jax.tree.map(jnp.add, total, gradients), aux

    parts = (_split(rows, accumulation, 0), _split(state, accumulation, BATCH_AXIS))
    nothing = jax.tree.map(jnp.zeros_like, params)
    gradients, (sums, state) = jax.lax.scan(micro_batch, nothing, parts)
    sums = _join(sums, 0)
    gradients, nats, by_source = jax.lax.psum(
        (gradients, jnp.sum(sums.nats), loss.by_source(sums, rows.sources, sources)),
        meshes.DATA_AXIS)
    state = _join(state, BATCH_AXIS)
    # A state that is not finite would make every later loss of its row so, too.
    state = jax.tree.map(lambda x, x0: jnp.where(jnp.isfinite(nats), x, x0), state, initial)
    return gradients, loss.LossSum(nats, count), by_source, None if carry is None else state

  # No collective is differentiated: gradients are summed once, after the last micro-batch. With
  # replication checks on, JAX would insert a sum into every micro-batch.
  sharded = jax.shard_map(
      local, mesh=mesh, check_vma=False,
      in_specs=(P(), meshes.STATE_ROWS, meshes.ROWS, P()),
      out_specs=(P(), P(), P(), meshes.STATE_ROWS))
  return lambda *args: Gradients(*sharded(*args))


def _split(tree: Any, parts: int, axis: int) -> Any:
  """Cuts an axis of every leaf into `parts` and puts those first: [..., B] -> [A, ..., B/A]."""
  def split(x: jax.Array) -> jax.Array:
    x = x.reshape(*x.shape[:axis], parts, x.shape[axis] // parts, *x.shape[axis + 1:])
    return jnp.moveaxis(x, axis, 0)

  return jax.tree.map(split, tree)


def _join(tree: Any, axis: int) -> Any:
  """Undoes `_split`."""
  def join(x: jax.Array) -> jax.Array:
    x = jnp.moveaxis(x, 0, axis)
    return x.reshape(*x.shape[:axis], -1, *x.shape[axis + 2:])

  return jax.tree.map(join, tree)
