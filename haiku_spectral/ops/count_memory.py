"""Count memory: the last K bytes that followed each short context, for a distribution over them.

`ngram_memory` keeps three followers of a context and says how far to trust the newest. Short
contexts come again and again, and what PPM (Cleary and Witten 1984) gains from a long text is how
often each byte followed them. Here an entry is a ring of the last K followers: enough for
frequencies, and still a function of the last ids alone. Integers only, so that all cuts into chunks
are bitwise identical.

The head of an entry is 32 bits: 24 check bits of the hash, 8 for the number of followers, which
counts on modulo K once the ring is full. A context with other check bits replaces an entry.

Shapes: B batch, T time (ids), O contexts, N slots of a table, M reach of the contexts, K followers.
"""

import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from haiku_spectral.ops import hashed_table, ngram_memory
from haiku_spectral.ops.hashed_table import before, put
from haiku_spectral.ops.ngram_contexts import Contexts

MAX_FOLLOWERS = 64  # Twice as many, less one, is the greatest number in 8 bits of a head.
_CHECK = np.uint32(~0xFF & 0xFFFFFFFF)


class CountState(NamedTuple):
  """The tables and what is needed to go on."""

  ring: jax.Array  # [B, O, N, K] uint8: follower number n of a context is at n % K.
  table: jax.Array  # [B, O, N] uint32: heads.
  recent: jax.Array  # [B, M] int32: the last ids, newest last.
  seen: jax.Array  # [B] int32: ids since the stream began, at most M.


class CountReads(NamedTuple):
  """What the tables know at each position of the byte after it."""

  followers: jax.Array  # [B, T, O, K] int32: bytes, newest first; valid below `counts`.
  counts: jax.Array  # [B, T, O] int32: 0 .. K.


def initial_state(
    batch_size: int, contexts: Contexts, slots: int, followers: int) -> CountState:
  """The state of an empty context."""
  size = batch_size, contexts.size, slots
  return CountState(
      jnp.zeros((*size, followers), jnp.uint8), jnp.zeros(size, jnp.uint32),
      jnp.zeros((batch_size, contexts.reach), jnp.int32), jnp.zeros(batch_size, jnp.int32))


def read(
    ids: jax.Array,  # [B, T]
    state: CountState,
    *,
    contexts: Contexts,
    starts: jax.Array | None = None,  # [B, T] bool: a new stream begins with this id.
) -> tuple[CountReads, CountState]:
  """Looks up the contexts at each position among all earlier ids of its stream, and stores them.

  Exact for any T >= 1. O(O T (K + log T)), by sorts of at most 2^31 / N contexts.
  """
  chex.assert_rank([ids, state.ring, state.recent], [2, 4, 2])
  return ngram_memory.in_pieces(
      functools.partial(read_piece, contexts=contexts), ids, state, starts)


def check_of(hashed: jax.Array) -> jax.Array:
  """The check bits of a head."""
  return hashed << 8


def number_of(head: jax.Array, check: jax.Array) -> jax.Array:  # [...] uint32 -> int32
  """How many followers an entry has had, as its head counts; 0 where it is another context's."""
  return jnp.where((head & _CHECK) == check, head & 0xFF, 0).astype(jnp.int32)


def counted(number: jax.Array, followers: int) -> jax.Array:  # [...] int32
  """A number of followers as a head counts it: itself below 2 K, then again from K on."""
  return jnp.where(number < 2 * followers, number, followers + number % followers)


def read_piece(
    line: jax.Array,  # [B, M + T]: the last M ids, then those to read.
    state: CountState,  # Whose `recent` only tells M.
    *,
    contexts: Contexts,
    first: jax.Array,  # [B] int32: ids of the T that are in the state already, the first ones.
    length: int | jax.Array,  # Ids of the T that count.
    starts: jax.Array | None,  # [B, T] bool
) -> tuple[CountReads, CountState]:
  """`read` for a piece so short that a slot and a time fit into 32 bits."""
  reach, slots = state.recent.shape[1], state.table.shape[2]
  at = ngram_memory.line_of(
      line, state.seen, slots, contexts, first[:, None], length, starts, check_of)
  last_begin = at.begin[:, -1:, None]
  ring, table = state.ring, state.table
  if starts is not None:  # Only the last stream is in the state.
    ring, table = (jnp.where(begins > 0, 0, x) for begins, x in (
        (last_begin[..., None], ring), (last_begin, table)))
  by_slot = ngram_memory.by_slot(at)
  here = jnp.broadcast_to(jnp.arange(by_slot.slot.shape[2]), by_slot.slot.shape)

  # A run is the same context again and again; what is before it in its slot was replaced.
  same_slot = by_slot.slot == before(by_slot.slot, 1, slots + 1)
  same = same_slot & (by_slot.check == before(by_slot.check, 1)) & (
      before(by_slot.number, 1, -1) >= by_slot.begin)
  run, group = (lax.cummax(jnp.where(x, 0, here), axis=2) for x in (same, same_slot))
  in_piece = here - run
  place = jnp.minimum(by_slot.slot, slots - 1).astype(jnp.int32)
  old_head = jnp.take_along_axis(state.table, place, axis=2)
  old = jnp.where(
      (run == group) & (by_slot.begin == 0), number_of(old_head, by_slot.check), 0)

  reads = _reads(state.ring, by_slot, in_piece, old)
  writes = (by_slot.slot < slots) & (by_slot.number < length) & (by_slot.number >= last_begin)
  ring, table = _store(ring, table, by_slot, old + in_piece, writes, same, same_slot)
  seen = lax.dynamic_index_in_dim(at.seen, length, axis=-1, keepdims=False)
  recent = lax.dynamic_slice_in_dim(line, length, reach, axis=1)
  return reads, CountState(ring, table, recent, jnp.minimum(seen, reach))


