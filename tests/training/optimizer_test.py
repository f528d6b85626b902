"""Tests of the schedules and of the optimiser's groups."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl.testing import absltest, parameterized

from haiku_spectral.training import optimizer
from tests.training import stand_in

PEAK, STEPS, WARMUP = 0.02, 100, 10


def schedule(name, **fields):
  config = stand_in.make_config(steps=STEPS, optimizer={
      'learning_rate': PEAK, 'schedule': name, 'warmup_steps': WARMUP, **fields})
  return np.asarray(jax.vmap(optimizer.learning_rate(config))(jnp.arange(STEPS)))


class ScheduleTest(parameterized.TestCase):

  @parameterized.parameters('cosine', 'wsd')
  def test_warms_up_to_the_peak_and_ends_at_the_final_fraction(self, name):
    rates = schedule(name, final_fraction=0.1)
    np.testing.assert_allclose(rates[:WARMUP], PEAK * np.arange(1, WARMUP + 1) / WARMUP, rtol=1e-5)
    self.assertAlmostEqual(rates.max(), PEAK, places=7)
    self.assertAlmostEqual(rates[-1], 0.1 * PEAK, places=7)
    self.assertTrue(np.all(np.diff(rates[WARMUP:]) <= 1e-9))
    self.assertTrue(np.all(rates > 0))

  def test_wsd_is_stable_until_its_decay(self):
    rates = schedule('wsd', decay_fraction=0.2)
    np.testing.assert_allclose(rates[WARMUP : 80], PEAK, rtol=1e-6)
    self.assertLess(rates[85], PEAK)

  def test_wsd_agrees_for_any_number_of_steps_until_one_decays(self):
    short = schedule('wsd')
    config = stand_in.make_config(steps=10 * STEPS, optimizer={
        'learning_rate': PEAK, 'schedule': 'wsd', 'warmup_steps': WARMUP})
    long = jax.vmap(optimizer.learning_rate(config))(jnp.arange(80))
    np.testing.assert_array_equal(short[:80], long)

  def test_cosine_is_half_way_down_half_way(self):
    rates = schedule('cosine', final_fraction=0.0, warmup_steps=1)
    self.assertAlmostEqual(rates[50], PEAK / 2, places=4)

  @parameterized.product(name=('cosine', 'wsd'), steps=(1, 2, 3), warmup=(0, 1))
  def test_even_the_shortest_training_has_a_rate(self, name, steps, warmup):
    if warmup >= steps:
      return
    config = stand_in.make_config(
        steps=steps, optimizer={'schedule': name, 'warmup_steps': warmup})
    rates = jax.vmap(optimizer.learning_rate(config))(jnp.arange(steps))
    self.assertTrue(np.all(np.isfinite(rates) & (rates > 0)))

  @parameterized.parameters(
      ('cosine', 0.2, 0.1, [6e-4, 3e-3, 3e-3, 1.4578747795894742e-3, 3e-4, 3e-4]),
      ('wsd', 0.2, 0.1, [6e-4, 3e-3, 3e-3, 3e-3, 3e-4, 3e-4]),
      ('wsd', 1.0, 0.0, [6e-4, 2.2499999031424522e-3, 2.0625e-3, 9.37500037252903e-4, 0.0, 0.0]))
  def test_rates_that_runs_of_before_had(self, name, decay_fraction, final_fraction, expected):
    config = stand_in.make_config(steps=17, optimizer={
        'learning_rate': 3e-3, 'schedule': name, 'warmup_steps': 5,
        'decay_fraction': decay_fraction, 'final_fraction': final_fraction})
    # The first step, the end of the warm-up and after it, on the way, the last step and beyond.
    rates = jax.jit(jax.vmap(optimizer.learning_rate(config)))(jnp.array([0, 4, 5, 11, 16, 19]))
    np.testing.assert_array_max_ulp(np.asarray(rates), np.float32(expected), maxulp=1)

  def test_each_phase_has_its_own_rule(self):
    config = stand_in.make_config(curriculum=stand_in.make_phases(steps=(10, 12, 8)))
    rates = np.asarray(jax.vmap(optimizer.learning_rate(config))(jnp.arange(32)))
    first = 0
    for phase, steps in zip(config.curriculum, (12, 12, 8), strict=True):  # 12: 4 are short ones.
      alone = stand_in.make_config(steps=steps, optimizer=dataclasses.asdict(phase.rate))
      np.testing.assert_allclose(
          rates[first:first + steps],
          jax.vmap(optimizer.learning_rate(alone))(jnp.arange(steps)), rtol=1e-6)
      first += steps


class GroupsTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.params = {
        'spectral_gpt/embedding': {'table': jnp.ones((4, 3))},
        'spectral_gpt/norm': {'scale': jnp.ones(3)},
        'spectral_gpt/stack/block/norm': {'scale': jnp.ones((2, 3))},
        'spectral_gpt/stack/block/in': {'w': jnp.ones((2, 3, 3))},
        'spectral_gpt/stack/block/hyena/filter': {'out_w': jnp.ones((2, 3, 3))},
    }

  def updates(self, grads, **fields):
    config = stand_in.make_config(optimizer={
        'learning_rate': 0.01, 'warmup_steps': 0, 'filter_learning_rate_scale': 0.25, **fields})
    transform = optimizer.make_optimizer(config)
    found, _ = transform.update(grads, transform.init(self.params), self.params, step=0)
    return {module.split('/')[-1] + str(next(iter(values.values())).ndim):
            next(iter(values.values())) for module, values in found.items()}

  def test_without_gradients_only_matrices_outside_filters_decay(self):
    found = self.updates(jax.tree.map(jnp.zeros_like, self.params), weight_decay=0.1)
    for name in ('embedding2', 'in3'):
      np.testing.assert_allclose(found[name], -0.01 * 0.1, rtol=1e-5)
    for name in ('norm1', 'norm2', 'filter3'):
      np.testing.assert_array_equal(found[name], 0)

  def test_filters_take_their_share_of_the_learning_rate(self):
    found = self.updates(jax.tree.map(jnp.ones_like, self.params), weight_decay=0.0)
    np.testing.assert_allclose(found['filter3'], 0.25 * found['in3'], rtol=1e-5)
    np.testing.assert_allclose(found['norm1'][0], found['in3'][0, 0, 0], rtol=1e-5)

  def test_filters_do_not_move_at_scale_zero(self):
    grads = jax.tree.map(jnp.ones_like, self.params)
    found = self.updates(grads, filter_learning_rate_scale=0.0)
    np.testing.assert_array_equal(found['filter3'], 0)
    self.assertGreater(float(jnp.abs(found['in3']).min()), 0)

  def test_the_norm_over_all_groups_is_clipped(self):
    big = jax.tree.map(lambda x: 1e3 * x, self.params)
    config = stand_in.make_config(optimizer={'clip_norm': 2.0})
    transform = optimizer.make_optimizer(config)
    _, state = transform.update(big, transform.init(self.params), self.params, step=0)
    first_moments = state[1].mu  # (1 - b1) times the clipped gradient.
    norm = jnp.sqrt(sum(jnp.sum(m**2) for m in jax.tree.leaves(first_moments)))
    self.assertAlmostEqual(float(norm), (1 - 0.9) * 2.0, places=5)

  def test_the_rate_is_that_of_the_named_step_not_of_the_calls(self):
    config = stand_in.make_config(steps=50, optimizer={'warmup_steps': 10, 'weight_decay': 0.0})
    transform = optimizer.make_optimizer(config)
    grads = jax.tree.map(jnp.ones_like, self.params)
    state = transform.init(self.params)
    early, _ = transform.update(grads, state, self.params, step=0)
    late, _ = transform.update(grads, state, self.params, step=4)
    chex.assert_trees_all_close(jax.tree.map(lambda u: 5 * u, early), late, rtol=1e-6)


class MuonTest(absltest.TestCase):

  def update(self, params, grads, **fields):
    config = stand_in.make_config(steps=STEPS, optimizer={
        'learning_rate': PEAK, 'warmup_steps': 0, 'weight_decay': 0.0, 'clip_norm': 1e9, **fields})
    transform = optimizer.make_optimizer(config)
    updates, _ = jax.jit(transform.update)(
        grads, transform.init(params), params, step=jnp.int32(0))
    return jax.device_get(updates)

  def setUp(self):
    super().setUp()
    random = np.random.default_rng(0)
    # A layer stack of two, a head, and what is no matrix between layers.
    shapes = {'m/stack/hyena/in': {'w': (2, 16, 8)}, 'm/head': {'table': (16, 8)},
              'm/stack/memory/decay': {'w': (2, 16, 4)}, 'm/stack/hyena/filter': {'w': (2, 8, 8)}}
    self.params, self.grads = (
        {path: {name: random.standard_normal(shape).astype(np.float32)
                for name, shape in leaves.items()} for path, leaves in shapes.items()}
        for _ in range(2))

  def test_directions_of_a_matrix_move_alike_whatever_their_gradient(self):
    grads = jax.tree.map(lambda x: x, self.grads)
    grads['m/stack/hyena/in']['w'][:, 0] *= 100
    moved = self.update(self.params, grads, kind='muon', matrix_learning_rate_scale=2.0)
    for layer in moved['m/stack/hyena/in']['w']:
      singular = np.linalg.svd(layer, compute_uv=False) / (2.0 * PEAK)
      self.assertBetween(singular.min(), 0.4, singular.max())  # Newton-Schulz: near 1.
      self.assertLess(singular.max(), 1.4)
    self.assertLess(np.sum(moved['m/stack/hyena/in']['w'] * grads['m/stack/hyena/in']['w']), 0)

  def test_all_else_moves_as_with_adam_of_nesterov_momentum(self):
    muon = self.update(self.params, self.grads, kind='muon', filter_learning_rate_scale=0.5)
    adam = optax.scale_by_adam(b1=0.9, b2=0.95, nesterov=True)
    expected, _ = adam.update(self.grads, adam.init(self.params))
    for path, scale in (('m/head', 1.0), ('m/stack/memory/decay', 1.0),
                        ('m/stack/hyena/filter', 0.5)):
      chex.assert_trees_all_close(
          muon[path], jax.tree.map(lambda u, scale=scale: -scale * PEAK * u, expected[path]),
          rtol=1e-5)


if __name__ == '__main__':
  absltest.main()
