"""What a training step sends over each group of a mesh's axes, by formulas.

A device sends, of n bytes over a group of G devices: all of them once to a neighbour; (G - 1) / G
of an array that is gathered from shards or summed into them; twice that of one that is summed for
all, as rings of messages do (Thakur et al. 2005). Sums of single numbers, such as a loss and a
norm, are not counted.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral.config import Config, phases
from haiku_spectral.modules import mixer as mixer_lib
from haiku_spectral.modules import mixers, precision, spectral_gpt
from haiku_spectral.ops import slices
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.parallel import sharding

Axes = tuple[str, ...]
NEWTON_SCHULZ_STEPS = 5  # Of optax.contrib.muon.


def scattered(size: float, devices: int) -> float:
  """Bytes that each of `devices` sends to gather an array of `size` bytes, or to sum into shards.
  """
  return size * (devices - 1) / devices


def summed(size: float, devices: int) -> float:
  """The same to sum arrays of `size` bytes, with the sum on every device."""
  return 2 * scattered(size, devices)


def per_step(config: Config, sizes: Mapping[str, int]) -> dict[Axes, float]:
  """Bytes that a device sends in a training step, by the group of axes it sends them over.

  Axes of size 1 belong to no group.
  """
  size = {name: sizes.get(name, 1) for name in meshes.AXES}
  found: dict[Axes, float] = {}

  def add(axes: Axes, sent: float) -> None:
    group = tuple(name for name in axes if size[name] > 1)
    if group and sent:
      found[group] = found.get(group, 0.0) + sent

  def devices(axes: Axes) -> int:
    return math.prod(size[name] for name in axes)

  numbers = _numbers(config)
  data = (meshes.DATA_AXIS, meshes.SEQUENCE_AXIS)
  shard = 4 * numbers.sharded / size[meshes.FSDP_AXIS]
  add(data, summed(shard, devices(data)))
  add(meshes.AXES, summed(4 * numbers.copied, devices(meshes.AXES)))
  add((meshes.FSDP_AXIS,), _of_shards(config, numbers, size[meshes.FSDP_AXIS]))
  add((meshes.SEQUENCE_AXIS,), _of_slices(config, size))
  return found


class _Numbers(NamedTuple):
  """How many there are."""

  sharded: int  # Parameters of which each device of `fsdp` has a shard,
  stacked: int  # of these, those of super-blocks.
  copied: int  # Parameters that every device holds.
  grams: int  # Numbers of the Gram matrices of the shorter sides of sharded matrices.


def _numbers(config: Config) -> _Numbers:
  model = spectral_gpt.make_model(config.model)
  params = jax.eval_shape(model.init, jax.random.key(0))
  sharded = stacked = copied = grams = 0
  for module, named in params.items():
    for name, value in named.items():
      path = f'{module}/{name}'
      if not sharding.is_sharded(sharding.spec(path)):
        copied += value.size
        continue
      sharded += value.size
      stacked += value.size * (sharding.STACK in path.split('/'))
      if name == 'w':
        grams += value.size // (value.shape[-1] * value.shape[-2]) * min(value.shape[-2:]) ** 2
  return _Numbers(sharded, stacked, copied, grams)


def _of_shards(config: Config, numbers: _Numbers, devices: int) -> float:
  """Parameters to where they are used, sums of gradients back, and what Muon sums."""
  compute = jnp.dtype(precision.policy(config.train.precision).compute_dtype).itemsize
  # Those of super-blocks are gathered for each pass over a chunk, the others once for all chunks;
  # gradients are float32.
  chunks = phases.chunks_of(config)
  passes = 2 + (chunks > 1)
  gathered = compute * (numbers.sharded - numbers.stacked + passes * chunks * numbers.stacked)
  sent = config.train.accumulation * scattered(
      gathered + 4 * chunks * numbers.sharded, devices)
  if config.train.optimizer.kind == 'muon':
    sent += NEWTON_SCHULZ_STEPS * summed(4 * numbers.grams, devices)
  return sent


def _of_slices(config: Config, size: Mapping[str, int]) -> float:
  """What mixers send to the right, and gradients to the left; the state to go on with, to all."""
  count = size[meshes.SEQUENCE_AXIS]
  if count == 1:
    return 0.0
  model, parts = config.model, config.train.accumulation
  chunks = phases.chunks_of(config)
  rows = config.data.batch_size // (size[meshes.DATA_AXIS] * size[meshes.FSDP_AXIS])
  cut = slices.Cut(rows // parts, config.data.segment // chunks // count, count)
  dtype = precision.policy(config.train.precision).compute_dtype

  def of(chosen: tuple[mixer_lib.Mixer, ...], layers: int) -> slices.Sent:
    each = [mixer_lib.crossing_bytes(mixer, mixer.config(model), model.width, cut, dtype)
            for mixer in chosen]
    return slices.Sent(*(layers * sum(column) for column in zip(*each, strict=True)))

  blocks = of(mixers.of(model), model.layers // len(model.pattern))
  forward = blocks.traced + blocks.other
  again, size_of = chunks > 1, hk.data_structures.tree_bytes
  sent = forward * (1 + again + model.remat) + blocks.traced
  if mixers.readers(model):
    sent += (1 + again) * sum(of(mixers.readers(model), 1))
  sent *= parts * chunks
  state = jax.eval_shape(lambda: spectral_gpt.make_model(model).initial_state(rows, dtype))
  if config.data.stateful_rows:
    sent += summed(size_of(state), count)
  if again:
    # The state after each chunk, its gradient back, and each device's share of all chunks.
    sent += chunks * summed(size_of(state) + size_of(state.blocks), count)
  return sent
