"""Exact memory: for each order n, what followed the last occurrences of the last n bytes.

A table per order maps a hash of the last n ids, the *context*, to the bytes that followed it the
last times, newest first: the match model of PAQ (Mahoney 2005) and the n-gram head of Akyürek et
al. (2024, "In-Context Language Learning") as a state of fixed size. Integers only, so that all cuts
into chunks are bitwise identical.

An entry is 32 bits: 6 check bits of the hash, 2 for the number of followers, 3 x 8 for followers. A
context with other check bits replaces an entry. Ids beyond bytes follow as 255, which UTF-8 text
does not contain.

Shapes: B batch, T time (ids), O orders, N slots of a table, M the greatest order, K followers,
C ids of a decode block.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from haiku_spectral.ops.conv_cache import BLOCK

MAX_FOLLOWERS = 3
MAX_STREAK = 15
FOLLOWERS = np.uint32((1 << 24) - 1)  # The bits of the followers; the count is above them.
CHECK = np.uint32(63 << 26)
# The mark of `read`, in the place of a follower that an entry with room for more does not have.
OPEN = np.uint32(1 << 16)
_NO_BYTE = 255


class NgramState(NamedTuple):
  """The tables and what is needed to go on."""

  table: jax.Array  # [B, O, N] uint32
  recent: jax.Array  # [B, M] int32: the last ids, newest last.
  seen: jax.Array  # [B] int32: ids since the stream began, at most M.
  streak: jax.Array  # [B, O] int32: for the last context but one, see `NgramReads`.


class NgramReads(NamedTuple):
  """What the tables know at each position of the byte after it."""

  followers: jax.Array  # [B, T, O, K] int32: bytes, newest first; valid below `counts`.
  counts: jax.Array  # [B, T, O] int32: 0 .. K.
  streak: jax.Array  # [B, T, O] int32: how often in a row the newest follower was right, up to 15.


def initial_state(batch_size: int, orders: Sequence[int], slots: int) -> NgramState:
  """The state of an empty context."""
  return NgramState(
      jnp.zeros((batch_size, len(orders), slots), jnp.uint32),
      jnp.zeros((batch_size, max(orders)), jnp.int32), jnp.zeros(batch_size, jnp.int32),
      jnp.zeros((batch_size, len(orders)), jnp.int32))


class NgramBlock(NamedTuple):
  """The decode cache: the tables of a block's start, and the ids since."""

  table: jax.Array  # [B, O, N] uint32
  ids: jax.Array  # [B, M + C] int32: those before the block, then its own.
  first: jax.Array  # [B] int32: the ids of the block before are in the table already.
  seen: jax.Array  # [B] int32: as in the state, `first` ids into the block.
  streak: jax.Array  # [B, O] int32: the same.
  filled: jax.Array  # [] int32


def read(
    ids: jax.Array,  # [B, T]
    state: NgramState,
    *,
    orders: tuple[int, ...],
    followers: int = MAX_FOLLOWERS,
    starts: jax.Array | None = None,  # [B, T] bool: a new stream begins with this id.
    marked: bool = False,
) -> tuple[NgramReads, NgramState]:
  """Looks up the contexts at each position among all earlier ids of its stream, and stores them.

  Exact for any T >= 1. O(O T log T), by sorts of at most 2^31 / N contexts. With `marked`, entries
  of a piece that an older entry of the same context would be a part of bear the mark OPEN.
  """
  chex.assert_rank([ids, state.table, state.recent], [2, 3, 2])
  chex.assert_shape(state.table, (ids.shape[0], len(orders), None))
  piece = piece_length(state.table.shape[2])
  reads = []
  for start in range(0, ids.shape[1], piece):
    cut = slice(start, start + piece)
    line = jnp.concatenate([state.recent, ids[:, cut]], axis=1)
    found, state = _read(
        line, state, orders=orders, followers=followers, first=jnp.zeros_like(state.seen),
        length=line.shape[1] - state.recent.shape[1],
        starts=None if starts is None else starts[:, cut], marked=marked)
    reads.append(found)
  return jax.tree.map(lambda *x: jnp.concatenate(x, axis=1), *reads), state


