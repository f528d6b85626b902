"""The laws that every mixer obeys, whatever is inside."""

import functools

import haiku as hk
import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import config
from haiku_spectral.modules import attention, hyena, memory, precision
from tests import chunk_law

FILTER = config.FilterConfig(
    horizon=40, sinusoids=4, hidden=8, modes=4, max_time_constant=16.0)
MEMORY = config.MemoryConfig(heads=2, block=16, rule='gated')
MIXERS = {
    'hyena': ('H', config.HyenaConfig(filter=FILTER)),
    'hyena_of_order_3': ('H', config.HyenaConfig(order=3, filter=FILTER)),
    'modal_hyena': ('H', config.HyenaConfig(
        filter=config.FilterConfig(kind='modal', modes=4, max_time_constant=300.0))),
    'memory': ('M', MEMORY),
    'delta_memory': ('M', config.MemoryConfig(heads=2, block=16, rule='delta')),
    'attention': ('A', config.AttentionConfig(heads=2, window=32, block=8)),
}
BY_LETTER = {'H': hyena.MIXER, 'M': memory.MIXER, 'A': attention.MIXER}
WIDTH = 8
REACH = {'H': 39, 'M': 40, 'A': 31}  # The last tap, blocks away, the end of the window.


@functools.cache
def initialise(name: str):
  """A mixer's pure function and its float32 parameters."""
  letter, mixer_config = MIXERS[name]
  mixer = BY_LETTER[letter]
  transformed = hk.without_apply_rng(
      hk.transform(lambda *chunk: mixer.module(mixer_config, out_scale=1.0)(*chunk)))
  empty = mixer.initial_state(mixer_config, 2, WIDTH, jnp.float32)
  params = jax.jit(transformed.init)(jax.random.key(0), jnp.zeros((2, 1, WIDTH)), empty)
  return transformed.apply, params


@functools.cache
def build(name: str, dtype: str = 'float32'):
  """A mixer as (x, state) -> (y, state), and its empty state for two rows."""
  letter, mixer_config = MIXERS[name]
  apply, params = initialise(name)
  empty = BY_LETTER[letter].initial_state(mixer_config, 2, WIDTH, jnp.dtype(dtype))
  return jax.jit(functools.partial(apply, precision.cast_params(params, dtype))), empty


class MixersTest(parameterized.TestCase):

  @parameterized.named_parameters((name, name) for name in MIXERS)
  def test_law_of_chunks(self, name):
    @chunk_law.settings
    @hypothesis.given(lengths=chunk_law.few_cuts)
    def law(lengths):
      mixer, empty = build(name)
      chunk_law.assert_law(mixer, chunk_law.normal(2, chunk_law.TOTAL, WIDTH), empty, lengths)

    law()

  @parameterized.named_parameters((name, name) for name in MIXERS)
  def test_law_of_chunks_in_bfloat16(self, name):
    mixer, empty = build(name, 'bfloat16')
    x = chunk_law.normal(2, 67, WIDTH).astype(jnp.bfloat16)
    # Sixteen-bit steps are 2^-8 of a value: a few of them apart, after a few roundings.
    for lengths in ((33, 1, 33), (1, 33, 33), (33, 33, 1)):
      chunk_law.assert_law(mixer, x, empty, lengths, tolerance=0.03)

  @parameterized.named_parameters((name, name) for name in MIXERS)
  def test_a_mixer_that_forgets_its_state_breaks_the_law(self, name):
    mixer, empty = build(name)
    forgetful = lambda x, state: (mixer(x, empty)[0], mixer(x, state)[1])
    with self.assertRaises(AssertionError):
      chunk_law.assert_law(
          forgetful, chunk_law.normal(2, chunk_law.TOTAL, WIDTH), empty, chunk_law.FEW_LENGTHS)

  @parameterized.named_parameters((name, name) for name in MIXERS)
  def test_causal_with_reach(self, name):
    mixer, empty = build(name)
    x = chunk_law.normal(2, chunk_law.TOTAL, WIDTH)
    chunk_law.assert_causal_with_reach(mixer, x, empty, REACH[MIXERS[name][0]])

  @parameterized.named_parameters((name, name) for name in MIXERS)
  def test_batch_rows_are_independent(self, name):
    mixer, empty = build(name)
    x = chunk_law.normal(2, 33, WIDTH)
    other = x.copy()
    other[1] += 1
    np.testing.assert_array_equal(mixer(x, empty)[0][0], mixer(other, empty)[0][0])

  @parameterized.named_parameters(
      (name, name) for name, (letter, _) in MIXERS.items() if BY_LETTER[letter].takes_starts)
  def test_what_is_before_the_start_of_a_stream_is_not_read(self, name):
    mixer, empty = build(name)
    x = chunk_law.normal(2, 98, WIDTH)
    starts = np.zeros((2, 98), bool)
    starts[0, 21] = starts[0, 60] = starts[1, 40] = True
    y, state = mixer(x, empty, starts)
    # Three bytes of a short convolution still cross.
    reach = 3 if MIXERS[name][0] == 'M' else 0
    for row, start in ((0, 60), (1, 40)):
      other = x.copy()
      other[row, : start - reach] += 1
      again, state_again = mixer(other, empty, starts)
      chunk_law.assert_close(again[row, start:], y[row, start:], 1e-6)
      take = lambda tree, row=row: jax.tree.map(lambda leaf: leaf[row], tree)
      chunk_law.assert_close(take(state_again), take(state), 1e-6)
    alone, _ = mixer(x[:, 40 - reach :], empty)
    if not reach:
      chunk_law.assert_close(alone[1], y[1, 40:], 1e-5)

  @chunk_law.settings
  @hypothesis.given(name=st.sampled_from(sorted(MIXERS)), length=st.sampled_from((1, 33, 67)))
  def test_state_keeps_its_shapes_and_types(self, name, length):
    mixer, empty = build(name, 'bfloat16')
    x = chunk_law.normal(2, length, WIDTH).astype(jnp.bfloat16)
    described = lambda tree: [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(tree)]
    self.assertEqual(described(mixer(x, empty)[1]), described(empty))


if __name__ == '__main__':
  absltest.main()
