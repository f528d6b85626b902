"""What a training carries from step to step, where it lies on the devices, and how it is stored.

Shapes: B rows of the batch, L super-blocks.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding

from haiku_spectral import backend
from haiku_spectral.config import Config
from haiku_spectral.modules import precision, spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.parallel import sharding
from haiku_spectral.training import guards, leaves, loss_scale, optimizer


class TrainState(NamedTuple):
  """Everything that the next step depends on, beside its batch."""

  step: jax.Array  # [] int32: steps taken, skipped ones included.
  params: Any  # float32
  opt_state: optax.OptState
  carry: spectral_gpt.State | None  # [L, B, ...]: of the batch's rows; None when none is carried.
  guard: guards.GuardState
  loss_scale: loss_scale.LossScale | None  # None unless the precision is float16.


def compute_dtype(config: Config) -> jnp.dtype:
  """What the layers compute in and the carried state is kept in."""
  return jnp.dtype(precision.policy(config.train.precision).compute_dtype)


def shardings(mesh: Mesh, like: TrainState) -> TrainState:
  """Where each array of a state like this lies.

  Parameters and the optimiser's state by the table of `parallel/sharding`, the carry by rows; the
  others are everywhere.
  """
  placed = TrainState(*(jax.tree.map(lambda _: meshes.replicated(mesh), part) for part in like))
  rows = NamedSharding(mesh, meshes.STATE_ROWS)
  return placed._replace(
      params=sharding.shardings(mesh, like.params, like.params),
      opt_state=sharding.shardings(mesh, like.opt_state, like.params),
      carry=jax.tree.map(lambda _: rows, like.carry))


def initial_state(model: spectral_gpt.Model, config: Config) -> TrainState:
  """The state before the first step: a function of `config.train.seed`."""
  params = model.init(jax.random.key(config.train.seed))
  carry = None
  if config.data.stateful_rows:
    carry = model.initial_state(config.data.batch_size, compute_dtype(config))
  return TrainState(
      step=jnp.int32(0),
      params=params,
      opt_state=optimizer.make_optimizer(config).init(params),
      carry=carry,
      guard=guards.initial_guard(),
      loss_scale=loss_scale.initial_loss_scale(config.train.precision),
  )


@functools.lru_cache(maxsize=8)
def abstract_state(model: spectral_gpt.Model, config: Config) -> TrainState:
  """Shapes and types of the initial state."""
  return jax.eval_shape(functools.partial(initial_state, model, config))


def start(model: spectral_gpt.Model, config: Config, mesh: Mesh) -> TrainState:
  """`initial_state` on the mesh's devices, made in one program (which is several times faster).

  No device ever holds more than its shards of what is sharded.
  """
  make = functools.partial(initial_state, model, config)
  return jax.jit(
      make, out_shardings=shardings(mesh, abstract_state(model, config)),
      compiler_options=backend.run_once_options())()


def place(mesh: Mesh, state: TrainState) -> TrainState:
  """Puts a train state, which every process has whole, onto the mesh's devices."""
  def put(x: Any, sharding: NamedSharding) -> jax.Array:
    x = np.asarray(x)
    return jax.make_array_from_callback(x.shape, sharding, lambda index: x[index])

  return jax.tree.map(put, state, shardings(mesh, state))


def stored(state: TrainState, stateful_rows: int) -> TrainState:
  """What a checkpoint holds beside the parameters: of the carry, that of the stateful rows."""
  carry = jax.tree.map(lambda x: x[:, :stateful_rows], state.carry)
  return state._replace(params=None, carry=carry)


def restored(
    params: leaves.Leaves, training: leaves.Leaves, model: spectral_gpt.Model, config: Config
) -> TrainState:
  """The train state of a checkpoint, on the host. Raises ValueError when it does not fit."""
  rows = config.data.stateful_rows
  like = abstract_state(model, config)
  like = like._replace(carry=jax.tree.map(
      lambda x: jax.ShapeDtypeStruct((x.shape[0], rows, *x.shape[2:]), x.dtype), like.carry))
  state = leaves.from_leaves(training, like._replace(params=None))
  carry = state.carry
  if carry is not None:
    stateless = model.initial_state(config.data.batch_size - rows, compute_dtype(config))
    carry = jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), carry, stateless)
  return state._replace(params=leaves.from_leaves(params, like.params), carry=carry)
