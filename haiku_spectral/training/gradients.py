"""Loss and gradients of a global batch: over devices, micro-batches and carried states.

Shapes: B rows of the batch (of one device, inside `shard_map`), T time (bytes), L super-blocks,
A micro-batches, C chunks of a segment, S sources.

The global sum of nats is divided by the global count of targets, so how the rows are cut among
devices and micro-batches changes nothing but rounding, however unequal their counts. By the law of
chunks neither does it matter in how many chunks a segment is read: the backward pass computes one
after the other again, from the state before it. One device is a mesh of one.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.config import phases
from haiku_spectral.modules import precision, spectral_gpt
from haiku_spectral.ops import slices
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.parallel import sharding
from haiku_spectral.training import loss

State = Any  # A spectral_gpt.State, or shardings of one.
BATCH_AXIS = spectral_gpt.BATCH_AXIS


class Rows(NamedTuple):
  """The part of a batch that a step needs."""

  inputs: jax.Array  # [B, T] int32
  targets: jax.Array  # [B, T] int32; PAD where nothing is scored.
  reset: jax.Array  # [B] bool: the row does not continue the same row of the batch before.
  sources: jax.Array  # [B] int32: the dataset that the row is from.
  stream_start: jax.Array  # [B, T] bool: a new stream begins with this byte.
  # What was before a row that is reset, for the exact memory alone; PAD where there is none.
  history: jax.Array | None = None  # [B, H] int32
  history_start: jax.Array | None = None  # [B, H] bool: a new stream begins with this byte.
  hidden: spectral_gpt.Hidden | None = None


def rows_of(batch: Any) -> Rows:
  """The rows of a batch of any kind; what it does not have is None."""
  return Rows(*(getattr(batch, name, None) for name in Rows._fields))  # type: ignore[arg-type]


class Gradients(NamedTuple):
  """What one pass over a batch gives."""

  gradients: Any  # Of the mean loss in nats per byte, times the loss scale; float32.
  loss: loss.LossSum  # [] Of the whole batch,
  by_source: loss.LossSum  # [S] and of the rows of each source.
  carry: State | None  # [L, B, ...]: the state after the batch; None when none was given.


def make_gradients(
    model: spectral_gpt.Model, mesh: Mesh, *, dtype: DTypeLike, accumulation: int, sources: int,
    chunk: int = 0,
) -> Callable[..., Gradients]:
  """Returns f(params, carry, rows, scale) -> Gradients, for use under jit.

  `carry` may be None: every row is then stateless. Layers compute in `dtype`. Longer segments are
  read in chunks of `chunk` bytes, one after the other; 0: at once.
  """
  summed: Any = P()

  def differentiate(
      params: hk.Params, carry: State | None, rows: Rows, scale: jax.Array) -> Gradients:
    specs: Any = sharding.specs(params)
    chunks = phases.chunks(rows.inputs.shape[1], chunk)
    rows = meshes.in_chunks(mesh, rows, chunks)
    local = functools.partial(
        device_gradients, model, dtype=dtype, accumulation=accumulation, sources=sources,
        chunks=chunks)
    # Gradients of what every device holds are summed once, after the last micro-batch. With
    # replication checks on, JAX would insert a sum into every micro-batch.
    sharded = jax.shard_map(
        local, mesh=mesh, check_vma=False,
        in_specs=(specs, meshes.STATE_ROWS, meshes.batch_specs(rows), P()),
        out_specs=Gradients(specs, summed, summed, meshes.STATE_ROWS))
    return sharded(params, carry, rows, scale)

  return differentiate


def device_gradients(
    model: spectral_gpt.Model,
    params: hk.Params,
    carry: State | None,  # [L, B, ...]
    rows: Rows,
    scale: jax.Array,  # [] float32
    *,
    dtype: DTypeLike,
    accumulation: int,
    sources: int,
    chunks: int,
) -> Gradients:
  """What one device computes inside `shard_map`, from its rows and their slice of time."""
  chex.assert_equal_shape_prefix([rows.inputs, rows.reset], 1)
  count = jnp.sum(loss.scored(rows.targets), dtype=jnp.int32)
  count = jax.lax.psum(count, meshes.AXES)
  initial = model.initial_state(rows.reset.shape[0], dtype)
  state = initial if carry is None else spectral_gpt.reset(carry, rows.reset, initial)
  if rows.history is not None and rows.history_start is not None:
    state = remember(model, state, rows.history, rows.history_start)
    rows = rows._replace(history=None, history_start=None)

  gradients, sums, state = accumulate(
      functools.partial(scaled_loss, model, dtype, chunks), params, rows, state,
      weight=scale / jnp.maximum(count, 1), parts=accumulation)

  gradients = sharding.sum_gradients(gradients)
  nats, by_source = jax.lax.psum(
      (jnp.sum(sums.nats), loss.by_source(sums, rows.sources, sources)), meshes.AXES)
  # A state that is not finite would make every later loss of its row so, too.
  state = jax.tree.map(lambda x, x0: jnp.where(jnp.isfinite(nats), x, x0), state, initial)
  carry = None if carry is None else slices.from_last(state)
  return Gradients(gradients, loss.LossSum(nats, count), by_source, carry)


def remember(
    model: spectral_gpt.Model, state: State, history: jax.Array, starts: jax.Array  # [B, H] twice
) -> State:
  """The state once rows have read their history, those that have one; it ends with their text."""
  def row(ids: jax.Array, starts: jax.Array, readers: Any) -> Any:  # [H] twice, leaves [1, ...]
    def read() -> Any:
      one = state._replace(readers=jax.tree.map(lambda x: x[:, None], readers))
      read = model.remember(ids[None], one, starts[None]).readers
      return jax.tree.map(lambda x: x[:, 0], read)

    return jax.lax.cond(ids[-1] != vocab.PAD, read, lambda: readers)

  def rows() -> Any:  # One after the other: few are reset in the same step.
    by_row = jax.tree.map(lambda x: jnp.moveaxis(x, BATCH_AXIS, 0), state.readers)
    read = jax.lax.map(lambda each: row(*each), (history, starts, by_row))
    return jax.tree.map(lambda x: jnp.moveaxis(x, 0, BATCH_AXIS), read)

  some = jnp.any(history[:, -1] != vocab.PAD)
  return state._replace(readers=jax.lax.cond(some, rows, lambda: state.readers))


LossAndState = tuple[loss.LossSum, State]  # [B], [L, B, ...]


def accumulate(
    loss_of: Callable[..., tuple[jax.Array, LossAndState]],
    params: hk.Params,
    rows: Rows,
    state: State,  # [L, B, ...]
    *,
    weight: jax.Array,  # [] float32
    parts: int,
) -> tuple[hk.Params, loss.LossSum, State]:  # Like params; [B]; [L, B, ...]
  """The gradients of `loss_of` summed over micro-batches, one after the other: A = `parts`.

  `loss_of(params, rows, state, weight)` returns what is differentiated and, beside it, the sums and
  the next state of its rows.
  """
  def micro_batch(total: hk.Params, part: tuple[Rows, State]):
    gradients, aux = jax.grad(loss_of, has_aux=True)(params, *part, weight)
    return jax.tree.map(jnp.add, total, gradients), aux

  cut = (_split(rows, parts, 0), _split(state, parts, BATCH_AXIS))
  zero = jax.tree.map(jnp.zeros_like, params)
  gradients, (sums, state) = jax.lax.scan(micro_batch, zero, cut)
  return gradients, _join(sums, 0), _join(state, BATCH_AXIS)


def scaled_loss(
    model: spectral_gpt.Model, dtype: DTypeLike, chunks: int,
    params: hk.Params, rows: Rows, state: State, weight: jax.Array,
) -> tuple[jax.Array, LossAndState]:
  """Nats of some rows times `weight`, to be differentiated; their sums, and the state after them.
  """
  sums, state = read(model, precision.cast_params(params, dtype), rows, state, chunks)
  return jnp.sum(sums.nats) * weight, (sums, state)


def read(
    model: spectral_gpt.Model, params: hk.Params, rows: Rows, state: State, chunks: int
) -> LossAndState:
  """The sums of some rows, or of this device's slices of them, and the state after them."""
  hidden = () if rows.hidden is None else (rows.hidden,)

  def read_part(state: State, part: tuple[jax.Array, ...]) -> tuple[State, loss.LossSum]:
    inputs, targets, starts = part  # [B, T/C] each
    logits, state = model.apply(params, inputs, state, starts, *hidden)
    return state, loss.next_byte_loss(logits, targets)

  def read_chunk(state: State, part: tuple[jax.Array, ...]) -> tuple[State, loss.LossSum]:
    state, sums = read_part(state, part)
    return slices.from_last(state), sums  # The next chunk begins where the last slice ends.

  texts = (rows.inputs, rows.targets, rows.stream_start)
  if chunks == 1:
    state, sums = read_part(state, texts)
    return sums, state
  state, each = jax.lax.scan(
      jax.checkpoint(read_chunk, prevent_cse=False), state, _split(texts, chunks, 1))
  return jax.tree.map(lambda x: jnp.sum(x, axis=0), each), state


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
