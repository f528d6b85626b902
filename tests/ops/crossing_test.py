"""The law of chunks across a mesh: slices of time on devices give what one device gives."""

import functools
from unittest import mock

import chex
import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from haiku_spectral.ops import (
  conv_crossing,
  fft_conv,
  hashed_table,
  linear_memory,
  memory_crossing,
  ngram_contexts,
  ngram_crossing,
  ngram_memory,
  slices,
  window_attention,
  window_crossing,
)
from tests import chunk_law

jax.config.update('jax_num_cpu_devices', 8)

ROWS, TIME = 3, 32
TIMED, WHOLE = P(None, slices.AXIS), P()


def on_slices(operator, devices):
  """The operator on as many slices of its inputs: (inputs, state) -> (outputs, last state)."""
  mesh = Mesh(np.array(jax.devices()[:devices]), (slices.AXIS,))

  def local(inputs, state):
    outputs, state = operator(inputs, state)
    return outputs, slices.from_last(state)

  return jax.jit(jax.shard_map(
      local, mesh=mesh, in_specs=(TIMED, WHOLE), out_specs=(TIMED, WHOLE), check_vma=False))


def assert_same(one, crossing, inputs, state, devices):
  """Outputs, last state, and the gradient of a sum over both, on slices and on one device."""
  def weighted(run):
    def total(inputs):
      found = run(inputs, state)
      return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(found)
                 if jnp.issubdtype(leaf.dtype, jnp.floating)), found
    return jax.jit(jax.grad(total, has_aux=True))(inputs)

  (got_gradient, got), (gradient, want) = map(weighted, (on_slices(crossing, devices), one))
  chunk_law.assert_close(got, want, 1e-5)
  chunk_law.assert_close(got_gradient, gradient, 2e-5)


def starts(seed, rate=0.1):
  found = np.random.default_rng(seed).random((ROWS, TIME)) < rate
  found[0] = False
  return found


class ConvTest(parameterized.TestCase):

  @parameterized.parameters((1, 8), (4, 8), (20, 2), (20, 8), (40, 8))
  def test_convolution(self, taps, devices):
    # 20 and 40 taps reach over several slices of 4, and past all of them.
    filters = chunk_law.normal(taps, 5, seed=1)
    state = fft_conv.ConvState(jnp.asarray(chunk_law.normal(ROWS, taps - 1, 5, seed=2)))
    assert_same(
        lambda x, state: fft_conv.causal_conv(x, filters, state),
        lambda x, state: conv_crossing.causal_conv(x, filters, state),
        chunk_law.normal(ROWS, TIME, 5), state, devices)


class WindowTest(parameterized.TestCase):

  @parameterized.parameters((4, 8, True), (16, 2, False), (16, 8, False), (16, 8, True))
  def test_attention(self, window, devices, with_starts):
    heads = (ROWS, TIME, 2, 4)
    inputs = {name: chunk_law.normal(*heads, seed=seed) for seed, name in enumerate('qkv')}
    begins = starts(3) if with_starts else None
    past = chunk_law.normal(2, ROWS, window, 2, 4, seed=9)
    state = window_attention.WindowState(
        jnp.asarray(past[0]), jnp.asarray(past[1]), jnp.array([0, 3, window]))

    def call(operator, given, state):
      x, begins = given
      return operator(x['q'], x['k'], x['v'], state, starts=begins, block=4)

    one, crossing = (functools.partial(call, operator) for operator in (
        window_attention.window_attention, window_crossing.attention))
    if with_starts:  # No gradient of a boolean.
      chunk_law.assert_close(
          on_slices(crossing, devices)((inputs, begins), state),
          jax.jit(one)((inputs, begins), state), 1e-5)
    else:
      assert_same(lambda x, state: one((x, None), state),
                  lambda x, state: crossing((x, None), state), inputs, state, devices)


class MemoryTest(parameterized.TestCase):

  @parameterized.parameters(
      (False, 2, True), (False, 8, False), (False, 8, True), (True, 8, False), (True, 8, True))
  def test_memory(self, delta, devices, with_starts):
    heads = (ROWS, TIME, 2, 4)
    inputs = {
        'q': chunk_law.normal(*heads), 'k': 0.5 * chunk_law.normal(*heads, seed=1),
        'v': chunk_law.normal(*heads, seed=2),
        'decay': -0.1 * np.abs(chunk_law.normal(*heads[:3], seed=3))}
    if delta:
      inputs['gates'] = linear_memory.Gates(*(
          1 / (1 + np.exp(-chunk_law.normal(*heads[:3], seed=seed))) for seed in (4, 7)))
    begins = starts(5) if with_starts else None
    state = jnp.asarray(chunk_law.normal(ROWS, 2, 4, 4, seed=6))

    def call(operator, given, state):
      x, begins = given
      return operator(x['q'], x['k'], x['v'], x['decay'], state, x.get('gates'), starts=begins,
                      block=4)

    one, crossing = (functools.partial(call, operator) for operator in (
        linear_memory.linear_memory, memory_crossing.linear_memory))
    if with_starts:
      chunk_law.assert_close(
          on_slices(crossing, devices)((inputs, begins), state),
          jax.jit(one)((inputs, begins), state), 1e-5)
    else:
      assert_same(lambda x, state: one((x, None), state),
                  lambda x, state: crossing((x, None), state), inputs, state, devices)


