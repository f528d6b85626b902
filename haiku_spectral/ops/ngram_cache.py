"""The exact memory byte by byte: the tables of a block's start, and the contexts since.

A table is written to once per block. Until then a context is looked up in it and among those of the
block, which are few. Nothing else has to be undone when the last bytes are rolled back.

Shapes: B batch, T time (ids), O contexts, N slots of a table, M reach of the contexts, C ids of a
block. Contexts are numbered 0 .. C: number c ends before id c of the block.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops import ngram_memory
from haiku_spectral.ops.conv_cache import BLOCK
from haiku_spectral.ops.ngram_contexts import Contexts, hashes
from haiku_spectral.ops.ngram_memory import NgramReads, NgramState


class Entries(NamedTuple):
  """What T ids add."""

  ids: jax.Array  # [B, T] int32
  hashed: jax.Array  # [B, O, T] uint32: of the context that ends with each id,
  there: jax.Array  # [B, O, T] bool: whether it is there,
  found: jax.Array  # [B, O, T] uint32: and what the memory knows of it: followers and their count.
  streak: jax.Array  # [B, O, T] int32


class NgramBlock(NamedTuple):
  """An exact memory inside a block."""

  table: jax.Array  # [B, O, N] uint32: at the block's start.
  ids: jax.Array  # [B, M + C] int32: those before the block, then its own.
  hashed: jax.Array  # [B, O, 1 + C], by the number of the context, as the next three.
  there: jax.Array
  found: jax.Array
  streak: jax.Array
  first: jax.Array  # [B] int32: the ids of the block before are in the table already.
  seen: jax.Array  # [B] int32: ids since the stream began, `first` ids into the block, at most M.
  filled: jax.Array  # [] int32


def to_cache(
    state: NgramState, filled: jax.Array, *, contexts: Contexts, followers: int
) -> NgramBlock:
  """The decode cache `filled` ids into a block, all of them in the tables already."""
  ids = jnp.roll(jnp.pad(state.recent, [(0, 0), (0, BLOCK)]), filled, axis=1)
  hashed, there = hashes(state.recent, state.seen[:, None], contexts)
  newest, count = ngram_memory.continued(
      jnp.zeros_like(hashed), jnp.zeros_like(hashed), _entry(state.table, hashed),
      ngram_memory.check_of(hashed), followers)
  found = jnp.where(there, newest | (count << 24), 0)

  def listed(x: jax.Array) -> jax.Array:  # [B, O, 1] -> [B, O, 1 + C]
    return jnp.roll(jnp.pad(x, [(0, 0), (0, 0), (0, BLOCK)]), filled, axis=2)

  return NgramBlock(
      state.table, ids, listed(hashed), listed(there), listed(found),
      listed(state.streak[..., None]), jnp.full_like(state.seen, filled), state.seen, filled)


def from_cache(block: NgramBlock, *, contexts: Contexts, followers: int) -> NgramState:
  """The state of the chunk call."""
  streak = jnp.take_along_axis(block.streak, block.first[:, None, None], axis=2)[..., 0]
  state = NgramState(block.table, block.ids[:, :-BLOCK], block.seen, streak)
  return ngram_memory.read_piece(
      block.ids, state, contexts=contexts, followers=followers, first=block.first,
      length=block.filled, starts=None)[1]


def read(
    ids: jax.Array, block: NgramBlock, *, contexts: Contexts, followers: int  # [B, T]
) -> tuple[NgramReads, Entries]:
  """`ngram_memory.read` for T ids of a block, and the entries to append."""
  reach, last = contexts.reach, block.filled
  until = last + jnp.arange(ids.shape[1])  # [T]: the context that each id follows.
  line = lax.dynamic_update_slice_in_dim(block.ids, ids, last + reach, axis=1)
  seen = block.seen[:, None] + until + 1 - block.first[:, None]
  recent = lax.dynamic_slice_in_dim(line, last + 1, reach + ids.shape[1] - 1, axis=1)
  hashed, there = hashes(recent, seen, contexts)
  newest, count = _followers(hashed, there, until, line[:, reach:], block, followers)
  found = jnp.where(there, newest | (count << 24), 0)
  entries = Entries(ids, hashed, there, found, _streaks(ids, found, block))
  return ngram_memory.to_reads(found, entries.streak, followers), entries


def append(block: NgramBlock, new: Entries) -> NgramBlock:
  """Appends the entries of T ids; the block must have room for them."""
  def put(old: jax.Array, new: jax.Array) -> jax.Array:
    return lax.dynamic_update_slice_in_dim(old, new, block.filled + 1, axis=2)

  place = block.filled + block.ids.shape[1] - BLOCK
  return block._replace(
      ids=lax.dynamic_update_slice_in_dim(block.ids, new.ids, place, axis=1),
      hashed=put(block.hashed, new.hashed), there=put(block.there, new.there),
      found=put(block.found, new.found), streak=put(block.streak, new.streak),
      filled=block.filled + new.ids.shape[1])


def _followers(
    hashed: jax.Array, there: jax.Array,  # [B, O, T]: of the contexts that end with each id.
    until: jax.Array,  # [T]: the last context before it.
    line: jax.Array,  # [B, C] int32: ids of the block, the new ones among them.
    block: NgramBlock, followers: int,
) -> tuple[jax.Array, jax.Array]:  # [B, O, T] uint32 twice
  """The latest followers of each context, newest in the lowest bits, and how many there are."""
  slots, number = block.table.shape[2], jnp.arange(BLOCK + 1)
  old, old_there = (lax.dynamic_update_slice_in_dim(x, new, block.filled + 1, axis=2)[:, :, None]
                    for x, new in ((block.hashed, hashed), (block.there, there)))
  check, new = ngram_memory.check_of(hashed), hashed[..., None]

  # Among the contexts of the block: those since another one took the slot. [B, O, T, 1 + C]
  earlier = old_there & (number >= block.first[:, None, None, None]) & (number <= until[:, None])
  same_slot = earlier & (ngram_memory.slot_of(old, slots) == ngram_memory.slot_of(new, slots))
  same = same_slot & (ngram_memory.check_of(old) == check[..., None])
  other = _last(same_slot & ~same, number)
  run = same & (number > other)
  follower = jnp.pad(
      jnp.minimum(line, ngram_memory.NO_BYTE), [(0, 0), (0, 1)])[:, None, None]
  newest, count = jnp.zeros_like(hashed), jnp.zeros_like(hashed)
  for back in range(followers):
    place = _last(run, number)
    byte = jnp.sum(jnp.where(number == place, follower, 0), axis=3)
    newest |= byte.astype(jnp.uint32) << (8 * back)
    count += place[..., 0] >= 0
    run &= number < place
  entry = jnp.where(other[..., 0] < 0, _entry(block.table, hashed), 0)
  return ngram_memory.continued(newest, count, entry, check, followers)


def _streaks(ids: jax.Array, found: jax.Array, block: NgramBlock) -> jax.Array:  # [B, O, T]
  """How often in a row the newest follower was right, at each of the contexts `found`."""
  known, streak = (
      lax.dynamic_slice_in_dim(x, block.filled, 1, axis=2) for x in (block.found, block.streak))
  known = jnp.concatenate([known, found[..., :-1]], axis=2)
  byte = jnp.minimum(ids, ngram_memory.NO_BYTE).astype(jnp.uint32)[:, None]
  hit, streaks = (known >> 24 > 0) & ((known & 255) == byte), []
  for t in range(ids.shape[1]):
    streak = jnp.where(hit[..., t : t + 1], jnp.minimum(streak + 1, ngram_memory.MAX_STREAK), 0)
    streaks.append(streak)
  return jnp.concatenate(streaks, axis=2)


def _last(mask: jax.Array, number: jax.Array) -> jax.Array:  # [B, O, T, 1 + C] -> [B, O, T, 1]
  """The greatest number in a mask, -1 where it is empty."""
  return jnp.max(jnp.where(mask, number, -1), axis=3, keepdims=True)


def _entry(table: jax.Array, hashed: jax.Array) -> jax.Array:  # [B, O, T]
  """The entries of contexts in a table."""
  slot = ngram_memory.slot_of(hashed, table.shape[2]).astype(jnp.int32)
  return jnp.take_along_axis(table, slot, axis=2)
