"""Decode caches, byte by byte or a few at once, agree with the chunk call."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.ops import (
  conv_cache,
  fft_conv,
  linear_memory,
  memory_cache,
  window_attention,
  window_cache,
)
from tests import chunk_law
from tests.fixed_examples import fixed_examples

BLOCK = conv_cache.BLOCK
SETTINGS = fixed_examples(8)
LENGTHS = st.lists(st.sampled_from([1, 1, 1, 4]), min_size=1, max_size=30)


def cut(lengths, filled):
  """The lengths as chunks that do not cross a block's end."""
  for length in lengths:
    while length:
      now = min(length, BLOCK - filled % BLOCK)
      yield now
      filled, length = filled + now, length - now


@functools.cache
def jitted(function, **kwargs):
  return jax.jit(functools.partial(function, **kwargs))


class LongConvTest(parameterized.TestCase):

  @parameterized.parameters(2, 64, 65, 66, 150, 257)
  def test_period_and_tiles_cover_the_horizon(self, horizon):
    span = conv_cache.period(horizon)
    self.assertGreaterEqual(span, horizon - 1)
    sizes = {each.shape[-1] - 1 for each in conv_cache.spectra(jnp.ones((horizon, 1)))}
    due = {conv_cache.tile_size(clock, span) for clock in range(BLOCK, 4 * span, BLOCK)}
    self.assertEqual(due, sizes)

  @parameterized.parameters((20, 7), (150, 201))
  def test_is_the_chunk_call(self, horizon, clock):
    taps = chunk_law.normal(horizon, 3, seed=1)
    x = chunk_law.normal(2, 90 + 700, 3)
    start = fft_conv.initial_state(2, horizon, 3, jnp.float32)
    want, end = jitted(fft_conv.causal_conv)(x, taps, start)
    _, state = jitted(fft_conv.causal_conv)(x[:, :90], taps, start)
    spectra, sliding = conv_cache.spectra(taps), conv_cache.sliding(taps)
    ring, block = jitted(conv_cache.long_to_cache)(state, spectra, clock)
    filled, clock, done = clock % BLOCK, clock - clock % BLOCK, 90
    for length in cut([1, 3, 1, 40, 3] * 14 + [28], filled):
      chunk = x[:, done : done + length]
      y, new = jitted(conv_cache.long_conv)(chunk, sliding, block)
      block = jitted(conv_cache.append_long)(block, new)
      chunk_law.assert_close(y, want[:, done : done + length], 1e-5)
      done, filled = done + length, filled + length
      if filled == BLOCK:
        filled, clock = 0, clock + BLOCK
        size = conv_cache.tile_size(clock, conv_cache.period(horizon))
        spectrum, = (each for each in spectra if each.shape[-1] == size + 1)
        ring, pending = jitted(conv_cache.flush_long)(ring, block.inputs, spectrum, clock)
        block = conv_cache.next_long_block(pending)
    self.assertEqual(done, 90 + 700)
    state = jitted(conv_cache.long_from_cache, horizon=horizon, dtype='float32')(ring, block, clock)
    chunk_law.assert_close(state, end, 1e-6)


class InBlockTest(parameterized.TestCase):

  @hypothesis.given(lengths=LENGTHS, filled=st.integers(0, 20), back=st.integers(0, 10),
                    width=st.sampled_from((1, 4)))
  @SETTINGS
  def test_short_conv(self, lengths, filled, back, width):
    taps, x = chunk_law.normal(width, 3, seed=1), chunk_law.normal(2, 200, 3)
    chunk_call = jitted(fft_conv.causal_conv)
    _, state = chunk_call(x[:, :9], taps, fft_conv.initial_state(2, width, 3, jnp.float32))
    self._check(
        lambda chunk, state: chunk_call(chunk, taps, state), state,
        lambda chunk, block: jitted(conv_cache.short_conv)(chunk, taps, block),
        conv_cache.short_to_cache(state, jnp.int32(filled)), conv_cache.append_short,
        conv_cache.short_from_cache, conv_cache.roll_back_short, x[:, 9:], lengths, filled, back)

  @parameterized.parameters('gated', 'delta')
  def test_memory(self, rule):
    q, k, v, a, b = (chunk_law.normal(2, 60, 2, 4, seed=seed) for seed in range(5))
    k /= np.linalg.norm(k, axis=-1, keepdims=True)
    decay, strength = -np.abs(a[..., 0]), 1 / (1 + np.exp(-b[..., 0]))
    whole = functools.partial(linear_memory.linear_memory, block=16)
    inputs = lambda cut: (q[:, cut], k[:, cut], v[:, cut], decay[:, cut])
    beta = lambda cut: linear_memory.Gates(
        2 * strength[:, cut], 1 - strength[:, cut]) if rule == 'delta' else None
    matrix = np.zeros((2, 2, 4, 4), np.float32)
    want, end = whole(*inputs(slice(None)), matrix, beta(slice(None)))
    _, matrix = whole(*inputs(slice(7)), matrix, beta(slice(7)))
    block, done = memory_cache.to_cache(matrix, jnp.int32(3)), 7
    for length in (1, 4, 1, 1, 4, 1, *[4] * 10, 1):
      now = slice(done, done + length)
      y, new = jitted(memory_cache.linear_memory)(*inputs(now), block, beta(now))
      block = memory_cache.append(block, new)
      chunk_law.assert_close(y, want[:, now], 1e-5)
      done += length
    self.assertEqual(done, 60)
    chunk_law.assert_close(memory_cache.from_cache(block), end, 1e-5)

  @hypothesis.given(lengths=LENGTHS, filled=st.integers(0, 20), back=st.integers(0, 10))
  @SETTINGS
  def test_window(self, lengths, filled, back):
    x = chunk_law.normal(2, 200, 2, 3 * 4)
    parts = lambda chunk: np.split(np.asarray(chunk), 3, axis=-1)
    chunk_call = jitted(window_attention.window_attention, block=4)
    start = window_attention.initial_state(2, 16, 2, 4, jnp.float32)
    _, state = chunk_call(*parts(x[:, :9]), start)
    self._check(
        lambda chunk, state: chunk_call(*parts(chunk), state), state,
        lambda chunk, block: jitted(window_cache.window_attention)(*parts(chunk), block),
        window_cache.to_cache(state, jnp.int32(filled)), window_cache.append,
        window_cache.from_cache, lambda block, filled: block._replace(filled=filled), x[:, 9:],
        lengths, filled, back)

  def _check(self, chunk_call, state, step, block, append, from_cache, roll_back, x, lengths,
             filled, back):
    """Steps, continues by the chunk call; then rolls back some bytes and steps again."""
    want, _ = chunk_call(x[:, :80], state)
    outputs, done = [], 0
    for length in lengths:
      if filled + done + length > BLOCK:
        break
      y, new = step(x[:, done : done + length], block)
      block = jitted(append)(block, new)
      outputs.append(np.asarray(y))
      done += length
    chunk_law.assert_close(np.concatenate(outputs, axis=1), want[:, :done], 1e-5)
    y, _ = chunk_call(x[:, done : done + 16], jitted(from_cache)(block))
    chunk_law.assert_close(y, want[:, done : done + 16], 1e-5)
    again = done - min(back, done)
    block = jitted(roll_back)(block, jnp.int32(filled + again))
    y, _ = step(x[:, again : again + 1], block)
    chunk_law.assert_close(y, want[:, again : again + 1], 1e-4)


if __name__ == '__main__':
  absltest.main()
