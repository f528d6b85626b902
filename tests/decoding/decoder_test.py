"""The law of chunks for decode caches: to and from states, in any order, at any clock and row."""

import dataclasses
import functools
from unittest import mock

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.config import (
  CountsConfig,
  FilterConfig,
  HyenaConfig,
  MatchConfig,
  NgramConfig,
  OnlineHeadConfig,
)
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import prefill
from haiku_spectral.modules import decode_cache, precision
from tests import chunk_law
from tests.decoding import tiny_model
from tests.fixed_examples import fixed_examples
from tests.modules.random_params import random_params

# Few different bytes, so that what the tables hold is recalled.
TEXT = np.random.default_rng(5).integers(97, 103, 800, np.int32)
# Numbers of ids that are appended one by one, rolled back, or prefilled by the chunk call.
ACTIONS = st.lists(
    st.tuples(st.sampled_from(['read', 'few', 'back', 'state']), st.integers(1, 40)),
    min_size=1, max_size=8)
SETTINGS = fixed_examples(5)
CONFIGS = {
    'taps': dataclasses.replace(
        tiny_model.CONFIG, pattern='HMA', layers=3,
        memory=dataclasses.replace(tiny_model.CONFIG.memory, rule='gated')),
    'ngram': dataclasses.replace(
        tiny_model.CONFIG, pattern='A', layers=1,
        ngram=NgramConfig(orders='1,3', words='1', slots=64),
        match=MatchConfig(length=3, slots=64, ring=512),
        counts=CountsConfig(orders='1,2', followers=5, slots=64),
        online_head=OnlineHeadConfig(rate=0.1)),
    'long': dataclasses.replace(tiny_model.CONFIG, pattern='HA', layers=4, hyena=HyenaConfig(
        order=3, filter=FilterConfig(horizon=100, max_time_constant=25.0))),
    'modes': dataclasses.replace(
        tiny_model.CONFIG, pattern='HM', layers=2, hyena=HyenaConfig(filter=FilterConfig(
            kind='modal', modes=3, max_time_constant=20.0, horizon=20)),  # Shorter than a block.
        memory=dataclasses.replace(tiny_model.CONFIG.memory, rule='delta')),
}


@functools.cache
def decoder(name='taps', dtype='float32'):
  config = CONFIGS[name]
  params = random_params(config)
  return decoder_lib.Decoder(config, precision.cast_params(params, jnp.dtype(dtype)))


def ids(start, end, rows=1):
  return np.tile(TEXT[start:end], (rows, 1))


@functools.cache
def chunked(name, length, dtype='float32'):
  """The context after `length` ids, by the chunk call alone."""
  made = decoder(name, dtype)
  empty = context_lib.empty(made.model, 1, made.dtype)
  return prefill.extend(made.model, made.params, empty, ids(0, length), chunk=8)


def assert_same_context(got, want, tolerance=2e-5):
  np.testing.assert_array_equal(got.position, want.position)
  np.testing.assert_array_equal(got.recent, want.recent)
  chunk_law.assert_close((got.logits, got.state), (want.logits, want.state), tolerance)


