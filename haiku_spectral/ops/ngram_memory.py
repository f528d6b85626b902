"""Exact memory: what followed the last occurrences of a context, for several kinds of context.

A table per context (`ngram_contexts`) maps its hash to the bytes that followed it the last times,
newest first: the match model of PAQ (Mahoney 2005) and the n-gram head of Akyürek et al. (2024,
"In-Context Language Learning") as a state of fixed size. Integers only, so that all cuts into
chunks are bitwise identical.

An entry is 32 bits: 6 check bits of the hash, 2 for the number of followers, 3 x 8 for followers. A
context with other check bits replaces an entry. Ids beyond bytes follow as 255, which UTF-8 text
does not contain.

Shapes: B batch, T time (ids), O contexts, N slots of a table, M reach of the contexts, K followers.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from haiku_spectral.ops import hashed_table
from haiku_spectral.ops.hashed_table import after, before, put, slot_of
from haiku_spectral.ops.ngram_contexts import Contexts, hashes

MAX_FOLLOWERS = 3
MAX_STREAK = 15
FOLLOWERS = np.uint32((1 << 24) - 1)  # The bits of the followers; the count is above them.
CHECK = np.uint32(63 << 26)
# The mark of `read`, in the place of a follower that an entry with room for more does not have.
OPEN = np.uint32(1 << 16)
NO_BYTE = 255


class NgramState(NamedTuple):
  """The tables and what is needed to go on."""

  table: jax.Array  # [B, O, N] uint32
  recent: jax.Array  # [B, M] int32: the last ids, newest last.
  seen: jax.Array  # [B] int32: ids since the stream began, at most M.
  streak: jax.Array  # [B, O] int32: of the last ids, see `NgramReads`.


class NgramReads(NamedTuple):
  """What the tables know at each position of the byte after it."""

  followers: jax.Array  # [B, T, O, K] int32: bytes, newest first; valid below `counts`.
  counts: jax.Array  # [B, T, O] int32: 0 .. K.
  streak: jax.Array  # [B, T, O] int32: how often in a row the newest follower was right, up to 15.


def initial_state(batch_size: int, contexts: Contexts, slots: int) -> NgramState:
  """The state of an empty context."""
  return NgramState(
      jnp.zeros((batch_size, contexts.size, slots), jnp.uint32),
      jnp.zeros((batch_size, contexts.reach), jnp.int32), jnp.zeros(batch_size, jnp.int32),
      jnp.zeros((batch_size, contexts.size), jnp.int32))


def read(
    ids: jax.Array,  # [B, T]
    state: NgramState,
    *,
    contexts: Contexts,
    followers: int = MAX_FOLLOWERS,
    starts: jax.Array | None = None,  # [B, T] bool: a new stream begins with this id.
    marked: bool = False,
) -> tuple[NgramReads, NgramState]:
  """Looks up the contexts at each position among all earlier ids of its stream, and stores them.

  Exact for any T >= 1. O(O T log T), by sorts of at most 2^31 / N contexts. With `marked`, entries
  of a piece that an older entry of the same context would be a part of bear the mark OPEN.
  """
  chex.assert_rank([ids, state.table, state.recent], [2, 3, 2])
  chex.assert_shape(state.table, (ids.shape[0], contexts.size, None))
  return in_pieces(functools.partial(
      read_piece, contexts=contexts, followers=followers, marked=marked), ids, state, starts)


def in_pieces(
    read_piece: Callable[..., tuple[Any, Any]], ids: jax.Array, state: Any,
    starts: jax.Array | None,
) -> tuple[Any, Any]:
  """Reads and the state after ids [B, T], from a function of short pieces, as `read_piece` is."""
  def read(ids: jax.Array, state: Any, starts: jax.Array | None) -> tuple[Any, Any]:
    line = jnp.concatenate([state.recent, ids], axis=1)
    return read_piece(line, state, first=jnp.zeros_like(state.seen), length=ids.shape[1],
                      starts=starts)

  return hashed_table.in_pieces(
      read, ids, state, starts, piece=hashed_table.piece_length(state.table.shape[2]))


def entry_count(entries: jax.Array) -> jax.Array:  # [...] uint32 twice
  """The number of followers of entries; 0 where there is none."""
  return (entries >> 24) & 3


def packed(followers: jax.Array, count: jax.Array) -> jax.Array:  # [...] uint32 each
  """Followers, newest in the lowest bits, and above them how many there are."""
  return followers | (count << 24)


def first_followers(entries: jax.Array, count: jax.Array) -> jax.Array:  # [...] uint32 each
  """The newest `count` followers of entries, without what is above them."""
  return entries & ((jnp.uint32(1) << (8 * count)) - 1)


def hits(found: jax.Array, byte: jax.Array) -> jax.Array:  # [...] uint32 each -> [...] bool
  """Whether a byte is the newest of the followers that were found."""
  return (found >> 24 > 0) & ((found & 255) == byte)


def to_reads(found: jax.Array, streak: jax.Array, followers: int) -> NgramReads:  # [B, O, T]
  """Takes apart what was found: followers, and their count above them."""
  reads = NgramReads(
      jnp.stack([(found >> (8 * k)) & 255 for k in range(followers)], axis=-1).astype(jnp.int32),
      (found >> 24).astype(jnp.int32), streak)
  return jax.tree.map(lambda x: jnp.moveaxis(x, 1, 2), reads)


def check_of(hashed: jax.Array) -> jax.Array:
  """The check bits of an entry."""
  return (hashed & 63) << 26


class Line(NamedTuple):
  """Contexts of a piece in order of time, numbered 0 .. T: number c ends before id c."""

  slot: jax.Array  # [B, O, T + 1] uint32; N where a context is not there.
  check: jax.Array  # [B, O, T + 1] uint32
  follower: jax.Array  # [B, 1, T + 1] uint32: the byte after it.
  begin: jax.Array  # [B or 1, T + 1]: number of its stream's first context; 0: before the piece.
  seen: jax.Array  # [B, T + 1]: ids of its stream up to it.


class BySlot(NamedTuple):
  """The same contexts sorted by slot, then by time: leaves are [B, O, T + 1]."""

  slot: jax.Array
  number: jax.Array  # Of the context, int32.
  check: jax.Array
  follower: jax.Array
  begin: jax.Array


def read_piece(
    line: jax.Array,  # [B, M + T]: the last M ids, then those to read.
    state: NgramState,  # Whose `recent` only tells M.
    *,
    contexts: Contexts,
    followers: int,
    first: jax.Array,  # [B] int32: ids of the T that are in the state already, the first ones.
    length: int | jax.Array,  # Ids of the T that count.
    starts: jax.Array | None,  # [B, T] bool
    marked: bool = False,
) -> tuple[NgramReads, NgramState]:
  """`read` for a piece so short that a slot and a time fit into 32 bits."""
  reach, first = state.recent.shape[1], first[:, None]
  at = line_of(
      line, state.seen, state.table.shape[2], contexts, first, length, starts, check_of)
  ordered = by_slot(at)
  newest, count, goes_on = _followers(ordered, state.table, followers)
  table = state.table if starts is None else jnp.where(at.begin[:, -1:, None] > 0, 0, state.table)
  entries = _entries(ordered, newest, count, followers)
  if marked:
    entries |= jnp.where(goes_on & (count + 1 < followers), OPEN, 0)
  table = _store(table, ordered, entries, length, at.begin[:, -1:, None])

  found = put(jnp.zeros_like(newest), ordered.number, packed(newest, count))  # In order of time.
  hit = hits(found, at.follower)
  if starts is not None:
    hit &= ~jnp.pad(starts, [(0, 0), (0, 1)])[:, None]
  streak = _streaks(hit, state.streak, first)
  seen_after, streak_after = (
      lax.dynamic_index_in_dim(x, length, axis=-1, keepdims=False) for x in (at.seen, streak))
  recent = lax.dynamic_slice_in_dim(line, length, reach, axis=1)
  reads = to_reads(found[..., 1:], streak[..., 1:], followers)
  return reads, NgramState(table, recent, jnp.minimum(seen_after, reach), streak_after)


def line_of(
    line: jax.Array,  # [B, M + T]: the last M ids, then those of the piece.
    seen: jax.Array,  # [B] int32: ids of the stream before the first one that counts.
    slots: int, contexts: Contexts,
    first: jax.Array,  # [B, 1] int32: ids of the T that do not count, the first ones.
    length: int | jax.Array, starts: jax.Array | None,  # As in `read_piece`.
    check: Callable[[jax.Array], jax.Array],  # Hashes -> check bits, above the lowest 8.
) -> Line:
  """The contexts of a piece, what follows them, and where they are stored."""
  ids = line[:, contexts.reach:]
  number = jnp.arange(ids.shape[1] + 1)
  begin = jnp.zeros((1, len(number)), jnp.int32)
  if starts is not None:
    begin = lax.cummax(jnp.pad(jnp.where(starts, number[1:], 0), [(0, 0), (1, 0)]), axis=1)
  seen = jnp.where(begin > 0, number - begin + 1, seen[:, None] + number - first)
  hashed, there = hashes(line, seen, contexts)
  there &= ((number >= first) & (number <= length))[:, None]
  follower = jnp.pad(jnp.minimum(ids, NO_BYTE), [(0, 0), (0, 1)]).astype(jnp.uint32)[:, None]
  return Line(
      jnp.where(there, slot_of(hashed, slots), slots).astype(jnp.uint32), check(hashed),
      follower, begin, seen)


def by_slot(at: Line) -> BySlot:
  """The contexts of a piece, those of the same slot one after the other."""
  slot, number = hashed_table.sort(at.slot)
  # One gather for both: the check bits and what follows.
  both = jnp.take_along_axis(at.check | at.follower, number, axis=2)
  begins = jnp.broadcast_to(at.begin[:, None], number.shape)
  return BySlot(slot, number, both & ~jnp.uint32(255), both & 255,
                jnp.take_along_axis(begins, number, axis=2))


def _followers(
    at: BySlot, table: jax.Array, followers: int
) -> tuple[jax.Array, jax.Array, jax.Array]:  # [B, O, T + 1]: uint32 twice, bool
  """The latest followers of each context, newest in the lowest bits, and how many there are.

  And whether those of the table, where it has any, come behind those of the piece.
  """
  slots = table.shape[2]
  same_slot = at.slot == before(at.slot, 1, slots + 1)
  same = same_slot & (at.check == before(at.check, 1)) & (before(at.number, 1, -1) >= at.begin)
  run = [same]
  for back in range(1, followers):
    run.append(run[-1] & before(same, back, False))
  zero = jnp.zeros_like(at.check)
  in_piece = sum((each.astype(jnp.uint32) for each in run), zero)
  newest = sum((
      jnp.where(each, before(at.follower, back + 1), 0) << (8 * back)
      for back, each in enumerate(run)), zero)

  # The table goes on where the run reaches the first context of the slot in this piece.
  reaches = ~same_slot
  for back, each in enumerate(run):
    reaches = jnp.where(each, before(~same_slot, back + 1, False), reaches)
  entry = jnp.take_along_axis(table, jnp.minimum(at.slot, slots - 1).astype(jnp.int32), axis=2)
  goes_on, there = reaches & (at.begin == 0), at.slot < slots
  newest, count = continued(
      newest, in_piece, jnp.where(goes_on, entry, 0), at.check, followers)
  return jnp.where(there, newest, 0), jnp.where(there, count, 0), goes_on


def continued(
    newest: jax.Array, count: jax.Array, entry: jax.Array, check: jax.Array, followers: int
) -> tuple[jax.Array, jax.Array]:
  """`count` newest followers, then those of an entry of the table if the check bits are its own."""
  old = (entry & CHECK) == check
  newest |= jnp.where(old, entry & FOLLOWERS, 0) << (8 * count)
  count = jnp.minimum(count + jnp.where(old, entry_count(entry), 0), followers)
  return first_followers(newest, count), count


def _entries(
    at: BySlot, newest: jax.Array, count: jax.Array, followers: int
) -> jax.Array:  # [B, O, T + 1] uint32
  """What is stored of each context once its follower is known."""
  grown = jnp.minimum(count + 1, followers)
  return at.check | packed(first_followers((newest << 8) | at.follower, grown), grown)


def _store(
    table: jax.Array, at: BySlot, entries: jax.Array, length: int | jax.Array,
    last_begin: jax.Array,
) -> jax.Array:
  """The table with the last entry of each slot; none but those of the last stream."""
  slots = table.shape[2]
  writes = (at.slot < slots) & (at.number < length) & (at.number >= last_begin)
  last = writes & ~((at.slot == after(at.slot)) & after(writes))
  return put(table, jnp.where(last, at.slot, slots).astype(jnp.int32), entries)


def _streaks(
    hit: jax.Array, earlier: jax.Array, first: jax.Array  # [B, O, T + 1], [B, O], [B, 1]
) -> jax.Array:  # [B, O, T + 1]
  """At each context, how many of the last ones before it were hits.

  `earlier` is the streak before the first of them that counts.
  """
  number, first = jnp.arange(hit.shape[2]), first[:, None]
  last_miss = lax.cummax(jnp.where(hit | (number < first), -1, number), axis=2)
  last_miss = jnp.pad(last_miss[..., :-1], [(0, 0), (0, 0), (1, 0)], constant_values=-1)
  streak = jnp.where(
      last_miss < 0, earlier[..., None] + number - first, number - 1 - last_miss)
  return jnp.minimum(streak, MAX_STREAK)
