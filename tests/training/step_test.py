"""Tests of the training step: what it learns, skips, scales, and where its types stay."""

import contextlib
import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import config as configs
from haiku_spectral.modules import precision
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import gradients, heldout, leaves, loss, loss_scale, state, step
from tests.training import stand_in

MESH = meshes.data_mesh(jax.devices()[:1])
MODEL = stand_in.make_model()


@functools.cache
def stepper(config):
  return step.make_train_step(MODEL, config, MESH)


def rows(config, number):
  batch = stand_in.make_batch(config, number)
  return meshes.place_rows(
      MESH, gradients.Rows(
          batch.inputs, batch.targets, batch.reset, batch.sources, batch.stream_start))


def run(config, count, first=None, start=0):
  """State and metrics after some steps; the state that is given is not consumed."""
  current = jax.tree.map(jnp.copy, first) if first else stand_in.start(config, MESH)
  history = []
  for number in range(start, start + count):
    current, found = stepper(config)(current, rows(config, number))
    history.append(jax.device_get(found))
  return current, history


@contextlib.contextmanager
def compilations():
  """The durations of the compilations within the `with` block."""
  found = []

  def note(event, duration, **unused):
    if event == '/jax/core/compile/backend_compile_duration':
      found.append(duration)

  jax.monitoring.register_event_duration_secs_listener(note)
  yield found
  jax.monitoring.unregister_event_duration_listener(note)


def poisoned(current, value):
  """The state with parameters that make every loss and gradient `value`."""
  params = jax.tree.map(jnp.copy, current.params)
  params['spectral_gpt/head']['b'] = jnp.full_like(params['spectral_gpt/head']['b'], value)
  return current._replace(params=params)


class HiddenRowsTest(absltest.TestCase):

  def test_each_row_in_its_turn(self):
    config = configs.Config(train=configs.TrainConfig(hide_contexts=3))
    found = np.array([step.hidden_rows(config, number, 4).long for number in range(6)])
    np.testing.assert_array_equal(found.sum(axis=0), 2)
    np.testing.assert_array_equal(found[:3], found[3:])
    self.assertTrue(np.all(found.sum(axis=1) <= 2))
    self.assertIsNone(step.hidden_rows(configs.Config(), 0, 4))

  def test_the_count_memory_takes_part_in_the_last_share_of_the_steps(self):
    config = configs.Config(
        model=configs.ModelConfig(counts=configs.CountsConfig(orders='2')),
        train=configs.TrainConfig(steps=10, counts_share=0.3))
    found = np.array([step.hidden_rows(config, number, 2).counts for number in range(10)])
    np.testing.assert_array_equal(found, np.repeat([[True], [False]], [7, 3], axis=0) & [True] * 2)
    whole = dataclasses.replace(config, train=configs.TrainConfig(steps=10, counts_share=1.0))
    self.assertIsNone(step.hidden_rows(whole, 0, 2))


class StepTest(parameterized.TestCase):

  @parameterized.parameters('float32', 'bfloat16', 'float16')
  def test_learns_in_every_precision_with_float32_parameters(self, name):
    config = stand_in.make_config(precision=name, optimizer={'learning_rate': 0.05})
    last, history = run(config, 12)
    means = [h.loss.nats / h.loss.targets for h in history]
    self.assertTrue(np.all(np.isfinite(means)))
    self.assertLess(np.mean(means[-3:]), np.mean(means[:3]) - 0.3)
    for leaf in jax.tree.leaves((last.params, last.opt_state[1].mu)):
      self.assertEqual(leaf.dtype, jnp.float32)
    for leaf in jax.tree.leaves(last.carry):
      self.assertEqual(leaf.dtype, jnp.dtype(name))

  @parameterized.parameters('float32', 'bfloat16', 'float16')
  def test_the_loss_is_that_of_parameters_rounded_to_the_precision(self, name):
    config = stand_in.make_config(precision=name, stateful_rows=0)
    batch = rows(config, 0)
    params = jax.device_get(stand_in.start(config, MESH).params)

    def loss_in(dtype):
      logits, _ = MODEL.apply(
          precision.cast_params(params, dtype), batch.inputs, MODEL.initial_state(8, dtype))
      return float(loss.next_byte_loss(logits, batch.targets).nats.sum())

    _, (found,) = run(config, 1)
    errors = {other: abs(loss_in(jnp.dtype(other)) / found.loss.nats - 1)
              for other in ('float32', 'bfloat16', 'float16')}
    self.assertLess(errors.pop(name), 1e-6)
    self.assertGreater(min(errors.values()), 2e-6)

  def test_only_the_first_step_compiles(self):
    config = stand_in.make_config(steps=13)  # Of no other test.
    batches = [rows(config, number) for number in range(4)]
    current = stand_in.start(config, MESH)
    with compilations() as first:
      current, _ = stepper(config)(current, batches[0])
    with compilations() as later:
      for batch in batches[1:]:
        current, _ = stepper(config)(current, batch)
    self.assertNotEmpty(first)
    self.assertEmpty(later)

  def test_metrics_name_step_and_rate(self):
    config = stand_in.make_config(optimizer={'warmup_steps': 4, 'learning_rate': 0.02})
    last, history = run(config, 3)
    self.assertEqual(int(last.step), 3)
    np.testing.assert_allclose(
        [h.learning_rate for h in history], [0.005, 0.01, 0.015], rtol=1e-6)
    self.assertEqual(history[-1].loss.targets, (rows(config, 2).targets != 256).sum())

  def test_without_stateful_rows_there_is_no_carry(self):
    last, _ = run(stand_in.make_config(stateful_rows=0), 2)
    self.assertIsNone(last.carry)


