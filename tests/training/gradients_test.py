"""Tests of loss and gradients over devices, micro-batches and carried states."""

import dataclasses
import functools
import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import config as configs
from haiku_spectral import vocab
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import gradients, loss
from tests.modules.random_params import random_params
from tests.training import stand_in

jax.config.update('jax_num_cpu_devices', 8)

ROWS = 16
REAL = configs.ModelConfig(
    pattern='HMA', layers=3, width=16, mlp_width=16,
    hyena=configs.HyenaConfig(filter=configs.FilterConfig(
        horizon=32, sinusoids=4, hidden=8, max_time_constant=8.0)),
    memory=configs.MemoryConfig(heads=2, block=8),
    attention=configs.AttentionConfig(heads=2, window=16, block=8),
    ngram=configs.NgramConfig(orders='1,3', slots=64))


def make_rows(config, step=3):
  batch = stand_in.make_batch(config, step)
  return gradients.Rows(
          batch.inputs, batch.targets, batch.reset, batch.sources, batch.stream_start)


def assert_close(found, expected, tolerance=1e-5):
  """Every leaf to a relative tolerance of its norm, or to a hundredth of that of the whole tree's:
  where the terms of a leaf cancel, rounding is that of the terms."""
  whole = math.sqrt(sum(float(np.square(x).sum()) for x in jax.tree.leaves(expected)))

  def check(a, b):
    error = np.linalg.norm(np.asarray(a, np.float64) - b)
    limit = tolerance * max(np.linalg.norm(np.asarray(b, np.float64)), 0.01 * whole)
    assert error <= limit + 1e-12, f'{error} > {limit} at shape {np.shape(b)}'

  chex.assert_trees_all_equal_shapes(found, expected)
  jax.tree.map(check, found, expected)


@functools.cache
def run(real, devices, accumulation, carried=True, chunk=0):
  """Gradients of the same batch, cut among devices, micro-batches and chunks of time."""
  config = stand_in.make_config(batch_size=ROWS, segment=32, stateful_rows=8)
  model = spectral_gpt.make_model(REAL) if real else stand_in.make_model()
  params = random_params(REAL) if real else jax.jit(model.init)(jax.random.key(0))
  mesh = meshes.data_mesh(jax.devices()[:devices])
  carry = None
  if carried:
    carry = jax.tree.map(
        lambda x: (0.1 * jnp.cos(jnp.arange(x.size)).reshape(x.shape)).astype(x.dtype),
        model.initial_state(ROWS, jnp.float32))
  compute = jax.jit(gradients.make_gradients(
      model, mesh, dtype=jnp.float32, accumulation=accumulation, sources=2, chunk=chunk))
  return jax.device_get(compute(params, carry, make_rows(config), 1.0))