def piece_length(slots: int) -> int:
  """The most contexts that are sorted at a time: slot and context share 32 bits."""
  return max((1 << 31) // slots - 1, 1)


def entry_count(entries: jax.Array) -> jax.Array:  # [...] uint32 twice
  """The number of followers of entries; 0 where there is none."""
  return (entries >> 24) & 3


def to_cache(state: NgramState, filled: jax.Array) -> NgramBlock:
  """The decode cache `filled` ids into a block, all of them in the tables already."""
  ids = jnp.roll(jnp.pad(state.recent, [(0, 0), (0, BLOCK)]), filled, axis=1)
  return NgramBlock(
      state.table, ids, jnp.full_like(state.seen, filled), state.seen, state.streak, filled)


def from_cache(block: NgramBlock, **config: Any) -> NgramState:
  """The state of the chunk call."""
  return _of_block(block, block.ids, block.filled, **config)[1]


def step(
    ids: jax.Array, block: NgramBlock, **config: Any  # [B, T]
) -> tuple[NgramReads, jax.Array]:
  """`read` for T ids of a block, and the entries to append: the ids."""
  time = ids.shape[1]
  line = lax.dynamic_update_slice_in_dim(
      block.ids, ids, block.filled + block.ids.shape[1] - BLOCK, axis=1)
  reads, _ = _of_block(block, line, block.filled + time, **config)
  return jax.tree.map(
      lambda x: lax.dynamic_slice_in_dim(x, block.filled, time, axis=1), reads), ids


def append(block: NgramBlock, ids: jax.Array) -> NgramBlock:  # [B, T]
  """Appends T ids; the block must have room for them."""
  place = block.filled + block.ids.shape[1] - BLOCK
  return block._replace(ids=lax.dynamic_update_slice_in_dim(block.ids, ids, place, axis=1),
                        filled=block.filled + ids.shape[1])


def _of_block(block: NgramBlock, line: jax.Array, length: jax.Array, **config: Any) -> Any:
  state = NgramState(block.table, line[:, :-BLOCK], block.seen, block.streak)
  return _read(line, state, first=block.first, length=length, starts=None, **config)


def _read(
    line: jax.Array,  # [B, M + T]: the last M ids, then those to read.
    state: NgramState,  # Whose `recent` only tells M.
    *,
    orders: tuple[int, ...],
    followers: int,
    first: jax.Array,  # [B] int32: ids of the T that are in the state already, the first ones.
    length: int | jax.Array,  # Ids of the T that count.
    starts: jax.Array | None,  # [B, T] bool
    marked: bool = False,
) -> tuple[NgramReads, NgramState]:
  """`read` for a piece. Contexts are numbered 0 .. T: that of number c ends before id c."""
  slots, greatest = state.table.shape[2], state.recent.shape[1]
  ids = line[:, greatest:]
  time = ids.shape[1]
  context, first = jnp.arange(time + 1), first[:, None]
  # The number of the first context of each one's stream; 0: it began before the piece.
  begin = jnp.zeros((1, time + 1), jnp.int32)
  if starts is not None:
    begin = lax.cummax(jnp.pad(jnp.where(starts, context[1:], 0), [(0, 0), (1, 0)]), axis=1)
  # Ids of the stream up to a context.
  seen = jnp.where(begin > 0, context - begin + 1, state.seen[:, None] + context - first)
  # [B, O, T + 1] from here on, in order of time and then sorted by slot.
  there = (context >= first) & (context <= length)
  valid = (seen[:, None] >= jnp.asarray(orders)[:, None]) & there[:, None]
  hashes = _hashes(line, orders, time + 1)
  bits = slots.bit_length() - 1
  slot = jnp.where(valid, hashes >> (32 - bits) if bits else 0, slots)
  next_id = jnp.pad(jnp.minimum(ids, _NO_BYTE), [(0, 0), (0, 1)]).astype(jnp.uint32)[:, None]
  check = (hashes & 63) << 26

  shift = time.bit_length()
  keys = lax.sort((slot.astype(jnp.uint32) << shift) | context.astype(jnp.uint32), is_stable=False)
  order = (keys & ((1 << shift) - 1)).astype(jnp.int32)
  slot = keys >> shift
  # One gather for both: the check bits and what follows.
  both = jnp.take_along_axis(check | next_id, order, axis=2)
  check, follower = both & CHECK, both & 255
  begins = jnp.broadcast_to(begin[:, None], order.shape)
  first_of_stream = jnp.take_along_axis(begins, order, axis=2)

  same_slot = slot == _before(slot, 1, slots + 1)
  same = same_slot & (check == _before(check, 1)) & (_before(order, 1, -1) >= first_of_stream)
  run = [same]
  for back in range(1, followers):
    run.append(run[-1] & _before(same, back, False))
  in_piece = sum(each.astype(jnp.uint32) for each in run)
  newest = sum(
      jnp.where(each, _before(follower, back + 1), 0) << (8 * back)
      for back, each in enumerate(run))

  entry = jnp.take_along_axis(state.table, jnp.minimum(slot, slots - 1).astype(jnp.int32), axis=2)
  # The table goes on where the run reaches the first context of the slot in this piece.
  reaches = ~same_slot
  for back, each in enumerate(run):
    reaches = jnp.where(each, _before(~same_slot, back + 1, False), reaches)
  old = reaches & (first_of_stream == 0) & ((entry & CHECK) == check)
  old_count = jnp.where(old, entry_count(entry), 0)
  newest |= jnp.where(old, entry & FOLLOWERS, 0) << (8 * in_piece)
  count = jnp.where(slot < slots, jnp.minimum(in_piece + old_count, followers), 0)
  newest &= (jnp.uint32(1) << (8 * count)) - 1

  # What each context's entry is once its follower is known; the last one of a slot is stored.
  grown = jnp.minimum(count + 1, followers)
  kept = (jnp.uint32(1) << (8 * grown)) - 1
  new_entry = check | (grown << 24) | (((newest << 8) | follower) & kept)
  if marked:
    is_open = reaches & (first_of_stream == 0) & (grown < followers)
    new_entry |= jnp.where(is_open, OPEN, 0)
  last_begin = begin[:, -1][:, None, None]
  writes = (slot < slots) & (order < length) & (order >= last_begin)
  last = writes & ~((slot == _after(slot)) & _after(writes))
  table = state.table
  if starts is not None:
    table = jnp.where(last_begin > 0, 0, table)
  table = _put(table, jnp.where(last, slot, slots).astype(jnp.int32), new_entry)

  found = _put(jnp.zeros_like(newest), order, newest | (count << 24))  # Back in order of time.
  count = (found >> 24).astype(jnp.int32)
  hit = (count > 0) & ((found & 255) == next_id)
  if starts is not None:
    hit &= ~jnp.pad(starts, [(0, 0), (0, 1)])[:, None]
  streak = _streaks(hit, state.streak, first)

  seen_after, streak_after = (
      lax.dynamic_index_in_dim(x, length, axis=-1, keepdims=False) for x in (seen, streak))
  recent = lax.dynamic_slice_in_dim(line, length, greatest, axis=1)
  reads = NgramReads(
      jnp.stack([(found >> (8 * k)) & 255 for k in range(followers)], axis=-1).astype(jnp.int32),
      count, streak)
  reads = jax.tree.map(lambda x: jnp.moveaxis(x, 1, 2)[:, 1:], reads)
  return reads, NgramState(table, recent, jnp.minimum(seen_after, greatest), streak_after)


def _hashes(ids: jax.Array, orders: tuple[int, ...], count: int) -> jax.Array:
  """Hashes of the last n ids before each of the last `count` places: [B, O, count] uint32."""
  ids, total = ids.astype(jnp.uint32), jnp.uint32(0)
  found, size = {}, ids.shape[1]
  for back in range(max(orders)):
    start = size - count + 1 - back - 1
    total = total * jnp.uint32(0x9E3779B1) + lax.slice_in_dim(ids, start, start + count, axis=1) + 1
    if back + 1 in orders:
      found[back + 1] = _mixed(total)
  return jnp.stack([found[n] for n in orders], axis=1)


def _mixed(x: jax.Array) -> jax.Array:
  """The finaliser of MurmurHash3 (Appleby): all bits of the result depend on all bits of x."""
  x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
  x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
  return x ^ (x >> 16)


def _streaks(
    hit: jax.Array, before: jax.Array, first: jax.Array  # [B, O, T + 1], [B, O], [B, 1]
) -> jax.Array:  # [B, O, T + 1]
  """At each context, how many of the last ones before it were hits, the earlier streak included."""
  context, first = jnp.arange(hit.shape[2]), first[:, None]
  last_miss = lax.cummax(jnp.where(hit | (context < first), -1, context), axis=2)
  last_miss = jnp.pad(last_miss[..., :-1], [(0, 0), (0, 0), (1, 0)], constant_values=-1)
  streak = jnp.where(
      last_miss < 0, before[..., None] + context - first, context - 1 - last_miss)
  return jnp.minimum(streak, MAX_STREAK)


def _before(x: jax.Array, back: int, fill: int | bool = 0) -> jax.Array:
  """The value `back` places before, along the last axis."""
  pad = [(0, 0)] * (x.ndim - 1) + [(back, 0)]
  return jnp.pad(x[..., : x.shape[-1] - back], pad, constant_values=fill) if (
      back < x.shape[-1]) else jnp.full_like(x, fill)


def _after(x: jax.Array) -> jax.Array:
  """The value one place later, along the last axis; 0 beyond the end."""
  return jnp.pad(x[..., 1:], [(0, 0)] * (x.ndim - 1) + [(0, 1)])


def _put(x: jax.Array, places: jax.Array, values: jax.Array) -> jax.Array:  # [B, O, ...] each
  """x with values at places of the last axis, all different; places beyond the end are skipped."""
  def put(x: jax.Array, places: jax.Array, values: jax.Array) -> jax.Array:
    return x.at[places].set(values, mode='drop', unique_indices=True)

  return jax.vmap(jax.vmap(put))(x, places, values)
