"""Match memory: goes on with what followed the last occurrence of the last bytes, for a megabyte.

A ring holds the last bytes themselves, and a table the places at which contexts of `length` bytes
ended: the match model of lpaq and zpaq (Mahoney 2005). Where the context is found, the *distance*
to it is kept for as long as the text goes on as it did there. So a passage is recalled as a whole
when any one of the places inside its first words is still in the table, while an n-gram table
forgets each byte of it on its own. Integers only: all cuts into chunks are bitwise identical.

An entry of the table is 32 bits: 10 check bits of the hash, 1 that it is there, 21 of the place.
Every second context, chosen by its hash, is stored: half as many entries take each other's slots.
What the table says counts only if the ring has the same bytes there: in a full table one of 1,024
contexts that are new would otherwise end the passage that is being recalled.

Shapes: B batch, T time (ids), R bytes of the ring, N slots of the table, M bytes of a context.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from haiku_spectral.ops import hashed_table, ngram_contexts
from haiku_spectral.ops.hashed_table import after, before, put, slot_of
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
    length: int,  # Bytes of a context.
    starts: jax.Array | None = None,  # [B, T] bool: a new stream begins with this id.
) -> tuple[NgramReads, MatchState]:
  """What is expected at each position, as the reads of a single context with one follower.

  Exact for any T >= 1. O(T log T).
  """
  chex.assert_rank([ids, state.ring, state.table], [2, 2, 2])
  piece = min(LONGEST_PIECE, hashed_table.piece_length(state.table.shape[1]),
              state.ring.shape[1] // 4 - length)
  return hashed_table.in_pieces(
      functools.partial(_read_piece, length=length), ids, state, starts, piece=piece)


class _Piece(NamedTuple):
  """The ids of a piece, numbered 0 .. T - 1; leaves are [B, T]."""

  line: jax.Array  # [B, M - 1 + T] uint8: the bytes of all contexts.
  data: jax.Array  # uint8
  place: jax.Array  # int32: in the ring.
  begin: jax.Array  # int32, [1, T] without starts: number of the first id of its stream; -1: it
  # began before the piece.
  seen: jax.Array  # int32: ids of its stream up to it.
  hashed: jax.Array  # uint32: of the context that ends with it,
  there: jax.Array  # bool: and whether that is stored and looked for.


def _read_piece(
    ids: jax.Array, state: MatchState, starts: jax.Array | None, length: int
) -> tuple[NgramReads, MatchState]:
  piece = _piece(ids, state, length, starts)
  ring = put(state.ring, piece.place, piece.data)
  candidate, table = _candidates(piece, state.table, ring.shape[1])
  candidate = verified(
      candidate, piece.line, length, lambda back: _at(ring, piece.place[..., None] - back))
  found = _followed(candidate, piece, ring, state)
  end = MatchState(
      ring, table, (state.position + ids.shape[1]) & (LONGEST_RING - 1),
      jnp.minimum(piece.seen[:, -1], ring.shape[1]), found.distance[:, -1], found.streak[:, -1])
  return to_reads(found, _at(ring, piece.place + 1 - found.distance)), end


def _piece(
    ids: jax.Array, state: MatchState, length: int, starts: jax.Array | None
) -> _Piece:
  number = jnp.arange(ids.shape[1])
  begin = jnp.full((1, ids.shape[1]), -1)
  if starts is not None:
    begin = lax.cummax(jnp.where(starts, number, -1), axis=1)
  seen = jnp.where(begin >= 0, number - begin + 1, state.seen[:, None] + number + 1)
  data = jnp.minimum(ids, NO_BYTE).astype(jnp.uint8)
  line = jnp.concatenate([last_bytes(state, length - 1), data], axis=1)
  place = (state.position[:, None] + number) & (state.ring.shape[1] - 1)
  return _Piece(line, data, place, begin, seen, *hashes(line, seen, length))


def _followed(
    candidate: jax.Array,  # [B, T] int32: distance to where the context stood before; 0: nowhere.
    piece: _Piece, ring: jax.Array, state: MatchState,
) -> Matches:
  """What is expected after each id: the last candidate's, as long as the text repeats it."""
  number = jnp.arange(candidate.shape[1])
  anchor = lax.cummax(jnp.where(candidate > 0, number, -1), axis=1)  # The last candidate so far.
  distance = jnp.where(
      anchor >= 0, jnp.take_along_axis(candidate, jnp.maximum(anchor, 0), axis=1),
      jnp.where(piece.begin < 0, state.distance[:, None], 0))
  expected = _delayed(distance, state.distance)
  repeats = (expected > 0) & (piece.data == _at(ring, piece.place - expected))
  repeats &= piece.begin != number  # The first id of a stream repeats nothing.
  last_miss = lax.cummax(jnp.where(repeats, -1, number), axis=1)
  distance = jnp.where((last_miss <= anchor) & (anchor >= piece.begin), distance, 0)

  came = repeats & (_delayed(distance, state.distance) > 0)
  last_miss = lax.cummax(jnp.where(came, -1, number), axis=1)
  streak = jnp.where(last_miss < 0, state.streak[:, None] + number + 1, number - last_miss)
  return Matches(distance, jnp.minimum(streak, LONGEST_STREAK))


