"""A pytree as named arrays with digests: the form in which it is saved.

A name is the path in the tree ('spectral_gpt/norm/scale', 'opt_state/1/mu/...'), so that a saved
tree depends on no Python class. Arrays without elements are omitted: they cannot be stored and hold
no information. Arrays are NumPy's, or JAX's where several processes hold their shards.
"""

import math
import zlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral.parallel import hosts

Leaves = dict[str, Any]
_PIECE = 1 << 16  # Elements that are digested at a time, in the processor's caches.


def _name(path: tuple[Any, ...]) -> str:
  return jax.tree_util.keystr(path, simple=True, separator='/')


def to_leaves(tree: Any) -> Leaves:
  """Copies every array to the host. The copies stay as they are when the originals are donated.

  What this process has not all of is copied where it is.
  """
  def copy(leaf: Any) -> Any:
    if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable:
      return jnp.copy(leaf)
    return np.array(leaf)

  return {
      _name(path): copy(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
      if leaf.size
  }


def from_leaves(leaves: Leaves, like: Any) -> Any:
  """Builds a tree of the structure of `like` (arrays, or their shapes and types).

  Raises ValueError naming the first leaf that is missing or has another shape or type.
  """
  def pick(path: tuple[Any, ...], wanted: Any) -> np.ndarray:
    if not wanted.size:
      return np.zeros(wanted.shape, wanted.dtype)
    leaf = leaves.get(_name(path))
    if leaf is None or leaf.shape != wanted.shape or leaf.dtype != wanted.dtype:
      found = 'is not there' if leaf is None else f'is {leaf.dtype}{list(leaf.shape)}'
      raise ValueError(
          f'array {_name(path)!r} {found}: {wanted.dtype}{list(wanted.shape)} is wanted.')
    return leaf

  return jax.tree_util.tree_map_with_path(pick, like)


def digests(leaves: Leaves) -> dict[str, str]:
  """Type, shape and a sum over its elements of every array; the same on any mesh.

  It finds what a disk or a copy does to bytes: summed modulo 2^32 is a hash of each element's bits
  and place, so that each process sums its own shards. For all processes at once.
  """
  sums = hosts.total([
      sum(part_sum(*shard, leaf.shape) for shard in _shards(leaf)) % (1 << 32)
      for leaf in leaves.values()])
  return {name: f'{leaf.dtype}{list(leaf.shape)} {int(value) % (1 << 32):08x}'
          for (name, leaf), value in zip(leaves.items(), sums, strict=True)}


def _shards(leaf: Any) -> Iterator[tuple[np.ndarray, tuple[slice, ...]]]:
  """The parts of an array that this process digests, and their places."""
  if not isinstance(leaf, jax.Array) or leaf.is_fully_addressable:
    if jax.process_index() == 0:  # What is no shard is with every process, whole.
      leaf = np.asarray(leaf)
      yield leaf, (slice(None),) * leaf.ndim
    return
  for shard in leaf.addressable_shards:
    if shard.replica_id == 0:
      yield np.asarray(shard.data), shard.index


def part_sum(data: np.ndarray, index: tuple[slice, ...], shape: tuple[int, ...]) -> int:
  """The sum of the hashes of a shard's elements, in places of an array of a shape."""
  strides = [math.prod(shape[axis + 1:]) for axis in range(len(shape))]
  lines = data.reshape(-1, data.shape[-1] if data.ndim else 1)
  first = [(cut.start or 0) * stride for cut, stride in zip(index, strides, strict=True)]
  step, total = max(_PIECE // lines.shape[1], 1), 0
  along = np.arange(lines.shape[1], dtype=np.uint64) + sum(first)
  for start in range(0, len(lines), step):
    part = lines[start : start + step]
    outer = np.unravel_index(np.arange(start, start + len(part)), data.shape[:-1] or (1,))
    begin = sum((np.asarray(o, np.uint64) * np.uint64(s)
                 for o, s in zip(outer, strides, strict=False)), np.zeros(len(part), np.uint64))
    places = (begin[:, None] + along).astype(np.uint32)
    total += int(_hashes(part, places).sum(dtype=np.uint64))
  return total


def _hashes(data: np.ndarray, places: np.ndarray) -> np.ndarray:  # [n, m] twice -> uint32
  """The finaliser of MurmurHash3 (Appleby) of each element's bits and place."""
  bits: Any = np.ascontiguousarray(data).view(f'u{data.dtype.itemsize}')
  if data.dtype.itemsize > 4:
    bits = bits ^ (bits >> np.uint64(32)) * np.uint64(0x9E3779B1)
  x = bits.astype(np.uint32) + places * np.uint32(0x9E3779B1)
  x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
  x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
  return x ^ (x >> np.uint32(16))


def crc_digests(leaves: Leaves) -> dict[str, str]:
  """The digests of version 2 of checkpoints: CRC-32 of whole arrays."""
  def digest(leaf: np.ndarray) -> str:
    raw = np.ascontiguousarray(leaf).view(np.uint8).data
    return f'{leaf.dtype}{list(leaf.shape)} {zlib.crc32(raw):08x}'

  return {name: digest(leaf) for name, leaf in leaves.items()}


def verify(found: dict[str, str], expected: dict[str, str]) -> None:
  """Compares digests. Raises ValueError naming what is missing, unknown or not what was saved."""
  wrong = sorted(name for name in found.keys() | expected.keys()
                 if found.get(name) != expected.get(name))
  if wrong:
    raise ValueError(
        f'{len(wrong)} arrays are not what was saved, first {wrong[0]!r} '
        f'({found.get(wrong[0], "missing")} instead of {expected.get(wrong[0], "nothing")})')
