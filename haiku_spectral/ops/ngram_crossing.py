"""`ngram_memory` on a slice of time: of each slot, the later write wins.

A slice read with empty tables leaves in each slot the followers of its last context there. That
entry replaces what earlier slices left, but where it is *open*: all that the slice has met in the
slot is one context, fewer times than an entry has room for. Then followers of the same context in
earlier slices come behind its own.

Shapes: B batch, T time (ids) of a slice, O contexts, N slots of a table, K followers.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from haiku_spectral.ops import hashed_table, ngram_memory, slices
from haiku_spectral.ops.ngram_contexts import Contexts
from haiku_spectral.ops.ngram_memory import (
  MAX_STREAK,
  OPEN,
  NgramReads,
  NgramState,
  first_followers,
)


class Writes(NamedTuple):
  """What some slices leave in the tables."""

  table: jax.Array  # [B, O, N] uint32: entries, marked where they are open.
  again: jax.Array  # [B] bool: a stream began, so nothing is left of what was before.


def read(
    ids: jax.Array,  # [B, T]
    state: NgramState,  # Before the first slice.
    *,
    contexts: Contexts,
    followers: int = ngram_memory.MAX_FOLLOWERS,
    starts: jax.Array | None = None,  # [B, T] bool
) -> tuple[NgramReads, NgramState]:
  """`ngram_memory.read` of a slice, and the state after it. Bitwise the same.

  The slice is read twice: with empty tables for what it writes, then with those of its left.
  """
  how: dict[str, Any] = {'contexts': contexts, 'followers': followers, 'starts': starts}
  count = slices.stream_count(starts, ids.shape)
  before = state._replace(
      recent=slices.left_tail(ids, state.recent),
      seen=slices.entering_count(count, state.seen, state.recent.shape[1]),
      streak=jnp.zeros_like(state.streak))

  def combine(left: Writes, right: Writes) -> Writes:
    table = merge(left.table, right.table, followers)
    table = jnp.where(right.again[:, None, None], right.table, table)
    return Writes(table, left.again | right.again)

  def apply(left: Writes, table: jax.Array) -> jax.Array:
    return closed(combine(Writes(table, jnp.zeros_like(left.again)), left).table)

  writes = Writes(_written(ids, before, **how), count.again)
  table = slices.entering(combine, apply, writes, state.table)
  reads, after = ngram_memory.read(ids, before._replace(table=table), **how)
  return _with_streaks(reads, after, state.streak)


def _written(
    ids: jax.Array, state: NgramState, *, followers: int, starts: jax.Array | None, **how: Any
) -> jax.Array:  # [B, O, N] uint32, marked
  """The tables after a slice that began with empty ones."""
  empty = jnp.zeros_like(state.table)
  size, table = hashed_table.piece_length(empty.shape[2]), empty
  for start in range(0, ids.shape[1], size):
    cut = slice(start, start + size)
    begins = None if starts is None else starts[:, cut]
    _, state = ngram_memory.read(
        ids[:, cut], state._replace(table=empty), followers=followers, starts=begins, marked=True,
        **how)
    both = merge(table, state.table, followers)
    table = both if begins is None else jnp.where(
        jnp.any(begins, axis=1)[:, None, None], state.table, both)
  return table


def merge(earlier: jax.Array, later: jax.Array, followers: int) -> jax.Array:  # [...] uint32 each
  """The entries after two slices, one after the other; associative."""
  old_count, count = ngram_memory.entry_count(earlier), ngram_memory.entry_count(later)
  is_open = (count < followers) & ((later & OPEN) > 0)
  same = (earlier ^ later) & ngram_memory.CHECK == 0
  total = jnp.minimum(old_count + count, followers)
  lists = first_followers(later, count) | (first_followers(earlier, old_count) << (8 * count))
  joined = (later & ngram_memory.CHECK) | ngram_memory.packed(
      first_followers(lists, total), total)
  joined |= jnp.where((old_count < followers) & (total < followers), earlier & OPEN, 0)
  replaced = jnp.where(is_open, later & ~OPEN, later)
  joined = jnp.where(is_open & same, joined, replaced)
  return jnp.where(count == 0, earlier, jnp.where(old_count == 0, later, joined))


def closed(entries: jax.Array) -> jax.Array:  # [...] uint32
  """Entries as a table has them."""
  count = ngram_memory.entry_count(entries)
  return (entries & ~ngram_memory.FOLLOWERS) | first_followers(entries, count)


def _with_streaks(
    reads: NgramReads, after: NgramState, streak: jax.Array  # [B, O]: before the first slice.
) -> tuple[NgramReads, NgramState]:
  """What was read with streaks of zero before the slice, with the true ones."""
  length = reads.streak.shape[1]
  last = after.streak
  unbroken = last == min(length, MAX_STREAK)  # One beyond MAX_STREAK counts as unbroken, too.
  before = slices.entering_count(slices.Count(~unbroken, last), streak, MAX_STREAK)
  times = jnp.minimum(jnp.arange(1, length + 1), MAX_STREAK)[:, None]
  streaks = jnp.where(reads.streak == times,
                      jnp.minimum(reads.streak + before[:, None], MAX_STREAK), reads.streak)
  last = jnp.where(unbroken, jnp.minimum(last + before, MAX_STREAK), last)
  return reads._replace(streak=streaks), after._replace(streak=last)