def _delayed(x: jax.Array, first: jax.Array) -> jax.Array:  # [B, T], [B] -> [B, T]
  """The value of the id before; `first` before the piece."""
  return jnp.concatenate([first[:, None], x[:, :-1]], axis=1)


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

  The oldest quarter of the ring counts as forgotten: a piece may have been written to it already.
  """
  same = (stored & _THERE > 0) & ((stored & _CHECK) == (hashed << 22))
  distance = (place - (stored & _PLACE).astype(jnp.int32)) & (ring - 1)
  return jnp.where(same & (distance <= ring - ring // 4), distance, 0)


def verified(
    candidate: jax.Array,  # [B, T] int32
    line: jax.Array,  # [B, M - 1 + T] uint8: the bytes of all contexts.
    length: int,
    byte_at: Callable[[jax.Array], jax.Array],  # Distances [B, T, M] -> uint8: the bytes there.
) -> jax.Array:  # [B, T] int32
  """The candidates at which the same bytes stand, 0 for others."""
  back = jnp.arange(length - 1, -1, -1)
  time = jnp.arange(candidate.shape[1])
  same = byte_at(candidate[..., None] + back) == line[:, time[:, None] + length - 1 - back]
  return jnp.where(jnp.all(same, axis=2), candidate, 0)


def _candidates(
    piece: _Piece, table: jax.Array, ring: int
) -> tuple[jax.Array, jax.Array]:  # [B, T] int32, [B, N]
  """The distance to the last occurrence of each context, 0: none; and the table afterwards."""
  slots = table.shape[1]
  slot, order = hashed_table.sort(
      jnp.where(piece.there, slot_of(piece.hashed, slots), slots).astype(jnp.uint32))
  hashed, place, begin = (
      jnp.take_along_axis(jnp.broadcast_to(x, order.shape), order, axis=1)
      for x in (piece.hashed, piece.place, piece.begin))
  entries = entry(hashed, place)

  in_piece = slot == before(slot, 1, slots + 1)
  old = jnp.take_along_axis(table, jnp.minimum(slot, slots - 1).astype(jnp.int32), axis=1)
  stored = jnp.where(in_piece, before(entries, 1), jnp.where(begin < 0, old, 0))
  of_stream = ~in_piece | (before(order, 1, -1) >= begin)
  candidate = jnp.where(
      of_stream & (slot < slots), distance_of(stored, hashed, place, ring), 0)

  last_begin = piece.begin[:, -1:]
  writes = (slot < slots) & (order >= last_begin)
  last = writes & (slot != after(slot, slots + 1))
  table = jnp.where(last_begin >= 0, 0, table)
  table = put(table, jnp.where(last, slot, slots).astype(jnp.int32), entries)
  return put(jnp.zeros_like(candidate), order, candidate), table


def last_bytes(state: MatchState, count: int) -> jax.Array:  # [B, count] uint8
  """The last bytes, newest last."""
  return _at(state.ring, state.position[:, None] - count + jnp.arange(count))


def _at(ring: jax.Array, place: jax.Array) -> jax.Array:  # [B, R], [B, ...] -> [B, ...]
  flat = place.reshape(place.shape[0], -1) & (ring.shape[1] - 1)
  return jnp.take_along_axis(ring, flat, axis=1).reshape(place.shape)