class GuardedStepTest(parameterized.TestCase):

  @parameterized.parameters(np.nan, np.inf)
  def test_a_step_that_is_not_finite_changes_no_parameter_and_no_moment(self, value):
    config = stand_in.make_config()
    before, _ = run(config, 2)
    bad = poisoned(before, value)
    after, (found,) = run(config, 1, bad, start=2)
    chex.assert_trees_all_equal(after.params, bad.params)
    chex.assert_trees_all_equal(after.opt_state, bad.opt_state)
    chex.assert_tree_all_finite(jax.device_get(after.carry))
    self.assertEqual((found.skipped, found.consecutive, int(after.step)), (1, 1, 3))
    healed, (found,) = run(config, 1, after._replace(params=before.params), start=3)
    self.assertEqual((found.skipped, found.consecutive), (1, 0))
    self.assertFalse(np.array_equal(
        healed.params['spectral_gpt/head']['w'], before.params['spectral_gpt/head']['w']))

  def test_a_spike_is_skipped(self):
    config = stand_in.make_config(guard={'average_steps': 2, 'spike_factor': 3.0})
    before, _ = run(config, 4)
    params = dict(before.params)
    table = params['spectral_gpt/embedding']['table']
    params['spectral_gpt/embedding'] = {'table': table * 1e-3}  # Long gradients, finite loss.
    params['spectral_gpt/head'] = {
        'w': 200 * params['spectral_gpt/head']['w'], 'b': params['spectral_gpt/head']['b']}
    wild = before._replace(params=params)
    after, (found,) = run(config, 1, wild, start=4)
    self.assertGreater(found.gradient_norm, 3 * found.grad_norm_ema)
    self.assertEqual(found.skipped, 1)
    chex.assert_trees_all_equal(after.params, wild.params)


class LengthTest(absltest.TestCase):

  def test_a_state_goes_on_in_longer_segments(self):
    config = stand_in.make_config(
        stateful_rows=8, optimizer={'learning_rate': 1e-12, 'warmup_steps': 0})
    ids = np.random.default_rng(0).integers(0, 256, (8, 17)).astype(np.int32)

    def read(*cuts):
      current, nats = stand_in.start(config, MESH), 0.0
      for start, end in zip((0, *cuts), (*cuts, 16), strict=True):
        batch = gradients.Rows(ids[:, start:end], ids[:, start + 1:end + 1],
                               np.full(8, start == 0), np.zeros(8, np.int32),
                               np.zeros((8, end - start), bool))
        current, found = stepper(config)(current, meshes.place_rows(MESH, batch))
        nats += float(found.loss.nats)
      return jax.device_get(current.carry.past), nats

    (carry, nats), (expected, whole) = read(4, 8), read()
    np.testing.assert_allclose(carry, expected, rtol=1e-5, atol=1e-6)
    self.assertAlmostEqual(nats / whole, 1, places=6)


class LossScaleTest(parameterized.TestCase):

  def test_an_overflow_halves_the_scale_and_skips(self):
    config = stand_in.make_config(precision='float16')
    first = stand_in.start(config, MESH)
    self.assertEqual(float(first.loss_scale.scale), loss_scale.INITIAL_SCALE)
    huge = first._replace(loss_scale=first.loss_scale._replace(scale=jnp.float32(2.0**100)))
    after, (found,) = run(config, 1, huge)
    self.assertEqual(float(after.loss_scale.scale), 2.0**99)
    self.assertEqual(found.skipped, 1)
    chex.assert_trees_all_equal(after.params, first.params)

  def test_the_scale_grows_after_many_finite_steps_and_never_falls_below_one(self):
    scale = loss_scale.LossScale(jnp.float32(8.0), jnp.int32(loss_scale.GROWTH_STEPS - 1))
    grown = loss_scale.adjust(scale, jnp.bool_(True))
    self.assertEqual((float(grown.scale), int(grown.counter)), (16.0, 0))
    shrunk = scale
    for _ in range(9):
      shrunk = loss_scale.adjust(shrunk, jnp.bool_(False))
    self.assertEqual((float(shrunk.scale), int(shrunk.counter)), (1.0, 0))

  def test_other_precisions_have_none(self):
    self.assertIsNone(loss_scale.initial_loss_scale('bfloat16'))
    self.assertIsNone(loss_scale.adjust(None, jnp.bool_(False)))
    self.assertEqual(loss_scale.factor(None), 1.0)

  def test_the_scale_leaves_gradient_norms_as_they_are(self):
    config = stand_in.make_config(precision='float16')
    first = stand_in.start(config, MESH)
    smaller = first._replace(loss_scale=first.loss_scale._replace(scale=jnp.float32(2.0**12)))
    (one,), (other,) = run(config, 1, first)[1], run(config, 1, smaller)[1]
    np.testing.assert_allclose(one.gradient_norm, other.gradient_norm, rtol=1e-3)


