"""The contexts of a block's ids, for the decode caches of memories that look contexts up.

A table is written to once per block. Until then a context is looked up in it and among those of the
block, which are few.

Shapes: B batch, T new ids, O contexts, N slots of a table, M reach of the contexts, C ids of a
block. Contexts are numbered 0 .. C: number c ends before id c of the block.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from haiku_spectral.ops import block_lines, ngram_memory
from haiku_spectral.ops.conv_cache import BLOCK
from haiku_spectral.ops.hashed_table import slot_of
from haiku_spectral.ops.ngram_contexts import Contexts, hashes

NUMBERS = np.arange(BLOCK + 1)


class Lookup(NamedTuple):
  """The contexts of T new ids."""

  hashed: jax.Array  # [B, O, T] uint32: of the context that ends with each id,
  there: jax.Array  # [B, O, T] bool: whether it is there.
  until: jax.Array  # [T]: number of the last context that was read before it.
  followers: jax.Array  # [B, 1, 1, 1 + C] uint32: the byte after each context, by its number.


class Runs(NamedTuple):
  """Earlier occurrences in the block of each new context, as long as none took its slot."""

  here: jax.Array  # [B, O, T, 1 + C] bool
  in_table: jax.Array  # [B, O, T] bool: none in the block has, so the table's entry counts.


def look_up(ids: jax.Array, block: Any, contexts: Contexts) -> Lookup:
  """The contexts of ids [B, T] that go on a block.

  The block has `ids` [B, M + C], `first` and `seen` [B] and `filled`, as `ngram_cache.NgramBlock`.
  """
  reach, last = contexts.reach, block.filled
  until = last + jnp.arange(ids.shape[1])
  line = block_lines.extend(block.ids, ids, last)
  seen = block.seen[:, None] + until + 1 - block.first[:, None]
  recent = lax.dynamic_slice_in_dim(line, last + 1, reach + ids.shape[1] - 1, axis=1)
  followers = jnp.minimum(line[:, reach:], ngram_memory.NO_BYTE).astype(jnp.uint32)
  return Lookup(*hashes(recent, seen, contexts), until,
                jnp.pad(followers, [(0, 0), (0, 1)])[:, None, None])


def runs(at: Lookup, block: Any, slots: int, check_of: Callable[[jax.Array], jax.Array]) -> Runs:
  """Finds new contexts among those of the block; a context with other check bits takes a slot.

  The block has `hashed` and `there` [B, O, 1 + C] too.
  """
  old, old_there = (block_lines.extend(x, new, block.filled)[:, :, None]
                    for x, new in ((block.hashed, at.hashed), (block.there, at.there)))
  new = at.hashed[..., None]
  earlier = old_there & (block.first[:, None, None, None] <= NUMBERS) & (
      at.until[:, None] >= NUMBERS)
  same_slot = earlier & (slot_of(old, slots) == slot_of(new, slots))
  same = same_slot & (check_of(old) == check_of(new))
  other = latest(same_slot & ~same)
  return Runs(same & (other < NUMBERS), other[..., 0] < 0)


def latest(mask: jax.Array) -> jax.Array:  # [B, O, T, 1 + C] -> [B, O, T, 1]
  """The greatest number in a mask, -1 where it is empty."""
  return jnp.max(jnp.where(mask, NUMBERS, -1), axis=3, keepdims=True)
