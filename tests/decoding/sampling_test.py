"""Each sampling rule does what its name says, and choosing follows the distribution left."""

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import context, sampling
from tests.fixed_examples import fixed_examples

V = vocab.SIZE
SETTINGS = fixed_examples(25)
# Few values, so that equal logits are common.
LOGITS = hnp.arrays(
    np.float32, (2, V), elements=st.sampled_from([-30.0, -2.0, -1.0, 0.0, 0.5, 3.0]))


def allowed(logits):
  return np.isfinite(np.asarray(logits))


def softmax(logits):
  return np.asarray(jax.nn.softmax(jnp.asarray(logits), axis=-1), np.float64)


class RulesTest(parameterized.TestCase):

  @hypothesis.given(LOGITS, st.integers(1, V + 5))
  @SETTINGS
  def test_top_k_keeps_exactly_k_and_none_better_is_dropped(self, logits, k):
    kept = allowed(sampling.keep_top_k(jnp.asarray(logits), k))
    np.testing.assert_array_equal(kept.sum(axis=1), min(k, V))
    for row, mask in zip(logits, kept, strict=True):
      self.assertGreaterEqual(row[mask].min(), row[~mask].max(initial=-np.inf))

  @hypothesis.given(LOGITS, st.floats(0.01, 0.999))
  @SETTINGS
  def test_top_p_keeps_the_fewest_that_reach_p(self, logits, p):
    kept = allowed(sampling.keep_top_p(jnp.asarray(logits), p))
    for probs, mask in zip(softmax(logits), kept, strict=True):
      self.assertGreaterEqual(probs[mask].sum(), p - 1e-5)
      self.assertLess(probs[mask].sum() - probs[mask].min(), p + 1e-5)
      self.assertGreaterEqual(probs[mask].min(), probs[~mask].max(initial=0) - 1e-7)

  @hypothesis.given(LOGITS, st.floats(0.001, 1))
  @SETTINGS
  def test_min_p_keeps_what_has_a_share_of_the_best(self, logits, p):
    kept = allowed(sampling.keep_min_p(jnp.asarray(logits), p))
    shares = softmax(logits) / softmax(logits).max(axis=1, keepdims=True)
    np.testing.assert_array_equal(kept[shares > p * 1.001], True)
    np.testing.assert_array_equal(kept[shares < p * 0.999], False)
    np.testing.assert_array_equal(kept.sum(axis=1) > 0, True)

  def test_only_bytes(self):
    kept = allowed(sampling.only_bytes(jnp.zeros((1, V)), end_of_document=False))[0]
    np.testing.assert_array_equal(np.flatnonzero(kept), np.arange(256))
    kept = allowed(sampling.only_bytes(jnp.zeros((1, V)), end_of_document=True))[0]
    np.testing.assert_array_equal(np.flatnonzero(kept), [*range(256), vocab.BOUNDARY])

  def test_repetition_penalty_on_recent_ids_of_the_own_row_alone(self):
    logits = jnp.log(jnp.full((2, V), 1 / V))
    recent = jnp.array([[5, 5, vocab.PAD], [7, 8, 9]])
    penalized = np.asarray(sampling.penalize_repetition(logits, recent, 2.0))
    changed = np.abs(penalized - logits) > 1e-3
    self.assertEqual(
        np.argwhere(changed).tolist(), [[0, 5], [0, vocab.PAD], [1, 7], [1, 8], [1, 9]])
    np.testing.assert_allclose(penalized[changed], -2 * np.log(V), rtol=1e-5)

  def test_repetition_penalty_leaves_certain_bytes_and_ignores_the_origin(self):
    logits = jnp.zeros((1, V)).at[0, 5].set(50.0)
    recent = jnp.array([[5]])
    penalized = sampling.penalize_repetition(logits, recent, 1.5)
    self.assertEqual(int(jnp.argmax(penalized)), 5)
    np.testing.assert_allclose(
        penalized, sampling.penalize_repetition(logits - 80, recent, 1.5), atol=1e-3)

  @hypothesis.given(LOGITS, st.integers(0, 9), st.sampled_from([0.05, 0.7, 1.0]),
                    st.sampled_from([0.0, 0.2, 1.0]), st.sampled_from([0.0, 0.5, 3.0]))
  @SETTINGS
  def test_something_is_always_left_and_it_is_a_byte(self, logits, k, p, min_p, temperature):
    config = sampling.SamplingConfig(
        temperature=temperature, top_k=k, top_p=p, min_p=min_p, repetition_penalty=1.3)
    recent = jnp.full((2, context.RECENT), 3)
    keys = jax.random.split(jax.random.key(0), 2)
    chosen = sampling.choose(keys, jnp.asarray(logits), recent, config)
    self.assertTrue((chosen < 256).all())
    self.assertEqual(chosen.dtype, jnp.int32)


class LogProbsTest(absltest.TestCase):

  def test_sum_to_one_over_bytes_and_the_end(self):
    logits = jax.random.normal(jax.random.key(0), (2, V)).at[0, vocab.TURN].set(30.0)
    found = np.asarray(sampling.log_probs(logits))
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-5)
    kept = [*range(256), vocab.BOUNDARY]
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(found[0])), kept)
    # Differences of logits are differences of log-probabilities.
    np.testing.assert_allclose(
        np.diff(found[:, kept]), np.diff(np.asarray(logits)[:, kept]), atol=1e-5)


