"""What holds for each memory of tables: any cut gives the same bits, and so does its cache."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import hypothesis.strategies as st
import jax
import numpy as np

from haiku_spectral.ops import block_lines
from haiku_spectral.ops.conv_cache import BLOCK

STEPS = {  # What `assert_steps_equal_the_chunk_call` is given.
    'lengths': st.lists(st.sampled_from([1, 1, 4]), min_size=1, max_size=12),
    'filled': st.integers(0, 16), 'back': st.integers(0, 10)}


def assert_equal(got: Any, want: Any) -> None:
  """Fails where a leaf is not the same bit for bit."""
  jax.tree.map(np.testing.assert_array_equal, got, want)


class Memory(NamedTuple):
  """The functions of a memory, without their options."""

  read: Callable[..., tuple[Any, Any]]  # (ids, state[, starts]) -> (reads, state)
  to_cache: Callable[..., Any]  # (state, filled) -> block
  step: Callable[..., tuple[Any, Any]]  # (ids, block) -> (reads, entries)
  from_cache: Callable[..., Any]  # (block) -> state
  valid: Callable[[Any], Any] = lambda reads: reads  # The reads without what does not count.
  append: Callable[[Any, Any], Any] = block_lines.append  # (block, entries) -> block
  same: Callable[[Any, Any], None] = assert_equal  # Fails where the two are not the same.


def assert_any_cut_is_equal(
    memory: Memory, ids: np.ndarray, starts: np.ndarray, state: Any, lengths: Sequence[int]
) -> None:
  """Compares pieces of the given lengths with a single call."""
  want, end = memory.read(ids, state, starts)
  at, found = 0, []
  for length in lengths:
    cut = slice(at, at + length)
    reads, state = memory.read(ids[:, cut], state, starts[:, cut])
    found.append(reads)
    at += length
  found = jax.tree.map(lambda *x: np.concatenate(x, axis=1), *found)
  assert_equal((memory.valid(found), state), (memory.valid(want), end))


def assert_steps_equal_the_chunk_call(
    memory: Memory, ids: np.ndarray, empty: Any, lengths: Sequence[int], filled: int, back: int,
    before: int = 90,
) -> None:
  """Steps of the given lengths, a roll-back and one more, after `before` ids in a chunk."""
  _, state = memory.read(ids[:, :before], empty)
  want, _ = memory.read(ids[:, before:], state)
  block, done = jax.jit(memory.to_cache)(state, np.int32(filled)), 0
  step, append = jax.jit(memory.step), jax.jit(memory.append)
  for length in (*lengths, -back, 1):
    if length <= 0:
      done -= min(back, done)
      block = block._replace(filled=np.int32(filled + done))
      continue
    if filled + done + length > BLOCK:
      break
    reads, entries = step(ids[:, before + done : before + done + length], block)
    now = slice(done, done + length)
    memory.same(memory.valid(reads), jax.tree.map(lambda x, now=now: x[:, now],
                                                  memory.valid(want)))
    block = append(block, entries)
    done += length
  for number in range(before, before + done):  # One by one: each length would be another program.
    one = slice(number, number + 1)
    _, state = memory.read(ids[:, one], state)
  memory.same(jax.jit(memory.from_cache)(block), state)