def _reads(
    rings: jax.Array, by_slot: ngram_memory.BySlot, in_piece: jax.Array, old: jax.Array
) -> CountReads:
  """What is known at each id, from `in_piece` followers of the piece and `old` of the table."""
  slots, followers = rings.shape[2:]
  here = jnp.broadcast_to(jnp.arange(by_slot.slot.shape[2]), by_slot.slot.shape)
  place = jnp.minimum(by_slot.slot, slots - 1).astype(jnp.int32)
  # In order of time: the newest are those of the piece, then those of the table.
  sorted_at = put(jnp.zeros_like(here), by_slot.number, here)
  there, in_piece_t, old_t, place_t = (
      jnp.take_along_axis(x, sorted_at, axis=2)[..., 1:]
      for x in (by_slot.slot < slots, in_piece, old, place))
  back = jnp.arange(followers) - in_piece_t[..., None]  # Among those of the table, from 0.
  newest = _flat_take(
      by_slot.follower, sorted_at[..., 1:, None] - 1 - jnp.arange(followers)).astype(jnp.uint8)
  # Places where `back` is negative mean nothing. One division per id, and none per follower.
  in_ring = ((old_t - 1) % followers)[..., None] - back
  stored = _flat_take(
      rings.reshape(*rings.shape[:2], -1),
      place_t[..., None] * followers + jnp.where(in_ring < 0, in_ring + followers, in_ring))
  found = jnp.where(back < 0, newest, stored)
  count = jnp.where(there, jnp.minimum(in_piece_t + old_t, followers), 0)
  return CountReads(*(
      jnp.moveaxis(x.astype(jnp.int32), 1, 2) for x in (found, count)))


def _store(
    ring: jax.Array, table: jax.Array, by_slot: ngram_memory.BySlot, number: jax.Array,
    writes: jax.Array, same: jax.Array, same_slot: jax.Array,
) -> tuple[jax.Array, jax.Array]:
  """Rings and heads after the contexts that are written, each with its number of followers."""
  shape, (slots, followers) = ring.shape, ring.shape[2:]
  here = jnp.broadcast_to(jnp.arange(by_slot.slot.shape[2]), by_slot.slot.shape)
  place = jnp.minimum(by_slot.slot, slots - 1).astype(jnp.int32)
  # The table gets the last run of each slot, of which the last K fit into the ring.
  run_end, group_end = (
      lax.cummin(jnp.where(_next(x & writes), here.shape[2], here), axis=2, reverse=True)
      for x in (same, same_slot))
  kept = writes & (run_end == group_end)
  ring_place = jnp.where(
      kept & (run_end - here < followers), place * followers + number % followers,
      slots * followers)
  # A new context begins with an empty ring, so that a state does not tell what was replaced.
  begins = jnp.where(kept & (number == 0), place, slots)
  ring = jax.vmap(jax.vmap(
      lambda ring, place: ring.at[place].set(0, mode='drop', unique_indices=True)))(
          ring, begins)
  ring = put(ring.reshape(*ring.shape[:2], -1), ring_place,
             by_slot.follower.astype(jnp.uint8)).reshape(shape)
  heads = by_slot.check | counted(number + 1, followers).astype(jnp.uint32)
  table = put(table, jnp.where(kept & (run_end == here), place, slots), heads)
  return ring, table


def _next(x: jax.Array) -> jax.Array:  # [..., T] bool
  return hashed_table.after(x, False)


def _flat_take(x: jax.Array, places: jax.Array) -> jax.Array:  # [B, O, N], [B, O, T, K]
  """[B, O, T, K]: values at places of the last axis; anything for places before its beginning."""
  flat = jnp.maximum(places, 0).reshape(*places.shape[:2], -1)
  return jnp.take_along_axis(x, flat, axis=2).reshape(places.shape)