class ChooseTest(parameterized.TestCase):

  def _draw(self, logits, count=4000, **fields):
    recent = jnp.full((count, context.RECENT), vocab.PAD)
    keys = jax.random.split(jax.random.key(1), count)
    chosen = sampling.choose(
        keys, jnp.tile(logits, (count, 1)), recent, sampling.SamplingConfig(**fields))
    return np.bincount(np.asarray(chosen), minlength=V) / count

  def test_frequencies_are_the_probabilities(self):
    logits = jnp.full(V, -jnp.inf).at[jnp.array([1, 2, 3])].set(jnp.log(jnp.array([0.6, 0.3, 0.1])))
    np.testing.assert_allclose(self._draw(logits)[1:4], [0.6, 0.3, 0.1], atol=0.03)
    # Temperature 1/2 squares probabilities.
    squares = np.array([0.36, 0.09, 0.01])
    np.testing.assert_allclose(
        self._draw(logits, temperature=0.5)[1:4], squares / squares.sum(), atol=0.03)
    np.testing.assert_allclose(self._draw(logits, top_k=2)[1:4], [2 / 3, 1 / 3, 0], atol=0.03)
    np.testing.assert_allclose(self._draw(logits, top_p=0.5)[1:4], [1, 0, 0])
    np.testing.assert_allclose(self._draw(logits, min_p=0.4)[1:4], [2 / 3, 1 / 3, 0], atol=0.03)

  @parameterized.parameters(
      {'temperature': 0}, {'temperature': 0.5}, {'top_p': 0.4}, {'min_p': 0.3},
      {'temperature': 2.0, 'top_p': 0.7, 'min_p': 0.1}, {})
  def test_rules_of_rows_choose_what_those_of_all_would(self, **fields):
    count = 50
    config = sampling.SamplingConfig(**fields)
    other = sampling.SamplingConfig(temperature=1.5, top_p=0.9)
    logits = jax.random.normal(jax.random.key(3), (count, V)) * 3
    recent = jnp.full((count, context.RECENT), vocab.PAD)
    keys = jax.random.split(jax.random.key(1), count)
    mixed = sampling.row_rules([config, other] * (count // 2))
    found = sampling.choose(keys, logits, recent, sampling.SamplingConfig(), mixed)
    for start, rules in ((0, config), (1, other)):
      want = sampling.choose(keys, logits, recent, rules)
      np.testing.assert_array_equal(found[start::2], want[start::2])

  def test_greedy_takes_the_best_byte_even_where_a_special_is_better(self):
    logits = jnp.zeros(V).at[vocab.TURN].set(9.0).at[65].set(3.0)
    self.assertEqual(self._draw(logits, temperature=0)[65], 1)

  @parameterized.parameters(0.0, 1e-30, 1e-38, 1e-45, 1e-300)
  def test_tiny_temperatures_are_greedy(self, temperature):
    logits = jax.random.normal(jax.random.key(2), (V,)) * 30
    best = int(jnp.argmax(logits[:256]))
    self.assertEqual(self._draw(logits, count=64, temperature=temperature, top_p=0.9)[best], 1)

  @parameterized.parameters(1e-19, 1e-10, 1e-4)
  def test_small_temperatures_tend_to_greedy(self, temperature):
    logits = jax.random.normal(jax.random.key(2), (V,)) * 30
    best = int(jnp.argmax(logits[:256]))
    self.assertEqual(self._draw(logits, count=64, temperature=temperature)[best], 1)

  def test_extreme_values_leave_a_byte(self):
    logits = jnp.zeros((1, V)).at[0, 65].set(80.0)
    recent = jnp.full((1, context.RECENT), 65).at[0, :].set(jnp.arange(context.RECENT))
    config = sampling.SamplingConfig(
        repetition_penalty=sampling.MAX_PENALTY, repetition_window=context.RECENT, top_k=10**30,
        top_p=1e-300, min_p=1e-300)
    keys = jax.random.split(jax.random.key(0), 1)
    self.assertLess(int(sampling.choose(keys, logits, recent, config)[0]), 256)
    self.assertEqual(int(sampling.choose(keys, logits, recent, config)[0]), 65)

  def test_end_of_document_only_when_asked_for(self):
    logits = jnp.zeros(V).at[vocab.BOUNDARY].set(9.0)
    self.assertEqual(self._draw(logits, temperature=0)[vocab.BOUNDARY], 0)
    self.assertEqual(self._draw(logits, temperature=0, end_of_document=True)[vocab.BOUNDARY], 1)

  def test_window_of_repetition_ends(self):
    logits = jnp.zeros((1, V)).at[0, 65].set(0.1)
    recent = jnp.full((1, context.RECENT), vocab.PAD).at[0, -3].set(65)
    for window, best in ((2, 65), (3, 0)):
      config = sampling.SamplingConfig(
          temperature=0, repetition_penalty=2.0, repetition_window=window)
      self.assertEqual(int(sampling.choose(None, logits, recent, config)[0]), best)

  @parameterized.parameters(
      ('temperature', -1.0, '0 .greedy. or a positive number'), ('temperature', float('nan'), '0'),
      ('temperature', float('inf'), '0'), ('top_k', -1, '0 .off. or a positive number'),
      ('top_p', 0.0, 'more than 0, at most 1'), ('top_p', 1.5, 'more than 0, at most 1'),
      ('min_p', -0.1, '0 .off. to 1'), ('repetition_penalty', 0.5, '1 .off. to 1,000,000'),
      ('repetition_penalty', 1e9, '1 .off. to 1,000,000'),
      ('repetition_window', 0, '1 to 256'), ('repetition_window', 257, '1 to 256'))
  def test_values_are_checked(self, field, value, allowed_values):
    with self.assertRaisesRegex(
        ValueError, f'{field}={value} is not allowed: give {allowed_values}'):
      sampling.SamplingConfig(**{field: value})


if __name__ == '__main__':
  absltest.main()