class StoredStateTest(parameterized.TestCase):

  @parameterized.parameters(('float32', 0), ('float32', 4), ('float16', 8))
  def test_a_stored_state_goes_on_bitwise(self, name, stateful_rows):
    config = stand_in.make_config(precision=name, stateful_rows=stateful_rows)
    middle, _ = run(config, 3)
    params, training = (
        leaves.to_leaves(tree) for tree in (middle.params, state.stored(middle, stateful_rows)))
    for name, leaf in training.items():
      if name.startswith('carry'):
        self.assertEqual(leaf.shape[1], stateful_rows)
    back = state.place(MESH, state.restored(params, training, MODEL, config))
    straight, before = run(config, 3, middle, start=3)
    resumed, after = run(config, 3, back, start=3)
    chex.assert_trees_all_equal(after, before)
    chex.assert_trees_all_equal(resumed.params, straight.params)
    chex.assert_trees_all_equal(resumed.opt_state, straight.opt_state)

  def test_a_restored_state_needs_no_other_program(self):
    config = stand_in.make_config()
    middle, _ = run(config, 3)
    params, training = (
        leaves.to_leaves(tree) for tree in (middle.params, state.stored(middle, 4)))
    back = state.place(MESH, state.restored(params, training, MODEL, config))
    batch = rows(config, 3)
    with compilations() as found:
      stepper(config)(back, batch)
    self.assertEmpty(found)

  def test_what_does_not_fit_is_named(self):
    config = stand_in.make_config()
    first = stand_in.start(config, MESH)
    params = leaves.to_leaves(first.params)
    with self.assertRaisesRegex(ValueError, r"'step' is not there: int32\[\] is wanted"):
      state.restored(params, {}, MODEL, config)
    params['spectral_gpt/head/b'] = np.zeros(3, np.float32)
    training = leaves.to_leaves(state.stored(first, 4))
    with self.assertRaisesRegex(
        ValueError, r"'spectral_gpt/head/b' is float32\[3\]: float32\[260\] is wanted"):
      state.restored(params, training, MODEL, config)


class HeldoutTest(absltest.TestCase):

  def test_is_the_sum_over_all_targets_of_windows_of_each_source(self):
    config = stand_in.make_config(batch_size=6)
    params = MODEL.init(jax.random.key(0))
    batches = [stand_in.make_batch(config, i) for i in range(3)]
    batches[1] = batches[1]._replace(
        inputs=batches[1].inputs[:5], targets=batches[1].targets[:5],
        sources=batches[1].sources[:5],
        stream_start=batches[1].stream_start[:5])  # A smaller last batch.
    loss_of = step.make_loss(MODEL, config, MESH)
    found = heldout.evaluate(loss_of, params, batches, 2, MESH, lambda: False)
    for source in range(2):
      own = [np.where((b.sources == source)[:, None], b.targets, 256) for b in batches]
      sums = [loss_of(params, b.inputs, targets, np.zeros(len(targets), int), b.stream_start)
              for b, targets in zip(batches, own, strict=True)]
      np.testing.assert_allclose(found.nats[source], sum(float(s.nats[0]) for s in sums), rtol=1e-6)
      self.assertEqual(found.targets[source], sum((targets != 256).sum() for targets in own))
    nothing = heldout.evaluate(loss_of, params, [], 2, MESH, lambda: False)
    self.assertEqual([x.tolist() for x in nothing], [[0, 0], [0, 0]])

  def test_stops_between_batches(self):
    config = stand_in.make_config()
    asked = []
    stop = lambda: asked.append(1) or len(asked) > 2
    params = MODEL.init(jax.random.key(0))
    batches = (stand_in.make_batch(config, i) for i in range(100))
    loss_of = step.make_loss(MODEL, config, MESH)
    self.assertIsNone(heldout.evaluate(loss_of, params, batches, 2, MESH, stop))
    self.assertLen(asked, 3)


if __name__ == '__main__':
  absltest.main()