class GradientsTest(parameterized.TestCase):

  def test_rows_score_unequal_numbers_of_bytes(self):
    config = stand_in.make_config(batch_size=ROWS, segment=32, stateful_rows=8)
    counts = (make_rows(config).targets != vocab.PAD).sum(axis=1)
    self.assertGreater(counts.max(), 3 * (counts.min() + 1))
    self.assertGreater(len(set(counts)), ROWS // 2)

  @parameterized.parameters(
      (True, 4, 2), (False, 8, 1), (False, 1, 4), (False, 4, 2), (False, 2, 8))
  def test_devices_and_micro_batches_change_nothing(self, real, devices, accumulation):
    found, expected = run(real, devices, accumulation), run(real, 1, 1)
    self.assertEqual(found.loss.targets, expected.loss.targets)
    assert_close(found, expected)

  @parameterized.parameters((True, 4, 2, 8), (False, 1, 1, 16), (False, 2, 1, 64))
  def test_chunks_change_nothing(self, real, devices, accumulation, chunk):
    assert_close(run(real, devices, accumulation, chunk=chunk), run(real, 1, 1))

  def test_the_sums_of_the_sources_are_those_of_their_rows(self):
    found, rows = run(False, 4, 2), make_rows(
        stand_in.make_config(batch_size=ROWS, segment=32, stateful_rows=8))
    self.assertEqual(found.by_source.targets.tolist(), [
        (rows.targets[rows.sources == source] != vocab.PAD).sum() for source in range(2)])
    assert_close(found.by_source.nats.sum(), found.loss.nats)
    model = stand_in.make_model()
    alone = jax.jit(gradients.make_gradients(
        model, meshes.data_mesh(jax.devices()[:1]), dtype=jnp.float32, accumulation=1, sources=2))
    other = np.where((rows.sources == 1)[:, None], vocab.PAD, rows.targets)
    params, carry = jax.jit(model.init)(jax.random.key(0)), model.initial_state(ROWS)
    whole, part = (alone(params, carry, rows._replace(targets=targets), 1.0)
                   for targets in (rows.targets, other))
    assert_close(whole.by_source.nats[0], part.loss.nats)
    self.assertEqual(part.by_source.targets[1], 0)

  def test_are_those_of_the_global_mean(self):
    config = stand_in.make_config(batch_size=ROWS, segment=32, stateful_rows=8)
    model, rows = stand_in.make_model(), make_rows(config)
    params = jax.jit(model.init)(jax.random.key(0))

    @jax.jit
    @jax.value_and_grad
    def mean(params):
      logits, _ = model.apply(params, rows.inputs, model.initial_state(ROWS))
      sums = loss.next_byte_loss(logits, rows.targets)
      return sums.nats.sum() / sums.targets.sum()

    value, expected = mean(params)
    found = run(False, 8, 2, carried=False)
    assert_close(found.gradients, expected)
    assert_close(found.loss.nats / found.loss.targets, value)
    self.assertIsNone(found.carry)

  def test_the_loss_scale_multiplies_gradients_and_nothing_else(self):
    model, mesh = stand_in.make_model(), meshes.data_mesh(jax.devices()[:1])
    compute = jax.jit(gradients.make_gradients(
        model, mesh, dtype=jnp.float32, accumulation=1, sources=2))
    params, rows = jax.jit(model.init)(jax.random.key(0)), make_rows(stand_in.make_config())
    carry = model.initial_state(8)
    one, many = compute(params, carry, rows, 1.0), compute(params, carry, rows, 1024.0)
    assert_close(many.gradients, jax.tree.map(lambda g: 1024 * g, one.gradients), 1e-6)
    chex.assert_trees_all_equal(many[1:], one[1:])


class AccumulateTest(parameterized.TestCase):

  @parameterized.parameters(1, 2, 8)
  def test_gradients_are_summed_and_rows_keep_their_order(self, parts):
    x = jnp.arange(8.0)
    rows = gradients.Rows(x[:, None], x, x > 3, x.astype(int), x[:, None] < 0)
    state = stand_in.State(10 * x[None, :, None])  # [1, B, 1]

    def loss_of(params, rows, state, weight):
      sums = loss.LossSum(params * rows.targets, rows.sources)
      return weight * jnp.sum(params**2 * rows.targets), (sums, stand_in.State(state.past + 1))

    found, sums, after = jax.jit(functools.partial(gradients.accumulate, loss_of, parts=parts))(
        jnp.float32(3.0), rows, state, weight=jnp.float32(0.5))
    self.assertEqual(float(found), 0.5 * 2 * 3.0 * 28)
    np.testing.assert_array_equal(sums.nats, 3 * x)
    np.testing.assert_array_equal(sums.targets, np.arange(8))
    np.testing.assert_array_equal(after.past, 10 * x[None, :, None] + 1)


class HistoryTest(absltest.TestCase):

  def test_the_exact_memory_knows_what_stood_before_rows_that_have_a_history(self):
    config = dataclasses.replace(
        REAL, pattern='M', match=configs.MatchConfig(length=3, slots=64, ring=512), layers=1)
    model = spectral_gpt.make_model(config)
    ids = np.random.default_rng(0).integers(97, 100, (3, 40), np.int32)
    ids[1] = vocab.PAD  # Has none.
    ids[2, :25] = vocab.PAD
    starts = np.zeros(ids.shape, bool)
    starts[2, 25] = True
    carried = jax.tree.map(lambda x: x + jnp.ones((), x.dtype), model.initial_state(3))
    state = spectral_gpt.reset(carried, np.array([True, False, True]), model.initial_state(3))
    found = jax.jit(functools.partial(gradients.remember, model))(state, ids, starts)
    chex.assert_trees_all_equal(found.blocks, state.blocks)
    params, apply = random_params(config), jax.jit(model.apply)
    for row, text, memories in ((0, ids[:1], 2), (2, ids[2:, 25:], 1)):
      _, read = apply(params, text, model.initial_state(1))
      # The match memory counts places, the padding among them.
      for got, want in zip(found.readers[:memories], read.readers[:memories], strict=True):
        chex.assert_trees_all_equal(
            jax.tree.map(lambda x, row=row: x[:, row : row + 1], got), want)
    chex.assert_trees_all_equal(*(
        jax.tree.map(lambda x: x[:, 1], each.readers) for each in (found, carried)))


class CarryTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.model = stand_in.make_model()
    self.config = stand_in.make_config()
    self.params = jax.jit(self.model.init)(jax.random.key(0))
    self.rows = make_rows(self.config)
    self.old = stand_in.State(jax.random.normal(jax.random.key(1), (1, 8, stand_in.WIDTH)))
    mesh = meshes.data_mesh(jax.devices()[:1])
    self.compute = jax.jit(gradients.make_gradients(
        self.model, mesh, dtype=jnp.float32, accumulation=1, sources=2))

  def after(self, state):
    return jax.jit(self.model.apply)(self.params, self.rows.inputs, state)[1].past

  def test_states_are_carried_and_reset_exactly_where_rows_say_so(self):
    reset = np.array([True, False, False, True, False, True, True, False])
    found = self.compute(self.params, self.old, self.rows._replace(reset=reset), 1.0).carry.past
    carried, initial = self.after(self.old), self.after(self.model.initial_state(8))
    np.testing.assert_allclose(found[:, ~reset], carried[:, ~reset], atol=1e-6)
    np.testing.assert_allclose(found[:, reset], initial[:, reset], atol=1e-6)
    self.assertGreater(float(jnp.abs(carried - initial).max()), 0.1)

  def test_the_carried_past_changes_the_loss(self):
    stale = self.rows._replace(reset=np.zeros(8, bool))
    with_past = self.compute(self.params, self.old, stale, 1.0)
    without = self.compute(self.params, self.model.initial_state(8), stale, 1.0)
    self.assertGreater(abs(float(with_past.loss.nats - without.loss.nats)), 0.1)

  def test_a_reset_wipes_out_what_is_not_finite(self):
    broken = jax.tree.map(lambda x: x.at[0, 2].set(jnp.nan), self.old)
    reset = np.arange(8) == 2
    found = self.compute(self.params, broken, self.rows._replace(reset=reset), 1.0)
    chex.assert_tree_all_finite(jax.device_get(found))

  def test_no_state_that_is_not_finite_is_handed_on(self):
    broken = jax.tree.map(lambda x: x.at[0, 2].set(jnp.nan), self.old)
    stale = self.rows._replace(
        reset=np.zeros(8, bool), targets=np.full_like(self.rows.targets, 65))
    found = self.compute(self.params, broken, stale, 1.0)
    self.assertTrue(np.isnan(found.loss.nats))
    chex.assert_tree_all_finite(jax.device_get(found.carry))


if __name__ == '__main__':
  absltest.main()
