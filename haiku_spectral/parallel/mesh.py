"""The mesh of devices: rows over `data` and `fsdp`, time over `sequence`, parameters over `fsdp`.

One device is a mesh of one along each axis: there is no second code path.

Shapes: B rows of the batch, T time (bytes), L super-blocks.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from haiku_spectral.config import Config, phases
from haiku_spectral.modules import shards
from haiku_spectral.ops import slices

T = TypeVar('T')

DATA_AXIS, FSDP_AXIS, SEQUENCE_AXIS = 'data', shards.AXIS, slices.AXIS
AXES = (DATA_AXIS, FSDP_AXIS, SEQUENCE_AXIS)
ROW_AXES = (DATA_AXIS, FSDP_AXIS)
ROWS = P(ROW_AXES)  # Of what a batch has per row: [B, ...].
SLICES = P(ROW_AXES, SEQUENCE_AXIS)  # Of what it has per byte: [B, T].
STATE_ROWS = P(None, ROW_AXES)  # Of a model's state: [L, B, ...].


def parse(text: str) -> dict[str, int]:
  """The sizes of a mesh: 'data:2,fsdp:2,sequence:2'; an axis that is not named has size 1.

  Raises ValueError for anything else.
  """
  sizes: dict[str, int] = {}
  for part in text.split(','):
    name, _, size = part.strip().partition(':')
    if name not in AXES or name in sizes or not size.isdecimal() or int(size) < 1:
      raise ValueError(
          f'mesh {text!r}: {part!r} is no axis with a size. Give each of {", ".join(AXES)} at most '
          'once with its number of devices, as in data:2,fsdp:2,sequence:2.')
    sizes[name] = int(size)
  return {name: sizes.get(name, 1) for name in AXES}


def make_mesh(
    sizes: Mapping[str, int] | None = None, devices: Sequence[jax.Device] | None = None
) -> Mesh:
  """A mesh of the given devices, or of those of all processes; None: all of them along `data`.

  Raises ValueError when the sizes are not those of so many devices.
  """
  devices = jax.devices() if devices is None else devices
  sizes = {DATA_AXIS: len(devices)} if sizes is None else sizes
  shape = [sizes.get(name, 1) for name in AXES]
  if math.prod(shape) != len(devices):
    raise ValueError(
        f'the mesh {describe(sizes)} is one of {math.prod(shape)} devices, and there are '
        f'{len(devices)}: give sizes whose product is {len(devices)}, or other devices '
        '(CUDA_VISIBLE_DEVICES, JAX_NUM_CPU_DEVICES).')
  return Mesh(np.array(devices).reshape(shape), AXES)


def data_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
  """All devices along `data`."""
  return make_mesh(devices=devices)


def describe(sizes: Mapping[str, int]) -> str:
  """A mesh as the flag has it."""
  return ','.join(f'{name}:{sizes.get(name, 1)}' for name in AXES)


def row_shares(mesh: Mesh) -> int:
  """Among how many devices, or lines of devices along `sequence`, the rows are shared."""
  return math.prod(mesh.shape[name] for name in ROW_AXES)


def check(mesh: Mesh, config: Config) -> None:
  """Raises a ValueError unless rows and segments can be shared by the mesh."""
  check_rows(mesh, config.data.batch_size, config.train.accumulation)
  lengths = {'config.data.segment': config.data.segment}
  if config.train.chunk:
    lengths['config.train.chunk'] = config.train.chunk
  for phase in phases.plan(config):
    lengths |= {f'a segment of the phase {phase.name!r}': each.segment for each in phase.stages}
  check_lengths(mesh, lengths)


def check_rows(mesh: Mesh, batch_size: int, accumulation: int) -> None:
  """Raises a ValueError unless every device gets the same rows in every micro-batch."""
  devices = row_shares(mesh)
  shares = devices * accumulation
  if batch_size % shares:
    raise ValueError(
        f'config.data.batch_size={batch_size} cannot be shared evenly by {devices} devices with '
        f'config.train.accumulation={accumulation} micro-batches each: give a multiple of {shares} '
        'rows, fewer micro-batches, a larger sequence axis (--mesh), or fewer devices '
        '(CUDA_VISIBLE_DEVICES, JAX_NUM_CPU_DEVICES).')


def check_lengths(mesh: Mesh, lengths: Mapping[str, int]) -> None:
  """Raises a ValueError unless every length, by its name, can be cut into equal slices."""
  count = mesh.shape[SEQUENCE_AXIS]
  for name, length in lengths.items():
    if length % count:
      raise ValueError(
          f'{name} of {length} bytes cannot be cut into {count} slices of the same length: give a '
          f'multiple of {count} bytes, or another size of the mesh axis {SEQUENCE_AXIS} (--mesh).')


def replicated(mesh: Mesh) -> NamedSharding:
  """The sharding of an array of which every device holds a full copy."""
  return NamedSharding(mesh, P())


def batch_specs(batch: T) -> T:  # leaves [B] or [B, T]
  """How the leaves of a batch are cut; what was before it (`history`) is for all slices."""
  def spec(path: tuple, x: Any) -> P:
    whole = x.ndim == 1 or getattr(path[-1], 'name', '').startswith('history')
    return ROWS if whole else SLICES

  return jax.tree_util.tree_map_with_path(spec, batch)


def in_chunks(mesh: Mesh, batch: T, chunks: int) -> T:  # leaves [B] or [B, T]
  """The batch in another order of time, in which each slice has its parts of all chunks.

  A segment that is read in chunks is cut into chunks first and each of these into slices.
  """
  count = mesh.shape[SEQUENCE_AXIS]
  if chunks == 1 or count == 1:
    return batch

  def order(x: Any, spec: P) -> Any:
    if spec != SLICES:
      return x
    cut = x.reshape(len(x), chunks, count, -1)
    return cut.swapaxes(1, 2).reshape(x.shape)

  return jax.tree.map(order, batch, batch_specs(batch))


def row_share(mesh: Mesh) -> tuple[int, int]:
  """Which share of a batch's rows the devices of this process need, and of how many equal ones.

  Processes whose devices lie along `sequence` need the same rows. Raises ValueError when the shares
  are not equal or not of consecutive rows.
  """
  lines = mesh.devices.reshape(row_shares(mesh), -1)
  needed: dict[int, set[int]] = {}
  for number, line in enumerate(lines):
    for device in line:
      needed.setdefault(device.process_index, set()).add(number)
  shares = {tuple(sorted(numbers)) for numbers in needed.values()}
  ordered = [number for share in sorted(shares) for number in share]
  if ordered != list(range(len(lines))) or len({len(share) for share in shares}) != 1:
    raise ValueError(
        f'the mesh {describe(mesh.shape)} does not give each process an equal share of the rows, '
        f'or the same ones: {len(lines)} shares of rows by {len(needed)} processes. Give sizes '
        '(--mesh) of which each process has whole lines, or whole parts of one.')
  own = tuple(sorted(needed[jax.process_index()]))
  return sorted(shares).index(own), len(shares)


def place_rows(mesh: Mesh, batch: T) -> T:  # leaves [B / H] or [B / H, T], H shares of rows
  """Puts this process's share of rows, and their slices of time, onto the devices in order."""
  share, shares = row_share(mesh)

  def place(x: Any, spec: P) -> jax.Array:
    first = share * len(x)

    def cut(index: Any) -> Any:
      rows = slice((index[0].start or 0) - first, (index[0].stop or shares * len(x)) - first)
      return x[(rows, *index[1:])]

    return jax.make_array_from_callback(
        (shares * len(x), *x.shape[1:]), NamedSharding(mesh, spec), cut)

  return jax.tree.map(place, batch, batch_specs(batch))
