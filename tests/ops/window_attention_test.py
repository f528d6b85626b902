import functools
from unittest import mock

import chex
import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.ops import rotary, window_attention
from tests import chunk_law

HEADS, WIDTH = 2, 4


@functools.cache
def mixer(block: int):
  def run(x, state):  # x: [B, T, H, 3 K]
    return window_attention.window_attention(*jnp.split(x, 3, axis=-1), state, block=block)

  return jax.jit(run)


def empty(window: int, dtype=jnp.float32):
  return window_attention.initial_state(2, window, HEADS, WIDTH, dtype)


def inputs(length: int):
  return chunk_law.normal(2, length, HEADS, 3 * WIDTH)


def written_out(x: jax.Array, window: int) -> np.ndarray:
  """Row by row in float64, each query with its own keys at their true distances."""
  q, k, v = (np.asarray(part, np.float64) for part in np.split(x, 3, axis=-1))
  half = WIDTH // 2
  frequencies = 10_000.0 ** (-np.arange(half) / half)

  def turn(vectors, angles):  # [..., K], [..., K / 2]
    pairs = (vectors[..., :half] + 1j * vectors[..., half:]) * np.exp(1j * angles)
    return np.concatenate([pairs.real, pairs.imag], axis=-1)

  out = np.zeros_like(v)
  for t in range(x.shape[1]):
    first = max(0, t - window + 1)
    distance = t - np.arange(first, t + 1)
    keys = turn(k[:, first : t + 1], -distance[:, None, None] * frequencies)
    scores = np.einsum('bhk,bjhk->bhj', q[:, t], keys) / WIDTH**0.5
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    out[:, t] = np.einsum('bhj,bjhk->bhk', weights, v[:, first : t + 1])
  return out


class WindowAttentionTest(parameterized.TestCase):

  @parameterized.parameters((16, 16, 50), (16, 4, 50), (16, 4, 3), (1, 1, 9), (32, 8, 70))
  def test_equals_the_written_out_attention(self, window, block, length):
    x = inputs(length)
    y, _ = mixer(block)(x, empty(window))
    np.testing.assert_allclose(y, written_out(x, window), atol=2e-6)

  @chunk_law.settings
  @hypothesis.given(lengths=chunk_law.cuts, block=st.sampled_from((4, 16)))
  def test_law_of_chunks(self, lengths, block):
    chunk_law.assert_law(mixer(block), inputs(sum(lengths)), empty(16), lengths)

  @parameterized.parameters(32, 50)
  def test_a_long_chunk_is_cut(self, length):
    x, weight = inputs(length), chunk_law.normal(2, length, HEADS, WIDTH, seed=3)

    def loss(x):
      starts = np.zeros((2, length), bool)
      starts[1, 21] = True
      y, state = window_attention.window_attention(
          *jnp.split(x, 3, axis=-1), empty(16), starts=starts, block=4)
      return jnp.sum(weight * y), state

    whole = jax.grad(loss, has_aux=True)(x)
    with mock.patch.object(window_attention, 'AT_ONCE', 16):
      chunk_law.assert_close(jax.grad(loss, has_aux=True)(x), whole, 1e-5)

  def test_rows_that_began_at_different_times_do_not_disturb_each_other(self):
    x = inputs(30)
    _, state = mixer(4)(x[:, :10], empty(16))
    fresh = empty(16)
    mixed = jax.tree.map(lambda kept, new: kept.at[1].set(new[1]), state, fresh)
    y, _ = mixer(4)(x[:, 10:], mixed)
    np.testing.assert_allclose(y[0], mixer(4)(x[:, 10:], state)[0][0], atol=1e-6)
    np.testing.assert_allclose(y[1], mixer(4)(x[:, 10:], fresh)[0][1], atol=1e-6)

  def test_causal_and_reaches_the_window_but_no_further(self):
    chunk_law.assert_causal_with_reach(mixer(4), inputs(64), empty(16), reach=15)
    with self.assertRaisesRegex(AssertionError, 'nothing is felt'):
      chunk_law.assert_causal_with_reach(mixer(4), inputs(64), empty(16), reach=16)

  def test_memory_grows_with_the_length_and_not_with_its_square(self):
    def temporaries(length):
      compiled = mixer(16).lower(inputs(length), empty(64)).compile()
      return compiled.memory_analysis().temp_size_in_bytes

    self.assertLess(temporaries(8192), 2.5 * temporaries(4096))
    self.assertLess(temporaries(8192), 4 * HEADS * 8192**2)

  def test_scores_beyond_any_bound_are_finite_and_have_gradients(self):
    q, k, v = jnp.split(inputs(40), 3, axis=-1)

    def loss(q):
      y, _ = window_attention.window_attention(q, k, v, empty(16), block=4)
      return jnp.sum(y**2), y

    for scale in (1e3, 1e6):
      slope, y = jax.grad(loss, has_aux=True)(scale * q)
      chex.assert_tree_all_finite((slope, y))
      self.assertGreater(np.max(np.abs(slope)), 0)
      self.assertLessEqual(np.max(np.abs(y)), np.max(np.abs(v)) * (1 + 1e-5))

  def test_scores_that_16_bits_do_not_hold(self):
    x = 4 * inputs(40)
    want, _ = mixer(4)(x, empty(16))
    for dtype in (jnp.float16, jnp.bfloat16):
      y, _ = mixer(4)(x.astype(dtype), empty(16, dtype))
      self.assertLess(np.median(np.abs(y.astype(jnp.float32) - want)), 0.03)
      chex.assert_tree_all_finite(y)

  def test_what_is_before_the_start_of_a_stream_is_not_seen(self):
    x = inputs(40)
    starts = np.zeros((2, 40), bool)
    starts[0, 13] = True
    run = jax.jit(lambda x, state, starts: window_attention.window_attention(
        *jnp.split(x, 3, axis=-1), state, starts=starts, block=4))
    y, state = run(x, empty(16), starts)
    alone, _ = mixer(4)(x[:, 13:], empty(16))
    np.testing.assert_allclose(y[0, 13:], alone[0], atol=1e-6)
    np.testing.assert_allclose(y[1], mixer(4)(x, empty(16))[0][1], atol=1e-6)
    self.assertEqual(state.seen.tolist(), [16, 16])
    self.assertEqual(run(x[:, :15], empty(16), starts[:, :15])[1].seen.tolist(), [2, 15])


class RotaryTest(absltest.TestCase):

  def test_products_depend_on_distance_only(self):
    q, k = (chunk_law.normal(1, 1, 1, 8, seed=i) for i in (0, 1))
    product = lambda i, j: jnp.sum(rotary.rotate(q, i) * rotary.rotate(k, j))
    for start in (0, 5, 100_000):
      np.testing.assert_allclose(product(start + 7, start), product(7, 0), rtol=1e-4)


if __name__ == '__main__':
  absltest.main()
