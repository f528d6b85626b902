"""The lines of a memory's decode cache: what is known of each id of a block.

A line has P entries from before the block, then one for each of its C ids; entries behind those
that are filled do not count. So rolling ids back changes one number, `filled`.

Shapes: T new ids, C ids of a block, P entries before it; leading axes are batches.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops.conv_cache import BLOCK


def begin(entries: Any, filled: jax.Array) -> dict[str, jax.Array]:
  """The lines of a block with `filled` ids, by name: [..., P + C].

  The fields of the NamedTuple `entries`, [..., P], are their last P entries so far.
  """
  def line(last: jax.Array) -> jax.Array:
    return jnp.roll(jnp.pad(last, [(0, 0)] * (last.ndim - 1) + [(0, BLOCK)]), filled, axis=-1)

  return {name: line(last) for name, last in entries._asdict().items()}


def extend(line: jax.Array, new: jax.Array, filled: jax.Array) -> jax.Array:
  """The line [..., P + C] with the entries [..., T] of more ids, for which it must have room."""
  place = filled + line.shape[-1] - BLOCK
  return lax.dynamic_update_slice_in_dim(line, new, place, axis=-1)


def newest(line: jax.Array, filled: jax.Array) -> jax.Array:  # [..., P + C] -> [..., 1]
  """The last entry, for P of at least 1."""
  return lax.dynamic_slice_in_dim(line, filled + line.shape[-1] - BLOCK - 1, 1, axis=-1)


def append(block: Any, entries: Any) -> Any:
  """The block with the entries of T ids, for which it must have room.

  Both are NamedTuples; each field of `entries`, [..., T], goes to the line of the same name.
  """
  lines = {name: extend(getattr(block, name), new, block.filled)
           for name, new in entries._asdict().items()}
  return block._replace(**lines, filled=block.filled + entries[0].shape[-1])
