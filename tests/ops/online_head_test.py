"""The online head against gradient descent byte by byte, in any cut, and byte by byte."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from haiku_spectral.ops import head_cache, online_head
from haiku_spectral.ops.conv_cache import BLOCK
from tests import chunk_law
from tests.fixed_examples import fixed_examples
from tests.ops import memory_law

ROWS, LENGTH, WIDTH, SIZE, RATE = 2, 3 * BLOCK + 30, 5, 9, 0.1
CORRECT = jax.jit(functools.partial(online_head.correct, rate=RATE))
EMPTY = online_head.initial_state(ROWS, WIDTH, SIZE)
FEATURES = 1 + chunk_law.normal(ROWS, LENGTH, WIDTH)
FEATURES /= np.linalg.norm(FEATURES, axis=-1, keepdims=True)
LOGITS = chunk_law.normal(ROWS, LENGTH, SIZE, seed=1)
IDS = np.random.default_rng(2).integers(0, SIZE, (ROWS, LENGTH), np.int32) // 2  # Some never come.
assert_close = functools.partial(chunk_law.assert_close, tolerance=1e-4)


TIMES = np.tile(np.arange(LENGTH, dtype=np.int32), (ROWS, 1))  # In the place of ids.


def at_times(operator):
  """The operator on what stands at some times."""
  return lambda times, state: operator(
      *(jnp.asarray(x)[:, times[0]] for x in (FEATURES, LOGITS, IDS)), state, rate=RATE)


HEAD = memory_law.Memory(
    jax.jit(at_times(online_head.correct)), head_cache.to_cache, at_times(head_cache.correct),
    functools.partial(head_cache.from_cache, rate=RATE), append=head_cache.append,
    same=assert_close)


def call(operator, first, last, state):
  cut = slice(first, last)
  return operator(FEATURES[:, cut], LOGITS[:, cut], IDS[:, cut], state)


def reference():
  """One row after the other; the gradient is JAX's own."""
  def loss(weights, x, logits, answer):
    return -jax.nn.log_softmax(logits + x @ weights)[answer]

  gradient, out = jax.jit(jax.grad(loss)), np.zeros((ROWS, LENGTH, SIZE))
  for row in range(ROWS):
    weights, step = np.zeros((2, WIDTH, SIZE))
    for t in range(LENGTH):
      if t:
        step -= gradient(weights, FEATURES[row, t - 1], LOGITS[row, t - 1], IDS[row, t])
      if t % BLOCK == BLOCK - 1:
        weights, step = weights + RATE * step, np.zeros_like(step)
      out[row, t] = LOGITS[row, t] + FEATURES[row, t] @ weights
  return out


class OnlineHeadTest(absltest.TestCase):

  def test_it_is_gradient_descent(self):
    found, _ = call(CORRECT, 0, LENGTH, EMPTY)
    np.testing.assert_allclose(found, reference(), atol=1e-4)
    nll = [-np.take_along_axis(np.array(jax.nn.log_softmax(x))[:, BLOCK:-1],
                               IDS[:, BLOCK + 1:, None], axis=2).mean() for x in (LOGITS, found)]
    self.assertLess(nll[1], nll[0] - 0.1)

  @fixed_examples(10)
  @hypothesis.given(st.permutations((1, 1, 2, 7, 33, 64, 70, LENGTH - 178)))
  def test_any_cut(self, lengths):
    want, state, found, first = call(CORRECT, 0, LENGTH, EMPTY), EMPTY, [], 0
    for length in lengths:
      out, state = call(CORRECT, first, first + length, state)
      found.append(out)
      first += length
    assert_close((np.concatenate(found, axis=1), state), want)

  def test_rows_with_blocks_of_their_own(self):
    _, after = call(CORRECT, 0, 40, EMPTY)
    later = jax.tree.map(lambda x, empty: jnp.stack([x[0], empty[1]]), after, EMPTY)
    found = call(CORRECT, 40, 170, later)
    for row, state in enumerate((after, EMPTY)):
      pick = functools.partial(jax.tree.map, lambda x, row=row: np.asarray(x)[row])
      assert_close(pick(found), pick(call(CORRECT, 40, 170, state)))

  @fixed_examples(10)
  @hypothesis.given(
      before=st.sampled_from((1, 30, 63, 64, 100)), filled=st.integers(0, 20),
      lengths=st.lists(st.sampled_from((1, 1, 4)), min_size=1, max_size=40),
      back=st.integers(0, 30))
  def test_byte_by_byte(self, before, filled, lengths, back):
    memory_law.assert_steps_equal_the_chunk_call(
        HEAD, TIMES, EMPTY, lengths, filled, back, before=before)


if __name__ == '__main__':
  absltest.main()
