"""The match memory byte by byte: the ring and the table of a block's start, and the ids since.

Shapes: B batch, T time (ids), R bytes of the ring, N slots of the table, M bytes of a context, C
ids of a block. Contexts are numbered 0 .. C: number c ends before id c of the block.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from haiku_spectral.ops import block_lines, match_memory
from haiku_spectral.ops.conv_cache import BLOCK
from haiku_spectral.ops.hashed_table import put, slot_of
from haiku_spectral.ops.match_memory import LONGEST_STREAK, Matches, MatchState
from haiku_spectral.ops.ngram_memory import NO_BYTE, NgramReads


class Entries(NamedTuple):
  """What T ids add, for `block_lines.append`; [B, T] each."""

  data: jax.Array  # uint8
  hashed: jax.Array  # uint32: of the context that ends with each id,
  there: jax.Array  # bool: whether it is stored,
  distance: jax.Array  # int32: and what is expected after it.
  streak: jax.Array  # int32


class MatchBlock(NamedTuple):
  """A match memory inside a block."""

  ring: jax.Array  # [B, R] uint8: at the block's start.
  table: jax.Array  # [B, N] uint32: the same.
  data: jax.Array  # [B, M - 1 + C] uint8: the bytes before the block, then its own.
  hashed: jax.Array  # [B, 1 + C], by the number of the context, as the next three.
  there: jax.Array
  distance: jax.Array
  streak: jax.Array
  first: jax.Array  # [B] int32: the ids of the block before are in the table already.
  position: jax.Array  # [B] int32: the place of the block's first id.
  seen: jax.Array  # [B] int32: ids since the stream began, `first` ids into the block, at most R.
  filled: jax.Array  # [] int32


def to_cache(state: MatchState, filled: jax.Array, *, length: int) -> MatchBlock:
  """The decode cache `filled` ids into a block, all of them in the ring already."""
  # The context of the block's start is stored already: it need not be there again.
  last = Entries(
      data=match_memory.last_bytes(state, length - 1),
      hashed=jnp.zeros_like(state.seen, jnp.uint32)[:, None],
      there=jnp.zeros_like(state.seen, bool)[:, None],
      distance=state.distance[:, None], streak=state.streak[:, None])
  return MatchBlock(
      ring=state.ring, table=state.table, **block_lines.begin(last, filled),
      first=jnp.full_like(state.seen, filled), position=state.position - filled, seen=state.seen,
      filled=filled)


def from_cache(block: MatchBlock) -> MatchState:
  """The state of the chunk call."""
  size, slots, number = block.ring.shape[1], block.table.shape[1], jnp.arange(BLOCK)
  own = (number >= block.first[:, None]) & (number < block.filled)
  place = (block.position[:, None] + number) & (size - 1)
  ring = put(block.ring, jnp.where(own, place, size), block.data[:, -BLOCK:])

  hashed, there = block.hashed[:, 1:], block.there[:, 1:] & own
  slot = jnp.where(there, slot_of(hashed, slots), slots).astype(jnp.int32)
  again = (slot[:, :, None] == slot[:, None, :]) & (number > number[:, None])
  last = there & ~jnp.any(again & there[:, None, :], axis=2)
  table = put(
      block.table, jnp.where(last, slot, slots), match_memory.entry(hashed, place))
  seen = jnp.minimum(block.seen + block.filled - block.first, size)
  distance, streak = (block_lines.newest(x, block.filled)[:, 0]
                      for x in (block.distance, block.streak))
  return MatchState(
      ring, table, (block.position + block.filled) & (match_memory.LONGEST_RING - 1), seen,
      distance, streak)


def read(
    ids: jax.Array, block: MatchBlock, *, length: int  # [B, T]
) -> tuple[NgramReads, Entries]:
  """`match_memory.read` for T ids of a block, and the entries to append."""
  data = jnp.minimum(ids, NO_BYTE).astype(jnp.uint8)
  block = block._replace(data=block_lines.extend(block.data, data, block.filled))
  hashed, there, candidate = _candidates(block, ids.shape[1], length)
  distance, streak = (block_lines.newest(x, block.filled)
                      for x in (block.distance, block.streak))
  expected, found = _byte(block, block.filled - distance), []
  for t in range(ids.shape[1]):
    now = slice(t, t + 1)
    repeats = (distance > 0) & (data[:, now] == expected)
    streak = jnp.where(repeats, jnp.minimum(streak + 1, LONGEST_STREAK), 0)
    distance = jnp.where(
        candidate[:, now] > 0, candidate[:, now], jnp.where(repeats, distance, 0))
    expected = _byte(block, block.filled + t + 1 - distance)
    found.append((distance, streak, expected))
  distance, streak, expected = (jnp.concatenate(x, axis=1) for x in zip(*found, strict=True))
  entries = Entries(data, hashed, there, distance, streak)
  return match_memory.to_reads(Matches(distance, streak), expected), entries


def _candidates(
    block: MatchBlock, time: int, length: int
) -> tuple[jax.Array, jax.Array, jax.Array]:  # [B, T]: uint32, bool, int32
  """The contexts of the next T bytes, which the block's data has; how far back each one was."""
  size, slots, last = block.ring.shape[1], block.table.shape[1], block.filled
  until = last + jnp.arange(time)
  seen = block.seen[:, None] + until + 1 - block.first[:, None]
  line = lax.dynamic_slice_in_dim(block.data, last, length + time - 1, axis=1)
  hashed, there = match_memory.hashes(line, seen, length)
  old, old_there = (block_lines.extend(x, new, last)
                    for x, new in ((block.hashed, hashed), (block.there, there)))

  # The last context of the block in the same slot, or the table's. [B, T, 1 + C]
  number = jnp.arange(BLOCK + 1)
  slot = slot_of(hashed, slots)
  same_slot = old_there[:, None] & (number > block.first[:, None, None]) & (
      number <= until[:, None]) & (slot_of(old, slots)[:, None] == slot[..., None])
  latest = jnp.max(jnp.where(same_slot, number, 0), axis=2)
  of_block = match_memory.entry(
      jnp.take_along_axis(old, latest, axis=1),
      (block.position[:, None] + latest - 1) & (size - 1))
  stored = jnp.where(
      latest > 0, of_block, jnp.take_along_axis(block.table, slot.astype(jnp.int32), axis=1))
  place = block.position[:, None] + until
  candidate = jnp.where(there, match_memory.distance_of(stored, hashed, place, size), 0)

  def byte_at(back: jax.Array) -> jax.Array:
    return _byte(block, (until[:, None] - back).reshape(len(back), -1)).reshape(back.shape)

  return hashed, there, match_memory.verified(candidate, line, length, byte_at)


def _byte(block: MatchBlock, number: jax.Array) -> jax.Array:  # [B, N] -> [B, N] uint8
  """The byte at a number of the block; where that is before its own ids, the ring's."""
  size, first = block.ring.shape[1], block.data.shape[1] - BLOCK
  own = jnp.take_along_axis(block.data, jnp.clip(number + first, 0), axis=1)
  place = (block.position[:, None] + number) & (size - 1)
  in_block = number >= block.first[:, None]
  return jnp.where(in_block, own, jnp.take_along_axis(block.ring, place, axis=1))