class DecoderTest(parameterized.TestCase):

  @parameterized.parameters(*CONFIGS)
  def test_byte_by_byte_from_any_clock(self, name):
    made = decoder(name)
    for clock in (63, 10**9 + 3):
      cache = made.to_cache(chunked(name, 37), clock)
      for start, end in ((37, 38), (38, 41), (41, 250), (250, 251)):
        cache = made.extend(cache, ids(start, end))
        np.testing.assert_allclose(
            decoder_lib.next_logits(cache), chunked(name, end).logits, atol=2e-5)
      assert_same_context(made.from_cache(cache), chunked(name, 251))

  def test_half_precision(self):
    made = decoder('taps', 'bfloat16')
    cache = made.extend(made.to_cache(chunked('taps', 40, 'bfloat16')), ids(40, 304))
    assert_same_context(made.from_cache(cache), chunked('taps', 304, 'bfloat16'), tolerance=0.1)

  @hypothesis.given(actions=ACTIONS, clock=st.integers(0, 300))
  @SETTINGS
  def test_any_order_of_reading_taking_back_and_resting(self, actions, clock):
    made = decoder('long')
    cache, done, first = made.to_cache(chunked('long', 20), clock), 20, 20
    for action, count in actions:
      match action:
        case 'read':
          cache = made.extend(cache, ids(done, done + count))
          done += count
        case 'few':
          for end in range(done + 3, done + count, 3):
            cache = made.extend(cache, ids(done, end))
            done = end
        case 'back':
          count = min(count, cache.filled, done - first)
          cache = made.roll_back(cache, cache.filled - count)
          done -= count
        case 'state':
          context = prefill.extend(
              made.model, made.params, made.from_cache(cache), ids(done, done + count), chunk=8)
          done = first = done + count
          cache = made.to_cache(context, cache.clock + count)
    assert_same_context(made.from_cache(cache), chunked('long', done))

  def test_what_was_taken_back_leaves_no_trace(self):
    made = decoder('long')
    cache = made.extend(made.to_cache(chunked('long', 20)), ids(20, 40))
    other = made.extend(cache, np.full((1, 30), 7, np.int32))
    again = made.extend(made.roll_back(other, 20), ids(40, 60))
    assert_same_context(made.from_cache(again), chunked('long', 60))

  def test_rows_of_any_length_each_as_if_alone(self):
    made = decoder('taps')
    lengths = (3, 111)
    contexts = [chunked('taps', length) for length in lengths]
    cache = made.to_cache(context_lib.stack(contexts), 17)
    for step in range(90):
      now = np.array([[TEXT[length + step]] for length in lengths])
      cache = made.extend(cache, now)
    context = made.from_cache(cache)
    for row, length in enumerate(lengths):
      assert_same_context(context_lib.row(context, row), chunked('taps', length + 90))

  def test_equal_rows_are_equal_to_the_last_bit(self):
    made = decoder('taps')
    two = made.to_cache(context_lib.repeat(chunked('taps', 30), 2), 0)
    context = made.from_cache(made.extend(two, ids(30, 130, rows=2)))
    rows = context_lib.row(context, 0), context_lib.row(context, 1)
    jax.tree.map(np.testing.assert_array_equal, *rows)

  @parameterized.parameters('taps', 'modes', 'ngram')
  def test_a_row_takes_the_place_of_another(self, name):
    made = decoder(name)  # It reads eights alone: single ids would be one more program.
    cache = made.to_cache(context_lib.repeat(chunked(name, 16), 2), 0)
    cache = made.extend(cache, ids(16, 112, rows=2))
    joining = made.to_cache(chunked(name, 56), cache.clock + cache.filled)
    cache = made.insert(cache, joining, 1)
    now = np.stack([TEXT[112:208], TEXT[56:152]])
    context = made.from_cache(made.extend(cache, now))
    for row, length in enumerate((208, 152)):
      assert_same_context(context_lib.row(context, row), chunked(name, length))

  def test_the_state_has_one_size(self):
    made = decoder('taps')
    cache = made.to_cache(chunked('taps', 20))
    sizes = set()
    for _ in range(3):
      cache = made.extend(cache, ids(0, 200))
      sizes.add(sum(leaf.nbytes for leaf in jax.tree.leaves((cache.block, cache.history))))
    self.assertLen(sizes, 1)

  def test_programs_do_not_depend_on_the_position(self):
    made = decoder('taps')
    cache = made.extend(made.to_cache(chunked('taps', 20)), ids(0, 300))
    cache = made.extend(cache, ids(0, 1))
    # Both are called when a program is traced.
    with mock.patch.object(decode_cache, 'step', side_effect=AssertionError('traced again')), \
         mock.patch.object(decode_cache, 'flush_history', side_effect=AssertionError('again')):
      for _ in range(300):
        cache = made.extend(cache, ids(0, 1))


class ContextTest(absltest.TestCase):

  def test_rows_are_stacked_and_taken_apart(self):
    contexts = [chunked('taps', length) for length in (4, 9)]
    for row, context in enumerate(contexts):
      jax.tree.map(
          np.testing.assert_array_equal, context_lib.row(context_lib.stack(contexts), row), context)

  def test_an_empty_context_has_read_nothing(self):
    made = decoder('taps')
    empty = context_lib.empty(made.model, 2)
    self.assertEqual(empty.position.tolist(), [0, 0])
    self.assertEqual(set(empty.recent.flatten().tolist()), {vocab.PAD})


if __name__ == '__main__':
  absltest.main()
