import functools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.ops import fft_conv
from tests import chunk_law


def written_out(x: np.ndarray, taps: np.ndarray) -> np.ndarray:
  """y[t] = sum_s taps[s] x[t - s] in float64, nothing before the first sample."""
  x, taps = x.astype(np.float64), taps.astype(np.float64)
  y = np.zeros_like(x)
  for lag in range(min(taps.shape[0], x.shape[1])):
    y[:, lag:] += taps[lag] * x[:, : x.shape[1] - lag]
  return y


@functools.cache
def mixer(horizon: int, long: str = 'fft'):
  taps = chunk_law.normal(horizon, 3, seed=7) / horizon**0.5
  return taps, jax.jit(lambda x, state: fft_conv.causal_conv(x, taps, state, long=long))


class FFTConvTest(parameterized.TestCase):

  # Summed for few taps and for a single byte, else by FFT, with taps fewer and more than bytes, in
  # one transform and in several.
  @parameterized.parameters((3, 50), (16, 50), (40, 1), (40, 2), (17, 200), (300, 64),
                            (32, 97), (32, 98))
  def test_equals_the_written_out_sum(self, horizon, length):
    taps, conv = mixer(horizon)
    x = chunk_law.normal(2, length, 3)
    y, _ = conv(x, fft_conv.initial_state(2, horizon, 3, jnp.float32))
    np.testing.assert_allclose(y, written_out(x, taps), atol=2e-6)

  @chunk_law.settings
  @hypothesis.given(lengths=chunk_law.cuts, horizon=st.sampled_from((3, 16, 17, 129)))
  def test_law_of_chunks(self, lengths, horizon):
    x = chunk_law.normal(2, sum(lengths), 3)
    state = fft_conv.initial_state(2, horizon, 3, jnp.float32)
    chunk_law.assert_law(mixer(horizon)[1], x, state, lengths)

  @parameterized.parameters((16, 5), (17, 5), (129, 5), (129, 200), (129, 1))
  def test_a_short_history_is_all_there_was(self, horizon, length):
    taps, conv = mixer(horizon)
    x = chunk_law.normal(2, 3 + length, 3)
    state = fft_conv.ConvState(jnp.zeros((2, 0, 3)))
    first, state = conv(x[:, :3], state)
    self.assertEqual(state.history.shape[1], 3)
    y, state = conv(x[:, 3:], state)
    self.assertEqual(state.history.shape[1], min(3 + length, horizon - 1))
    np.testing.assert_allclose(
        jnp.concatenate([first, y], axis=1), written_out(x, taps), atol=2e-6)

  def test_law_of_chunks_catches_a_forgotten_state(self):
    _, conv = mixer(40)
    state = fft_conv.initial_state(2, 40, 3, jnp.float32)
    x = chunk_law.normal(2, 49, 3)
    forgetful = lambda x, _: (conv(x, state)[0], state)
    with self.assertRaises(AssertionError):
      chunk_law.assert_law(forgetful, x, state, [16, 33])

  @parameterized.parameters(3, 17, 129)
  def test_causal_and_reaches_to_the_last_tap(self, horizon):
    x = chunk_law.normal(2, 200, 3)
    state = fft_conv.initial_state(2, horizon, 3, jnp.float32)
    chunk_law.assert_causal_with_reach(mixer(horizon)[1], x, state, reach=horizon - 1)

  def test_sixteen_bits_in_and_out_but_float32_inside(self):
    taps, conv = mixer(300)
    x = chunk_law.normal(2, 64, 3).astype(jnp.bfloat16)
    y, state = conv(x, fft_conv.initial_state(2, 300, 3, jnp.bfloat16))
    self.assertEqual((y.dtype, state.history.dtype), (jnp.bfloat16, jnp.bfloat16))
    exact = written_out(np.asarray(x, np.float64), np.asarray(taps))
    # One rounding of the result, half a unit in the last of 8 bits, and none on the way.
    np.testing.assert_allclose(np.asarray(y, np.float64), exact, rtol=2**-8, atol=1e-5)

  @parameterized.parameters(40, 400)
  def test_gradients_equal_those_of_the_sum(self, length):
    x = chunk_law.normal(2, length, 3)
    taps, _ = mixer(33)
    state = fft_conv.initial_state(2, 33, 3, jnp.float32)
    weight = chunk_law.normal(*x.shape, seed=6)
    by_fft = lambda x, taps: jnp.sum(weight * fft_conv.causal_conv(x, taps, state)[0])

    def by_sum(x, taps):
      shifted = [jnp.pad(x, ((0, 0), (s, 0), (0, 0)))[:, :length] for s in range(33)]
      return jnp.sum(weight * sum(t * x for t, x in zip(taps, shifted, strict=True)))

    grads = [jax.jit(jax.grad(conv, (0, 1)))(x, taps) for conv in (by_fft, by_sum)]
    chunk_law.assert_close(*grads, 1e-5)

  def test_wrong_shapes_are_refused(self):
    for horizon, channels in ((9, 3), (8, 2)):
      with self.assertRaises(AssertionError):
        fft_conv.causal_conv(
            jnp.zeros((1, 4, 3)), jnp.zeros((8, 3)),
            fft_conv.initial_state(1, horizon, channels, jnp.float32))


if __name__ == '__main__':
  absltest.main()
