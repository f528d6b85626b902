"""What crosses from one slice of time to the next where a mesh cuts sequences into slices.

Device d of the mesh axis `sequence` holds the d-th slice of every sequence, of the same length on
each. The functions are for use inside a `shard_map` over that axis and are differentiable. None
gathers a sequence: a device gets the end of its neighbours' slices, or a summary of them.

Shapes: B batch, T time of a slice, N steps of a history.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

T = TypeVar('T')

AXIS = 'sequence'


def axis_size(name: str) -> int:
  """The devices along a mesh axis; 1 outside of a `shard_map` over it."""
  try:
    return lax.axis_size(name)
  except NameError:  # What JAX raises for an axis that is not bound.
    return 1


def shift(tree: T, back: int = 1, first: int = 0) -> T:
  """What the device `back` to the left gave; zero where it is none of the devices from `first` on.
  """
  pairs = [(i, i + back) for i in range(first, axis_size(AXIS) - back)]
  return jax.tree.map(lambda x: lax.ppermute(x, AXIS, pairs), tree) if pairs else (
      jax.tree.map(jnp.zeros_like, tree))


def from_left(given: T, first: T) -> T:
  """What the left neighbour gave, and `first` on the first device."""
  is_first = lax.axis_index(AXIS) == 0
  return jax.tree.map(lambda x, x0: jnp.where(is_first, x0, x), shift(given), first)


def from_last(tree: T) -> T:
  """What the last device gave, on all of them."""
  is_last = lax.axis_index(AXIS) == axis_size(AXIS) - 1
  return lax.psum(jax.tree.map(lambda x: jnp.where(is_last, x, jnp.zeros_like(x)), tree), AXIS)


def left_tail(
    x: jax.Array,  # [B, T, ...]
    before: jax.Array,  # [B, N, ...]: the N steps before the first slice.
) -> jax.Array:  # [B, N, ...], of the type of `before`
  """The N steps before this device's slice.

  They come from as many slices to the left as they reach into: a device sends at most N steps.
  """
  count, length = before.shape[1], x.shape[1]
  x = x.astype(before.dtype)
  pieces, hops = [], min(axis_size(AXIS) - 1, -(-count // length))
  for back in range(hops, 0, -1):
    size = min(length, count - (back - 1) * length)
    pieces.append(shift(x[:, length - size:], back))
  if not pieces:
    return before
  missing = [(0, 0), (count - sum(piece.shape[1] for piece in pieces), 0)]
  found = jnp.pad(jnp.concatenate(pieces, axis=1), missing + [(0, 0)] * (x.ndim - 2))
  # The slices to the left may hold fewer than N steps: what was before the first comes first.
  held = jnp.minimum(lax.axis_index(AXIS) * length, count)
  moved = lax.dynamic_slice_in_dim(
      jnp.concatenate([before, jnp.zeros_like(before)], axis=1), held, count, axis=1)
  is_before = np.arange(count) < count - held
  return jnp.where(is_before.reshape(-1, *[1] * (x.ndim - 2)), moved, found)


def entering(
    combine: Callable[[T, T], T],  # (of some slices, of those to their right) -> of both
    apply: Callable[[T, Any], Any],  # (of the slices to the left, the state before the first)
    summary: T,  # What this device's slice does to a state.
    state: Any,  # Before the first slice.
) -> Any:
  """The state before this device's slice, by a scan over the axis of an associative `combine`.

  1 + log2(devices - 1) messages one after the other, rounded up, each of the size of a summary
  (Hillis & Steele 1986). `combine` also meets zeros where there is no slice; what it makes of them
  is dropped, but must be finite.
  """
  index = lax.axis_index(AXIS)
  of_left, distance = shift(summary), 1
  while distance < axis_size(AXIS) - 1:
    both = combine(shift(of_left, distance, first=1), of_left)
    of_left = _where(index > distance, both, of_left)
    distance *= 2
  return _where(index > 0, apply(of_left, state), state)


def messages(size: int) -> int:
  """How many summaries a device sends in `entering` on an axis of `size` devices."""
  return 0 if size == 1 else 1 + max(size - 2, 0).bit_length()


class Cut(NamedTuple):
  """How sequences are cut, for counting the bytes that cross."""

  rows: int  # Of a device.
  length: int  # Bytes of a slice.
  slices: int

  def tail(self, steps: int, size: float) -> float:
    """Bytes that a device sends for a `left_tail` of so many steps, of `size` bytes each."""
    return self.rows * min(steps, (self.slices - 1) * self.length) * size

  def scan(self, size: float) -> float:
    """Bytes that a device sends for `entering`, with summaries of `size` bytes per row."""
    return messages(self.slices) * self.rows * size


class Sent(NamedTuple):
  """Bytes that a device sends to its right in a call."""

  traced: float  # What has a gradient, which goes back the same way.
  other: float = 0.0


COUNT_BYTES = 5  # Of a Count.


class Count(NamedTuple):
  """What a slice does to a counter: it adds, or begins again and then adds."""

  again: jax.Array  # bool
  added: jax.Array  # int32


def entering_count(change: Count, before: jax.Array, limit: int) -> jax.Array:
  """A counter of at most `limit` before this device's slice."""
  def combine(left: Count, right: Count) -> Count:
    return Count(left.again | right.again,
                 jnp.where(right.again, right.added, left.added + right.added))

  def apply(change: Count, before: jax.Array) -> jax.Array:
    return jnp.minimum(jnp.where(change.again, change.added, before + change.added), limit)

  return entering(combine, apply, change, before)


def stream_count(starts: jax.Array | None, shape: tuple[int, ...]) -> Count:  # [B, T] bool
  """What a slice does to the number of steps since a stream began: leaves [B]."""
  rows, length = shape
  if starts is None:
    return Count(jnp.zeros(rows, bool), jnp.full(rows, length, jnp.int32))
  last = jnp.max(jnp.where(starts, np.arange(length), -1), axis=1)
  return Count(last >= 0, jnp.where(last >= 0, length - last, length).astype(jnp.int32))


def _where(condition: jax.Array, this: T, other: T) -> T:
  return jax.tree.map(lambda a, b: jnp.where(condition, a, b), this, other)