class NgramTest(parameterized.TestCase):
  CONTEXTS = ngram_contexts.Contexts((1, 2, 5), words=(1,))

  @parameterized.parameters((1, 8, True), (2, 3, True), (3, 8, False), (3, 8, True))
  def test_exact_memory_is_bitwise_the_same(self, followers, devices, with_starts):
    # 8 slots for each order: contexts meet in slots all the time.
    length = TIME if devices == 8 else 33

    def call(operator, given, state):
      ids, begins = given
      return operator(ids, state, contexts=self.CONTEXTS, followers=followers,
                      starts=begins if with_starts else None)

    one = jax.jit(functools.partial(call, ngram_memory.read))
    cut = on_slices(functools.partial(call, ngram_crossing.read), devices)
    begin = jax.jit(functools.partial(
        ngram_memory.read, contexts=self.CONTEXTS, followers=followers))
    for seed in range(8):
      random = np.random.default_rng(seed)
      past = random.integers(0, 3 + seed, (ROWS, 40), np.int32)
      ids = random.integers(0, 3 + seed, (ROWS, length), np.int32)
      begins = random.random((ROWS, length)) < 0.06
      empty = ngram_memory.initial_state(ROWS, self.CONTEXTS, 8)
      _, state = begin(past, empty)
      for before in (empty, state):
        chex.assert_trees_all_equal(cut((ids, begins), before), one((ids, begins), before))

  def test_a_slice_longer_than_what_is_sorted_at_a_time(self):
    ids = np.random.default_rng(0).integers(0, 4, (1, 4 * 12), np.int32)
    how = {'contexts': ngram_contexts.Contexts((2,)), 'followers': 3}
    state = ngram_memory.initial_state(1, how['contexts'], 64)
    want = jax.jit(functools.partial(ngram_memory.read, **how))(ids, state)
    # As if so few contexts could be told apart in 32 bits.
    with mock.patch.object(hashed_table, 'piece_length', return_value=5) as length:
      found = on_slices(lambda ids, state: ngram_crossing.read(ids, state, **how), 4)(ids, state)
    length.assert_called()
    chex.assert_trees_all_equal(found, want)

  @hypothesis.given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3), st.booleans()),
                             min_size=3, max_size=3), st.integers(1, 3))
  @hypothesis.settings(chunk_law.settings)
  def test_merging_is_associative(self, entries, followers):
    def entry(number, check, count, is_open):
      count = min(count, followers)
      lists = sum((10 * number + i + 1) << (8 * i) for i in range(count))
      mark = int(ngram_memory.OPEN) if is_open and count < followers else 0
      return np.array([0 if check and count == 2 else check << 26 | count << 24 | lists | mark],
                      np.uint32)

    a, b, c = (entry(number, *given) for number, given in enumerate(entries))
    merge = functools.partial(ngram_crossing.merge, followers=followers)
    np.testing.assert_array_equal(merge(merge(a, b), c), merge(a, merge(b, c)))


class EnteringTest(parameterized.TestCase):

  @parameterized.parameters(1, 2, 3, 5, 8)
  def test_a_scan_over_the_axis_is_a_loop_over_slices(self, devices):
    ids = np.random.default_rng(devices).integers(0, 10, (1, devices, 2), np.int32)

    def local(x, state):  # x -> a x + b in integers: not commutative.
      maps = (1 + x[:, 0, 0], x[:, 0, 1])
      before = slices.entering(
          lambda left, right: (right[0] * left[0], right[0] * left[1] + right[1]),
          lambda left, state: left[0] * state + left[1], maps, state)
      return before[:, None], state

    found, _ = on_slices(local, devices)(ids, np.array([3], np.int32))
    expected = [3]
    for a, b in ids[0]:
      expected.append((1 + a) * expected[-1] + b)
    self.assertEqual(found[0].tolist(), expected[:-1])

  @parameterized.parameters((1, 0), (2, 1), (3, 2), (4, 3), (5, 3), (8, 4), (9, 4), (16, 5))
  def test_sends_a_logarithm_of_messages(self, devices, messages):
    self.assertEqual(slices.messages(devices), messages)


if __name__ == '__main__':
  absltest.main()
