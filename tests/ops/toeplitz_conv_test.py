"""Convolution as Toeplitz products: equal to the sum, in both directions, and lawful."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import backend
from haiku_spectral.ops import fft_conv, toeplitz_conv
from tests import chunk_law


def by_sum(inputs, taps):
  """The definition, in the precision of its inputs; taps [S, G]."""
  horizon, length = taps.shape[0], inputs.shape[1] - taps.shape[0] + 1
  taps = np.repeat(taps, inputs.shape[2] // taps.shape[1], axis=1)
  return sum(taps[lag] * inputs[:, horizon - 1 - lag :][:, :length] for lag in range(horizon))


@functools.cache
def mixer(horizon):
  taps = chunk_law.normal(horizon, 3, seed=7) / horizon**0.5
  return jax.jit(lambda x, state: fft_conv.causal_conv(x, taps, state, long='toeplitz'))


class ToeplitzConvTest(parameterized.TestCase):

  # Blocks shorter and longer than the horizon and the chunk, that divide them and do not.
  @parameterized.parameters(
      (40, 50, 16, 6), (17, 64, 16, 2), (33, 64, 32, 1), (40, 7, 16, 3), (24, 100, 64, 6))
  def test_equals_the_sum_in_both_directions(self, horizon, length, block, groups):
    inputs = chunk_law.normal(2, length + horizon - 1, 6)
    taps = chunk_law.normal(horizon, groups, seed=1) / horizon**0.5
    weight = chunk_law.normal(2, length, 6, seed=2)
    ours = jax.jit(jax.value_and_grad(
        lambda x, taps: jnp.sum(weight * toeplitz_conv.valid_conv(x, taps, block)), (0, 1)))
    y = toeplitz_conv.valid_conv(inputs, taps, block)
    np.testing.assert_allclose(y, by_sum(inputs.astype(np.float64), taps), atol=2e-6)
    # The derivatives of a sum of products, written out.
    value, (to_inputs, to_taps) = ours(inputs, taps)
    self.assertAlmostEqual(float(value), float(np.sum(weight * np.asarray(y))), places=3)
    around = [(0, 0), (horizon - 1, horizon - 1), (0, 0)]
    wide = np.pad(weight.astype(np.float64), around)
    chunk_law.assert_close(to_inputs, by_sum(wide, taps[::-1]).astype(np.float32), 1e-5)
    each = [np.sum(weight * inputs[:, horizon - 1 - lag :][:, :length], axis=(0, 1))
            for lag in range(horizon)]
    shared = np.stack(each).reshape(horizon, groups, -1).sum(2)
    chunk_law.assert_close(to_taps, shared, 1e-5)

  def test_each_diagonal_of_the_matrix_is_one_tap(self):
    taps = np.arange(1.0, 6.0)[:, None]
    matrix = np.asarray(toeplitz_conv.toeplitz(taps, 3, 2))[0]
    lags = np.arange(3)[:, None] + 6 - np.arange(9)
    np.testing.assert_array_equal(matrix, np.where((lags >= 0) & (lags < 5), lags + 1, 0))

  @chunk_law.settings
  @hypothesis.given(lengths=chunk_law.cuts, horizon=st.sampled_from((17, 129)))
  def test_law_of_chunks(self, lengths, horizon):
    x = chunk_law.normal(2, sum(lengths), 3)
    state = fft_conv.initial_state(2, horizon, 3, jnp.float32)
    chunk_law.assert_law(mixer(horizon), x, state, lengths)

  def test_sixteen_bits_are_added_in_32(self):
    horizon = 300
    state = fft_conv.initial_state(2, horizon, 3, jnp.bfloat16)
    x = chunk_law.normal(2, 64, 3).astype(jnp.bfloat16)
    y, after = mixer(horizon)(x, state)
    self.assertEqual((y.dtype, after.history.dtype), (jnp.bfloat16, jnp.bfloat16))
    taps = (chunk_law.normal(horizon, 3, seed=7) / horizon**0.5).astype(jnp.bfloat16)
    whole = np.concatenate([state.history, x], axis=1).astype(np.float64)
    exact = by_sum(whole, np.asarray(taps, np.float64))
    np.testing.assert_allclose(np.asarray(y, np.float64), exact, rtol=2**-8, atol=1e-5)

  def test_the_platform_chooses_in_one_place(self):
    def operations(*shape, horizon):
      state = fft_conv.initial_state(1, horizon, 3, jnp.float32)
      call = lambda x: fft_conv.causal_conv(x, jnp.ones((horizon, 3)), state)
      return str(jax.make_jaxpr(call)(jnp.ones(shape)))

    self.assertIn('fft', operations(1, 64, 3, horizon=100))
    with backend.chosen(long_convolution='toeplitz', toeplitz_block=16):
      self.assertNotIn('fft', operations(1, 64, 3, horizon=100))
      self.assertIn('fft', operations(1, 64, 3, horizon=fft_conv.TOEPLITZ_TAPS + 1))
    self.assertIn('fft', operations(1, 64, 3, horizon=100))


if __name__ == '__main__':
  absltest.main()
