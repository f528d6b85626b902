"""Match memory: goes on with what followed the last occurrence of the last bytes, for a megabyte.

A ring holds the last bytes themselves, and a table the places at which contexts of `length` bytes
ended: the match model of lpaq and zpaq (Mahoney 2005). Where the context is found, the *distance*
to it is kept for as long as the text goes on as it did there. So a passage is recalled as a whole
when any one of the places inside its first words is still in the table, while an n-gram table
forgets each byte of it on its own. Integers only: all cuts into chunks are bitwise identical.

An entry of the table is 32 bits: 10 check bits of the hash, 1 that it is there, 21 of the place.
Every second context, chosen by its hash, is stored: half as many entries take each other's slots.

Shapes: B batch, T time (ids), R bytes of the ring, N slots of the table.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from haiku_spectral.ops import ngram_contexts, ngram_memory
from haiku_spectral.ops.ngram_memory import NO_BYTE, NgramReads

LONGEST_RING = 1 << 21
LONGEST_PIECE = 1 << 12  # Ids that are read at once.
LONGEST_STREAK = 1 << 12
_PLACE = np.uint32(LONGEST_RING - 1)
_THERE = np.uint32(LONGEST_RING)
_CHECK = np.uint32(0x3FF << 22)


class MatchState(NamedTuple):
  """The ring, the table and where the text is."""

  ring: jax.Array  # [B, R] uint8
  table: jax.Array  # [B, N] uint32
  position: jax.Array  # [B] int32: ids so far, modulo 2^21: the place of the next one.
  seen: jax.Array  # [B] int32: ids since the stream began, at most R.
  distance: jax.Array  # [B] int32: to the byte that the next one is expected to repeat; 0: none.
  streak: jax.Array  # [B] int32: how often in a row what was expected came.


class Matches(NamedTuple):
  """What is expected after each id."""

  distance: jax.Array  # [B, T] int32; 0: nothing.
  streak: jax.Array  # [B, T] int32


def initial_state(batch_size: int, ring: int, slots: int) -> MatchState:
  """The state of an empty context."""
  zero = jnp.zeros(batch_size, jnp.int32)
  return MatchState(
      jnp.zeros((batch_size, ring), jnp.uint8), jnp.zeros((batch_size, slots), jnp.uint32),
      zero, zero, zero, zero)


def read(
    ids: jax.Array,  # [B, T]
    state: MatchState,
    *,
    length: int,
    starts: jax.Array | None = None,  # [B, T] bool: a new stream begins with this id.
) -> tuple[NgramReads, MatchState]:
  """What is expected at each position, as the reads of a single context with one follower.

  Exact for any T >= 1. O(T log T).
  """
  chex.assert_rank([ids, state.ring, state.table], [2, 2, 2])
  piece = min(LONGEST_PIECE, ngram_memory.piece_length(state.table.shape[1]),
              state.ring.shape[1] // 4)
  count, rest = divmod(ids.shape[1], piece)
  if count + bool(rest) == 1:
    return _read_piece(ids, state, length, starts)

  def one(state: MatchState, part: tuple) -> tuple[MatchState, NgramReads]:
    reads, state = _read_piece(part[0], state, length, part[1])
    return state, reads

  def pieces(x: jax.Array | None) -> jax.Array | None:  # [B, T] -> [count, B, piece]
    return None if x is None else jnp.moveaxis(
        x[:, : count * piece].reshape(x.shape[0], count, piece), 1, 0)

  state, reads = lax.scan(one, state, (pieces(ids), pieces(starts)))
  reads = jax.tree.map(lambda x: jnp.moveaxis(x, 0, 1).reshape(
      ids.shape[0], count * piece, *x.shape[3:]), reads)
  if rest:
    last, state = _read_piece(
        ids[:, -rest:], state, length, None if starts is None else starts[:, -rest:])
    reads = jax.tree.map(lambda *x: jnp.concatenate(x, axis=1), reads, last)
  return reads, state


def _read_piece(
    ids: jax.Array, state: MatchState, length: int, starts: jax.Array | None
) -> tuple[NgramReads, MatchState]:
  time, size = ids.shape[1], state.ring.shape[1]
  number = jnp.arange(time)
  # The number of the first id of each one's stream; -1: it began before the piece.
  begin = jnp.full((1, time), -1)
  if starts is not None:
    begin = lax.cummax(jnp.where(starts, number, -1), axis=1)
  seen = jnp.where(begin >= 0, number - begin + 1, state.seen[:, None] + number + 1)
  place = (state.position[:, None] + number) & (size - 1)
  data = jnp.minimum(ids, NO_BYTE).astype(jnp.uint8)
  line = jnp.concatenate([last_bytes(state, length - 1), data], axis=1)
  hashed, there = hashes(line, seen, length)
  ring = put(state.ring, place, data)

  candidate, table = _candidates(hashed, there, place, begin, state.table, size)
  # The last candidate so far, and the one before each id: what the id itself should repeat.
  anchor = lax.cummax(jnp.where(candidate > 0, number, -1), axis=1)
  fresh = jnp.take_along_axis(candidate, jnp.maximum(anchor, 0), axis=1)
  carried = jnp.where(begin < 0, state.distance[:, None], 0)
  distance = jnp.where(anchor >= 0, fresh, carried)
  earlier = jnp.concatenate([state.distance[:, None], distance[:, :-1]], axis=1)
  repeats = (earlier > 0) & (data == _at(ring, place - earlier))
  if starts is not None:
    repeats &= ~starts
  last_miss = lax.cummax(jnp.where(repeats, -1, number), axis=1)
  distance = jnp.where((last_miss <= anchor) & (anchor >= begin), distance, 0)

  held = jnp.concatenate([state.distance[:, None], distance[:, :-1]], axis=1) > 0
  last_miss = lax.cummax(jnp.where(repeats & held, -1, number), axis=1)
  streak = jnp.where(last_miss < 0, state.streak[:, None] + number + 1, number - last_miss)
  streak = jnp.minimum(streak, LONGEST_STREAK)
  end = MatchState(
      ring, table, (state.position + time) & (LONGEST_RING - 1),
      jnp.minimum(seen[:, -1], size), distance[:, -1], streak[:, -1])
  return to_reads(Matches(distance, streak), _at(ring, place + 1 - distance)), end


def to_reads(found: Matches, follower: jax.Array) -> NgramReads:  # [B, T] each
  """The reads of one context: [B, T, 1]."""
  count = (found.distance > 0).astype(jnp.int32)
  followers = follower.astype(jnp.int32) * count
  return NgramReads(followers[..., None, None], count[..., None], level(found.streak)[..., None])


def level(streak: jax.Array) -> jax.Array:
  """A streak on a scale of 0 to 15: exact up to 8, then by ever longer steps."""
  bounds = (*range(1, 9), 12, 16, 24, 32, 64, 128, 512)
  return sum((streak >= bound).astype(jnp.int32) for bound in bounds)


def hashes(
    line: jax.Array, seen: jax.Array, length: int  # [B, length - 1 + T] uint8, [B, T]
) -> tuple[jax.Array, jax.Array]:  # [B, T] uint32 and bool
  """The hash of the last `length` bytes at each id, and whether it is stored and looked for."""
  contexts = ngram_contexts.Contexts((length,))
  hashed, there = ngram_contexts.hashes(line.astype(jnp.int32), seen, contexts)
  return hashed[:, 0], there[:, 0] & ((hashed[:, 0] >> 11) & 1 == 0)


def entry(hashed: jax.Array, place: jax.Array) -> jax.Array:
  """What is stored of a context that ends at a place."""
  return (hashed << 22) | _THERE | place.astype(jnp.uint32)


def distance_of(stored: jax.Array, hashed: jax.Array, place: jax.Array, ring: int) -> jax.Array:
  """How far before `place` a context ended by its entry; 0: it is not there, or too far back.

  The oldest quarter of the ring counts as forgotten: a piece may already have been written to it.
  """
  same = (stored & _THERE > 0) & ((stored & _CHECK) == (hashed << 22))
  distance = (place - (stored & _PLACE).astype(jnp.int32)) & (ring - 1)
  return jnp.where(same & (distance <= ring - ring // 4), distance, 0)


def _candidates(
    hashed: jax.Array, there: jax.Array, place: jax.Array, begin: jax.Array, table: jax.Array,
    ring: int,
) -> tuple[jax.Array, jax.Array]:  # [B, T] int32, [B, N]
  """The distance to the last occurrence of each context, 0: none; and the table afterwards."""
  time, slots = hashed.shape[1], table.shape[1]
  shift = time.bit_length()
  slot = jnp.where(there, ngram_memory.slot_of(hashed, slots), slots).astype(jnp.uint32)
  keys = lax.sort((slot << shift) | jnp.arange(time, dtype=jnp.uint32), is_stable=False)
  order, slot = (keys & ((1 << shift) - 1)).astype(jnp.int32), keys >> shift
  hashed, place, begins = (jnp.take_along_axis(jnp.broadcast_to(x, order.shape), order, axis=1)
                           for x in (hashed, place, begin))
  entries = entry(hashed, place)

  def previous(x: jax.Array, fill: int) -> jax.Array:
    return jnp.pad(x[:, :-1], [(0, 0), (1, 0)], constant_values=fill)

  in_piece = slot == previous(slot, slots + 1)
  old = jnp.take_along_axis(table, jnp.minimum(slot, slots - 1).astype(jnp.int32), axis=1)
  old = jnp.where(begins < 0, old, 0)
  stored = jnp.where(in_piece, previous(entries, 0), old)
  of_stream = ~in_piece | (previous(order, -1) >= begins)
  candidate = jnp.where(
      of_stream & (slot < slots), distance_of(stored, hashed, place, ring), 0)

  last_begin = begin[:, -1:]
  writes = (slot < slots) & (order >= last_begin)
  following = jnp.pad(slot[:, 1:], [(0, 0), (0, 1)], constant_values=slots + 1)
  last = writes & (slot != following)
  table = jnp.where(last_begin >= 0, 0, table)
  table = put(table, jnp.where(last, slot, slots).astype(jnp.int32), entries)
  return put(jnp.zeros_like(candidate), order, candidate), table


def last_bytes(state: MatchState, count: int) -> jax.Array:  # [B, count] uint8
  """The last bytes, newest last."""
  return _at(state.ring, state.position[:, None] - count + jnp.arange(count))


def _at(ring: jax.Array, place: jax.Array) -> jax.Array:  # [B, R], [B, T] -> [B, T]
  return jnp.take_along_axis(ring, place & (ring.shape[1] - 1), axis=1)


def put(x: jax.Array, places: jax.Array, values: jax.Array) -> jax.Array:  # [B, ...] each
  """x with values at places, all different; places beyond the end are skipped."""
  def one(x: jax.Array, places: jax.Array, values: jax.Array) -> jax.Array:
    return x.at[places].set(values, mode='drop', unique_indices=True)

  return jax.vmap(one)(x, places, values)
