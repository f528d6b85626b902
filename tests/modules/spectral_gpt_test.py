"""The model as a whole: the law of chunks, precision, and the names that checkpoints rely on."""

import dataclasses
import functools
import pathlib

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import backend, config, vocab
from haiku_spectral.configs import nano
from haiku_spectral.modules import filters, precision, spectral_gpt
from tests import chunk_law
from tests.modules.random_params import random_params

GOLDEN = pathlib.Path(__file__).with_name('nano_parameters.txt')
SMALL = config.ModelConfig(
    pattern='HMA', layers=6, width=16, mlp_width=24,
    hyena=config.HyenaConfig(filter=config.FilterConfig(
        horizon=40, sinusoids=4, hidden=8, max_time_constant=16.0)),
    memory=config.MemoryConfig(heads=2, block=16),
    attention=config.AttentionConfig(heads=2, window=32, block=8),
    ngram=config.NgramConfig(orders='1,3', words='1', slots=64),
    match=config.MatchConfig(length=3, slots=64, ring=512),
    counts=config.CountsConfig(orders='1,2', followers=5, slots=64),
    online_head=config.OnlineHeadConfig(rate=0.1),
)


MODEL = spectral_gpt.make_model(SMALL)
APPLY = jax.jit(MODEL.apply)


@functools.cache
def small_model(dtype: str = 'float32'):
  params = precision.cast_params(some_params(), dtype)
  return functools.partial(APPLY, params), MODEL.initial_state(2, jnp.dtype(dtype))


@functools.cache
def some_params():
  return random_params(SMALL)


def tokens(length: int) -> np.ndarray:
  return np.random.default_rng(0).integers(0, vocab.SIZE, (2, length), np.int32)


