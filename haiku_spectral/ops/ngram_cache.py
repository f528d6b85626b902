"""The exact memory byte by byte: the tables of a block's start, and the contexts since.

Shapes: B batch, T time (ids), O contexts, N slots of a table, M reach of the contexts, C ids of a
block.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from haiku_spectral.ops import block_lines, context_lines, ngram_memory
from haiku_spectral.ops.conv_cache import BLOCK
from haiku_spectral.ops.hashed_table import slot_of
from haiku_spectral.ops.ngram_contexts import Contexts, hashes
from haiku_spectral.ops.ngram_memory import NgramReads, NgramState


class Entries(NamedTuple):
  """What T ids add, for `block_lines.append`."""

  ids: jax.Array  # [B, T] int32
  hashed: jax.Array  # [B, O, T] uint32: of the context that ends with each id,
  there: jax.Array  # [B, O, T] bool: whether it is there,
  found: jax.Array  # [B, O, T] uint32: and what the memory knows of it: followers and their count.
  streak: jax.Array  # [B, O, T] int32


class NgramBlock(NamedTuple):
  """An exact memory inside a block."""

  table: jax.Array  # [B, O, N] uint32: at the block's start.
  ids: jax.Array  # [B, M + C] int32: those before the block, then its own.
  hashed: jax.Array  # [B, O, 1 + C], by the number of the context (`context_lines`), as the next.
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
  hashed, there = hashes(state.recent, state.seen[:, None], contexts)
  newest, count = ngram_memory.continued(
      jnp.zeros_like(hashed), jnp.zeros_like(hashed), _entry(state.table, hashed),
      ngram_memory.check_of(hashed), followers)
  found = jnp.where(there, ngram_memory.packed(newest, count), 0)
  last = Entries(state.recent, hashed, there, found, state.streak[..., None])
  return NgramBlock(
      table=state.table, **block_lines.begin(last, filled),
      first=jnp.full_like(state.seen, filled), seen=state.seen, filled=filled)


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
  at = context_lines.look_up(ids, block, contexts)
  newest, count = _followers(at, block, followers)
  found = jnp.where(at.there, ngram_memory.packed(newest, count), 0)
  entries = Entries(ids, at.hashed, at.there, found, _streaks(ids, found, block))
  return ngram_memory.to_reads(found, entries.streak, followers), entries


def _followers(
    at: context_lines.Lookup, block: NgramBlock, followers: int
) -> tuple[jax.Array, jax.Array]:  # [B, O, T] uint32 twice
  """The latest followers of each context, newest in the lowest bits, and how many there are."""
  check = ngram_memory.check_of(at.hashed)
  run, in_table = context_lines.runs(at, block, block.table.shape[2], ngram_memory.check_of)
  newest, count = jnp.zeros_like(at.hashed), jnp.zeros_like(at.hashed)
  for back in range(followers):
    place = context_lines.latest(run)
    byte = jnp.sum(jnp.where(place == context_lines.NUMBERS, at.followers, 0), axis=3)
    newest |= byte << (8 * back)
    count += place[..., 0] >= 0
    run &= place > context_lines.NUMBERS
  entry = jnp.where(in_table, _entry(block.table, at.hashed), 0)
  return ngram_memory.continued(newest, count, entry, check, followers)


def _streaks(ids: jax.Array, found: jax.Array, block: NgramBlock) -> jax.Array:  # [B, O, T]
  """How often in a row the newest follower was right, at each of the contexts `found`."""
  known, streak = (block_lines.newest(x, block.filled) for x in (block.found, block.streak))
  known = jnp.concatenate([known, found[..., :-1]], axis=2)
  byte = jnp.minimum(ids, ngram_memory.NO_BYTE).astype(jnp.uint32)[:, None]
  hit, streaks = ngram_memory.hits(known, byte), []
  for t in range(ids.shape[1]):
    streak = jnp.where(hit[..., t : t + 1], jnp.minimum(streak + 1, ngram_memory.MAX_STREAK), 0)
    streaks.append(streak)
  return jnp.concatenate(streaks, axis=2)


def _entry(table: jax.Array, hashed: jax.Array) -> jax.Array:  # [B, O, T]
  """The entries of contexts in a table."""
  slot = slot_of(hashed, table.shape[2]).astype(jnp.int32)
  return jnp.take_along_axis(table, slot, axis=2)
