"""A pytree as named arrays on the host with digests: the form in which it is saved.

A name is the path in the tree ('spectral_gpt/norm/scale', 'opt_state/1/mu/...'), so that a saved
tree depends on no Python class. Arrays without elements are omitted: they cannot be stored and hold
no information.
"""

import zlib
from typing import Any

import jax
import numpy as np

Leaves = dict[str, np.ndarray]


def _name(path: tuple[Any, ...]) -> str:
  return jax.tree_util.keystr(path, simple=True, separator='/')


def to_leaves(tree: Any) -> Leaves:
  """Copies every array to the host. The copies stay as they are when the originals are donated."""
  return {
      _name(path): np.array(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
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
  """Type, shape and CRC-32 of every array (2 GB/s; finds what a disk or a copy does to bytes)."""
  def digest(leaf: np.ndarray) -> str:
    raw = np.ascontiguousarray(leaf).view(np.uint8).data
    return f'{leaf.dtype}{list(leaf.shape)} {zlib.crc32(raw):08x}'

  return {name: digest(leaf) for name, leaf in leaves.items()}


def verify(leaves: Leaves, expected: dict[str, str]) -> None:
  """Raises ValueError naming what is missing, unknown or not what was saved."""
  found = digests(leaves)
  wrong = sorted(name for name in found.keys() | expected.keys()
                 if found.get(name) != expected.get(name))
  if wrong:
    raise ValueError(
        f'{len(wrong)} arrays are not what was saved, first {wrong[0]!r} '
        f'({found.get(wrong[0], "missing")} instead of {expected.get(wrong[0], "nothing")})')