class SpectralGPTTest(parameterized.TestCase):

  @chunk_law.settings
  @hypothesis.given(lengths=chunk_law.few_cuts)
  def test_law_of_chunks(self, lengths):
    chunk_law.assert_law(small_model()[0], tokens(chunk_law.TOTAL), small_model()[1], lengths)

  def test_law_of_chunks_in_bfloat16(self):
    apply, empty = small_model('bfloat16')
    for lengths in ((33, 1, 33), (33, 33, 1)):
      chunk_law.assert_law(apply, tokens(67), empty, lengths, tolerance=0.05)

  def test_causal_with_reach_beyond_window_and_horizon(self):
    apply, empty = small_model()
    chunk_law.assert_causal_with_reach(apply, tokens(chunk_law.TOTAL), empty, reach=75)

  def test_rows_that_began_at_different_times_read_as_if_alone(self):
    apply, empty = small_model()
    text = tokens(chunk_law.TOTAL)
    _, later = apply(text[:, :33], empty)

    def take(kept, new):
      kept = np.array(kept)
      kept[:, 1] = np.asarray(new)[:, 1]
      return kept

    ragged = jax.tree.map(take, later, empty)
    together, _ = apply(text[:, 33:66], ragged)
    np.testing.assert_allclose(together[0], apply(text[:, 33:66], later)[0][0], atol=1e-5)
    np.testing.assert_allclose(together[1], apply(text[:, 33:66], empty)[0][1], atol=1e-5)

  def test_hidden_contexts_change_what_a_row_expects_and_not_what_it_remembers(self):
    apply, empty = small_model()
    text = np.tile(tokens(11), (1, 6))  # Words come again, and longer contexts with them.
    seen, state = apply(text, empty, text < 0)
    hidden, same = apply(text, empty, text < 0, spectral_gpt.Hidden(
        np.array([True, False]), np.array([False, False])))
    np.testing.assert_array_equal(hidden[1], seen[1])
    self.assertGreater(np.abs(hidden[0] - seen[0]).max(), 1e-3)
    memories = slice(3)  # And then the online head, which learns from what was expected.
    jax.tree.map(
        np.testing.assert_array_equal, same.readers[memories], state.readers[memories])

  def test_layers_compute_in_the_type_of_the_parameters_around_islands_of_float32(self):
    params = precision.cast_params(some_params(), jnp.bfloat16)
    state = MODEL.initial_state(2, jnp.bfloat16)
    logits, new_state = jax.eval_shape(MODEL.apply, params, tokens(33), state)
    self.assertEqual(logits.dtype, jnp.float32)
    kinds = lambda tree: [leaf.dtype for leaf in jax.tree.leaves(tree)]
    self.assertEqual(kinds(new_state), kinds(state))
    stack = 'spectral_gpt/stack'
    self.assertEqual(params[f'{stack}/block_0/hyena/in']['w'].dtype, jnp.bfloat16)
    for island in ('block_0/hyena/filter', 'block_1/memory/decay', 'block_1/norm_mixer'):
      self.assertEqual(set(kinds(params[f'{stack}/{island}'])), {jnp.dtype('float32')}, island)

  def test_activations_are_rounded_to_the_type_of_the_parameters(self):
    low = precision.cast_params(some_params(), jnp.bfloat16)
    logits = {
        dtype: np.asarray(APPLY(
            precision.cast_params(low, dtype), tokens(33), MODEL.initial_state(2, dtype))[0])
        for dtype in ('bfloat16', 'float32')}
    # The same rounded parameters: what differs was computed in 16 bits.
    error = np.abs(logits['bfloat16'] - logits['float32']).max() / logits['float32'].std()
    self.assertBetween(float(error), 1e-3, 0.2)

  def test_rows_without_the_count_memory_do_not_train_it(self):
    params = random_params(SMALL)

    def loss(params, rows):
      hidden = spectral_gpt.Hidden(np.array([False, False]), rows)
      text = tokens(64)
      logits, _ = MODEL.apply(params, text, MODEL.initial_state(2), text < 0, hidden)
      return -jnp.mean(jax.nn.log_softmax(logits)[:, :, 97])

    gradients = jax.jit(jax.grad(loss))
    for rows, some in (([True, True], False), ([True, False], True)):
      found = gradients(params, np.array(rows))
      norms = {name: float(jnp.abs(value).max())
               for name, value in found['spectral_gpt/count_logits'].items()}
      self.assertEqual({norm > 0 for norm in norms.values()}, {some}, norms)

  def test_remat_changes_neither_values_nor_names_but_takes_less_memory(self):
    def loss(model, params):
      return jnp.sum(model.apply(params, tokens(64), model.initial_state(2))[0] ** 2)

    # One super-block, without what is outside of the blocks.
    plain = dataclasses.replace(
        SMALL, pattern='AAAA', layers=4, ngram=config.NgramConfig(orders=''),
        match=config.MatchConfig(), counts=config.CountsConfig(),
        online_head=config.OnlineHeadConfig())
    params = random_params(plain)
    grads, memory = {}, {}
    for remat in (False, True):
      model = spectral_gpt.make_model(dataclasses.replace(plain, remat=remat))
      compiled = jax.jit(jax.grad(functools.partial(loss, model))).lower(params).compile()
      grads[remat] = compiled(params)
      memory[remat] = compiled.memory_analysis().temp_size_in_bytes
    chunk_law.assert_close(grads[True], grads[False], 1e-4)
    self.assertLess(memory[True], 0.6 * memory[False], memory)
    with backend.chosen(orders_by_data_alone=False):  # As on other platforms.
      model = spectral_gpt.make_model(dataclasses.replace(plain, remat=True))
      with_barriers = jax.jit(jax.grad(functools.partial(loss, model)))(params)
    chunk_law.assert_close(with_barriers, grads[False], 1e-4)

  def test_names_and_shapes_of_nano_are_those_of_its_checkpoints(self):
    """To renew: python -m tests.modules.spectral_gpt_test --write_golden."""
    self.assertEqual(GOLDEN.read_text(), describe_nano())

  def test_tail_mass_is_the_share_of_energy_beyond_a_length(self):
    small = dataclasses.replace(
        SMALL, pattern='H', layers=1, ngram=config.NgramConfig(orders=''),
        match=config.MatchConfig(), counts=config.CountsConfig(),
        online_head=config.OnlineHeadConfig())
    params = jax.jit(spectral_gpt.make_model(small).init)(jax.random.key(0))
    masses = [
        float(filters.tail_mass(SMALL.hyena.filter, SMALL.width, params, length))
        for length in (0, 8, 40)]
    self.assertAlmostEqual(masses[0], 1.0, places=5)
    self.assertBetween(masses[1], 0.001, 0.5)
    self.assertEqual(masses[2], 0.0)

  @parameterized.parameters('A', 'M')
  def test_flops_are_those_that_xla_counts(self, pattern):
    # Wide, and one block of each kind, since XLA counts the body of a loop once.
    model_config = config.ModelConfig(
        pattern=pattern, layers=1, width=256, mlp_width=512,
        memory=config.MemoryConfig(heads=2, block=64),
        attention=config.AttentionConfig(heads=2, window=64, block=64),
        ngram=config.NgramConfig(orders=''))
    model = spectral_gpt.make_model(model_config)
    params = jax.eval_shape(model.init, jax.random.key(0))
    lowered = jax.jit(model.apply).lower(params, tokens(64), model.initial_state(2))
    counted = lowered.compile().cost_analysis()['flops'] / 128
    formula = spectral_gpt.training_flops_per_byte(model_config, segment=64) / 3
    self.assertBetween(counted / formula, 0.9, 1.1)

  def test_a_config_that_is_not_allowed_is_refused(self):
    with self.assertRaisesRegex(ValueError, "config.model.pattern='HXA'.*H .Hyena."):
      spectral_gpt.make_model(config.ModelConfig(pattern='HXA', layers=3))


def describe_nano() -> str:
  """One line per parameter of the nano preset: path, shape, type."""
  model = spectral_gpt.make_model(config.from_config_dict(nano.get_config()).model)
  shapes = jax.eval_shape(model.init, jax.random.key(0))
  lines = [
      f'{path}/{name} {tuple(leaf.shape)} {leaf.dtype}'
      for path, module in sorted(shapes.items()) for name, leaf in sorted(module.items())
  ]
  return '\n'.join(lines) + '\n'


if __name__ == '__main__':
  import sys

  if '--write_golden' in sys.argv:
    GOLDEN.write_text(describe_nano())
  else:
    absltest.main()
