"""The law of chunks, as every operator, mixer and the model must obey it.

However a sequence is cut into chunks, the outputs and the last state are the same.
"""

from collections.abc import Callable, Sequence
from typing import Any

import hypothesis.strategies as st
import jax
import numpy as np

from tests.fixed_examples import fixed_examples

FLOAT32_TOLERANCE = 1e-5  # Relative to the largest magnitude of an array.
# Single bytes, odd lengths, and lengths around and past the windows, horizons and blocks of the
# tests (16 to 40). A cut is an order of these, so that few programs are compiled.
CHUNK_LENGTHS = (1, 1, 2, 7, 7, 16, 33, 64)
TOTAL = sum(CHUNK_LENGTHS)

# Of the same total, for what takes long to compile and consists of what is held to all of those.
FEW_LENGTHS = (1, 1, 33, 33, 63)

cuts, few_cuts = st.permutations(CHUNK_LENGTHS), st.permutations(FEW_LENGTHS)
settings = fixed_examples(20)

# (x [B, T, ...], state) -> (y, state). Cutting and joining is numpy's: it compiles nothing.
Mixer = Callable[[np.ndarray, Any], tuple[jax.Array, Any]]


def normal(*shape: int, seed: int = 0) -> np.ndarray:
  """Standard normal numbers in float32, by numpy: JAX would compile a program for each shape."""
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def run_in_chunks(mixer: Mixer, x: jax.Array, state: Any, lengths: Sequence[int]) -> Any:
  """Outputs and last state of a sequence of sum(lengths) steps, read chunk by chunk."""
  x, outputs, start = np.asarray(x), [], 0
  for length in lengths:
    y, state = mixer(x[:, start : start + length], state)
    outputs.append(np.asarray(y))
    start += length
  assert start == x.shape[1], 'the chunks must cover the sequence'
  return np.concatenate(outputs, axis=1), state


def assert_close(actual: Any, expected: Any, tolerance: float) -> None:
  """Leaves agree to `tolerance` times the largest magnitude of each channel of the expected leaf.

  Channels are places of the last axis, so that a small one cannot hide behind a large one; one that
  is nearly zero is held to a tenth of the leaf's largest magnitude. Integers agree exactly.
  """
  for got, want in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
    assert (got.shape, got.dtype) == (want.shape, want.dtype), (got.shape, want.shape)
    if not jax.numpy.issubdtype(want.dtype, np.inexact):
      np.testing.assert_array_equal(got, want)
      continue
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    others = tuple(range(want.ndim - 1))
    largest = max(np.abs(want).max(initial=0.0), 1e-3)
    scale = np.maximum(np.abs(want).max(axis=others, initial=0.0), 0.1 * largest)
    np.testing.assert_array_less(
        (np.abs(got - want).max(axis=others, initial=0.0) / scale).max(initial=0.0), tolerance)


def assert_law(
    mixer: Mixer, x: jax.Array, state: Any, lengths: Sequence[int],
    tolerance: float = FLOAT32_TOLERANCE,
) -> None:
  """One chunk and many chunks agree in outputs and last state."""
  x = np.asarray(x)[:, : sum(lengths)]
  assert_close(run_in_chunks(mixer, x, state, lengths), mixer(x, state), tolerance)


def assert_causal_with_reach(mixer: Mixer, x: jax.Array, state: Any, reach: int) -> None:
  """A change at time t leaves everything before t as it was, and is felt `reach` steps later."""
  change = x.shape[1] - 1 - reach
  bumped = np.array(x)
  bumped[:, change] = (x[:, change] + 1) if x.ndim > 2 else (x[:, change] + 1) % 256
  before, after = (np.asarray(mixer(value, state)[0], np.float64) for value in (x, bumped))
  moved = np.abs(after - before).max(axis=(0, *range(2, after.ndim)))
  scale, past = np.abs(before).max(), moved[:change].max(initial=0.0)
  assert past <= 1e-6 * scale, f'the past changed: {past}'
  assert moved[-1] > 1e-5 * scale, f'nothing is felt {reach} steps later: {moved[-1]}'
