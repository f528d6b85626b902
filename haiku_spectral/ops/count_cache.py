"""The count memory byte by byte: the tables of a block's start, and the contexts since.

Shapes: B batch, T time (ids), O contexts, N slots of a table, M reach of the contexts, K followers,
C ids of a block.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops import block_lines, context_lines, count_memory
from haiku_spectral.ops.conv_cache import BLOCK
from haiku_spectral.ops.count_memory import CountReads, CountState
from haiku_spectral.ops.hashed_table import slot_of
from haiku_spectral.ops.ngram_contexts import Contexts, hashes


class Entries(NamedTuple):
  """What T ids add, for `block_lines.append`."""

  ids: jax.Array  # [B, T] int32
  hashed: jax.Array  # [B, O, T] uint32: of the context that ends with each id,
  there: jax.Array  # [B, O, T] bool: whether it is there.


class CountBlock(NamedTuple):
  """A count memory inside a block."""

  ring: jax.Array  # [B, O, N, K] uint8: at the block's start.
  table: jax.Array  # [B, O, N] uint32: the same.
  ids: jax.Array  # [B, M + C] int32: those before the block, then its own.
  hashed: jax.Array  # [B, O, 1 + C], by the number of the context, as the next (`context_lines`).
  there: jax.Array
  first: jax.Array  # [B] int32: the ids of the block before are in the tables already.
  seen: jax.Array  # [B] int32: ids since the stream began, `first` ids into the block, at most M.
  filled: jax.Array  # [] int32


def to_cache(state: CountState, filled: jax.Array, *, contexts: Contexts) -> CountBlock:
  """The decode cache `filled` ids into a block, all of them in the tables already."""
  last = Entries(state.recent, *hashes(state.recent, state.seen[:, None], contexts))
  return CountBlock(
      ring=state.ring, table=state.table, **block_lines.begin(last, filled),
      first=jnp.full_like(state.seen, filled), seen=state.seen, filled=filled)


def from_cache(block: CountBlock, *, contexts: Contexts) -> CountState:
  """The state of the chunk call."""
  state = CountState(block.ring, block.table, block.ids[:, :-BLOCK], block.seen)
  return count_memory.read_piece(
      block.ids, state, contexts=contexts, first=block.first, length=block.filled, starts=None)[1]


def read(
    ids: jax.Array, block: CountBlock, *, contexts: Contexts  # [B, T]
) -> tuple[CountReads, Entries]:
  """`count_memory.read` for T ids of a block, and the entries to append."""
  at = context_lines.look_up(ids, block, contexts)
  found, count = _followers(at, block)
  reads = CountReads(*(jnp.moveaxis(x, 1, 2) for x in (found, jnp.where(at.there, count, 0))))
  return reads, Entries(ids, at.hashed, at.there)


def _followers(
    at: context_lines.Lookup, block: CountBlock
) -> tuple[jax.Array, jax.Array]:  # [B, O, T, K] and [B, O, T] int32
  """The latest followers of each context, newest first, and how many there are."""
  slots, followers = block.ring.shape[2:]
  runs = context_lines.runs(at, block, slots, count_memory.check_of)
  behind = lax.cumsum(runs.here.astype(jnp.int32), axis=3, reverse=True) - 1  # 0: the newest.
  in_block = jnp.sum(runs.here, axis=3)
  back = jnp.arange(followers)
  newest = jnp.sum(jnp.where(
      runs.here[..., None] & (behind[..., None] == back), at.followers[..., None], 0), axis=3)

  slot = slot_of(at.hashed, slots).astype(jnp.int32)
  head = jnp.take_along_axis(block.table, slot, axis=2)
  stored = jnp.where(
      runs.in_table, count_memory.number_of(head, count_memory.check_of(at.hashed)), 0)
  place = (stored[..., None] - 1 - (back - in_block[..., None])) % followers
  rings = block.ring.reshape(*block.ring.shape[:2], -1)
  of_table = jnp.take_along_axis(
      rings, (slot[..., None] * followers + place).reshape(*slot.shape[:2], -1), axis=2)
  found = jnp.where(back < in_block[..., None], newest.astype(jnp.int32),
                    of_table.reshape(place.shape).astype(jnp.int32))
  return found, jnp.minimum(in_block + stored, followers)
