"""The data mesh: every device holds all parameters and its share of the batch's rows.

One device is a mesh of one: there is no second code path.
"""

from collections.abc import Sequence
from typing import TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

T = TypeVar('T')

DATA_AXIS = 'data'
ROWS = P(DATA_AXIS)  # Of a batch: [B, ...].
STATE_ROWS = P(None, DATA_AXIS)  # Of a model's state: [super-blocks, B, ...].


def data_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
  """A mesh of the given devices, or of all of this process, along the axis `data`."""
  return Mesh(np.array(devices if devices is not None else jax.local_devices()), (DATA_AXIS,))


def check_rows(mesh: Mesh, batch_size: int, accumulation: int) -> None:
  """Raises a ValueError unless every device gets the same rows in every micro-batch."""
  shares = mesh.size * accumulation
  if batch_size % shares:
    raise ValueError(
        f'config.data.batch_size={batch_size} cannot be shared evenly by {mesh.size} devices with '
        f'config.train.accumulation={accumulation} micro-batches each: give a multiple of {shares} '
        'rows, fewer micro-batches, or fewer devices (CUDA_VISIBLE_DEVICES, JAX_NUM_CPU_DEVICES).')


def replicated(mesh: Mesh) -> NamedSharding:
  """The sharding of an array of which every device holds a full copy."""
  return NamedSharding(mesh, P())


def place_rows(mesh: Mesh, batch: T) -> T:  # leaves [B, ...]
  """Shards a batch's rows over the devices: the first B / devices on the first, and so on."""
  sharding = NamedSharding(mesh, ROWS)
  return jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, x), batch)
