"""Tables of hashed contexts with the slots of a piece of text read and written at once.

The contexts of a piece are sorted by slot, then by time. Then what stands before a context in the
same slot is its neighbour, and the last context of each slot is what the table keeps.

Shapes: T contexts of a piece, N slots of a table; leading axes are batches.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def piece_length(slots: int) -> int:
  """The most contexts that are sorted at a time: slot and context share 32 bits."""
  return max((1 << 31) // slots - 1, 1)


def in_pieces(
    read: Callable[[jax.Array, Any, jax.Array | None], tuple[Any, Any]],
    ids: jax.Array, state: Any, starts: jax.Array | None,  # [B, T] each
    *, piece: int,
) -> tuple[Any, Any]:
  """Reads [B, T, ...] and the state after ids, of which `read` gets at most `piece` at a time.

  `read` takes ids, the state and starts, and returns the reads and the next state.
  """
  count, rest = divmod(ids.shape[1], piece)
  if count + bool(rest) == 1:
    return read(ids, state, starts)

  def one(state: Any, part: tuple) -> tuple[Any, Any]:
    reads, state = read(part[0], state, part[1])
    return state, reads

  def pieces(x: jax.Array | None) -> jax.Array | None:  # [B, T] -> [count, B, piece]
    return None if x is None else jnp.moveaxis(
        x[:, : count * piece].reshape(x.shape[0], count, piece), 1, 0)

  state, reads = lax.scan(one, state, (pieces(ids), pieces(starts)))
  reads = jax.tree.map(lambda x: jnp.moveaxis(x, 0, 1).reshape(
      ids.shape[0], count * piece, *x.shape[3:]), reads)
  if rest:
    last, state = read(ids[:, -rest:], state, None if starts is None else starts[:, -rest:])
    reads = jax.tree.map(lambda *x: jnp.concatenate(x, axis=1), reads, last)
  return reads, state


def slot_of(hashed: jax.Array, slots: int) -> jax.Array:  # [...] uint32 each
  """The place of a context in its table: below N, which is a power of two."""
  bits = slots.bit_length() - 1
  return hashed >> (32 - bits) if bits else jnp.zeros_like(hashed)


def sort(slot: jax.Array) -> tuple[jax.Array, jax.Array]:  # [..., T] uint32
  """The slots in order, uint32, and the place in time of each, int32; of one slot the oldest first.

  For up to `piece_length` contexts; slots are at most N, which marks a context that is not there.
  """
  shift = (slot.shape[-1] - 1).bit_length()
  number = jnp.arange(slot.shape[-1], dtype=jnp.uint32)
  keys = lax.sort((slot << shift) | number, is_stable=False)
  return keys >> shift, (keys & ((1 << shift) - 1)).astype(jnp.int32)


def before(x: jax.Array, back: int, fill: int | bool = 0) -> jax.Array:  # [..., T] each
  """The value `back` places before, along the last axis; `fill` before the beginning."""
  pad = [(0, 0)] * (x.ndim - 1) + [(back, 0)]
  return jnp.pad(x[..., : x.shape[-1] - back], pad, constant_values=fill) if (
      back < x.shape[-1]) else jnp.full_like(x, fill)


def after(x: jax.Array, fill: int | bool = 0) -> jax.Array:  # [..., T] each
  """The value one place later, along the last axis; `fill` beyond the end."""
  return jnp.pad(x[..., 1:], [(0, 0)] * (x.ndim - 1) + [(0, 1)], constant_values=fill)


def put(x: jax.Array, places: jax.Array, values: jax.Array) -> jax.Array:
  """x [..., N] with values [..., T] at places [..., T] of the last axis.

  Places are different from one another; those beyond the end are skipped.
  """
  def one(x: jax.Array, places: jax.Array, values: jax.Array) -> jax.Array:
    return x.at[places].set(values, mode='drop', unique_indices=True)

  write: Callable[[jax.Array, jax.Array, jax.Array], jax.Array] = one
  for _ in range(x.ndim - 1):
    write = jax.vmap(write)
  return write(x, places, values)
