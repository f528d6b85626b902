"""The count memory byte by byte: the tables of a block's start, and the contexts since.

Shapes: B batch, T time (ids), O contexts, N slots of a table, M reach of the contexts, K followers,
C ids of a block. Contexts are numbered 0 .. C: number c ends before id c of the block.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops import block_lines, count_memory, ngram_memory
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
  hashed: jax.Array  # [B, O, 1 + C], by the number of the context, as the next.
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
  reach, last = contexts.reach, block.filled
  until = last + jnp.arange(ids.shape[1])  # [T]: the context that each id follows.
  line = block_lines.extend(block.ids, ids, last)
  seen = block.seen[:, None] + until + 1 - block.first[:, None]
  recent = lax.dynamic_slice_in_dim(line, last + 1, reach + ids.shape[1] - 1, axis=1)
  hashed, there = hashes(recent, seen, contexts)
  found, count = _followers(hashed, until, line[:, reach:], block, there)
  reads = CountReads(*(jnp.moveaxis(x, 1, 2) for x in (found, jnp.where(there, count, 0))))
  return reads, Entries(ids, hashed, there)


def _followers(
    hashed: jax.Array,  # [B, O, T]: of the contexts that end with each id.
    until: jax.Array,  # [T]: the last context before it.
    line: jax.Array,  # [B, C] int32: ids of the block, the new ones among them.
    block: CountBlock, there: jax.Array,
) -> tuple[jax.Array, jax.Array]:  # [B, O, T, K] and [B, O, T] int32
  """The latest followers of each context, newest first, and how many there are."""
  slots, followers = block.ring.shape[2:]
  number = jnp.arange(BLOCK + 1)
  old, old_there = (block_lines.extend(x, new, block.filled)[:, :, None]
                    for x, new in ((block.hashed, hashed), (block.there, there)))
  check, new = count_memory.check_of(hashed), hashed[..., None]

  # Among the contexts of the block: those since another one took the slot. [B, O, T, 1 + C]
  earlier = old_there & (number >= block.first[:, None, None, None]) & (number <= until[:, None])
  same_slot = earlier & (slot_of(old, slots) == slot_of(new, slots))
  same = same_slot & (count_memory.check_of(old) == check[..., None])
  other = jnp.max(jnp.where(same_slot & ~same, number, -1), axis=3, keepdims=True)
  run = same & (number > other)
  behind = lax.cumsum(run.astype(jnp.int32), axis=3, reverse=True) - 1  # 0: the newest.
  in_block = jnp.sum(run, axis=3)
  follower = jnp.pad(
      jnp.minimum(line, ngram_memory.NO_BYTE), [(0, 0), (0, 1)])[:, None, None, :, None]
  back = jnp.arange(followers)
  newest = jnp.sum(
      jnp.where(run[..., None] & (behind[..., None] == back), follower, 0), axis=3)

  slot = slot_of(hashed, slots).astype(jnp.int32)
  head = jnp.take_along_axis(block.table, slot, axis=2)
  stored = jnp.where(other[..., 0] < 0, count_memory.number_of(head, check), 0)
  place = (stored[..., None] - 1 - (back - in_block[..., None])) % followers
  rings = block.ring.reshape(*block.ring.shape[:2], -1)
  of_table = jnp.take_along_axis(
      rings, (slot[..., None] * followers + place).reshape(*slot.shape[:2], -1), axis=2)
  found = jnp.where(back < in_block[..., None], newest,
                    of_table.reshape(place.shape).astype(jnp.int32))
  return found, jnp.minimum(in_block + stored, followers)
