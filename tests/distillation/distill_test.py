"""Distillation: the same model but for its filters, which are as close as it says they are."""

import dataclasses
import functools
import pathlib

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from absl import logging
from absl.testing import absltest, parameterized

from haiku_spectral import config
from haiku_spectral.distillation import distill, filter_errors
from haiku_spectral.modules import filters, spectral_gpt
from haiku_spectral.training import checkpoint, run_folder
from haiku_spectral.training import state as train_states
from tests.decoding import tiny_model

FILTER = 'spectral_gpt/stack/block_0/hyena/filter'
NAME = '0/block_0/hyena/filter'
OLD = tiny_model.CONFIG.hyena.filter


@functools.cache
def distilled(modes):
  return distill.distill(tiny_model.CONFIG, tiny_model.params(), modes=modes)


def own_params(params):
  return {name: np.asarray(value)[0] for name, value in params[FILTER].items()}


def respond(filter_config, params, x):  # [T, D] -> [T, D]
  """What a filter of the model makes of an input."""
  kind = filters.FILTERS[filter_config.kind]
  def run(x):
    empty = kind.initial_state(filter_config, 1, x.shape[-1], jnp.float32)
    return kind(filter_config, x.shape[-1])(x, empty)[0]

  apply = jax.jit(hk.without_apply_rng(hk.transform(run)).apply)
  return np.asarray(apply({'filter': own_params(params)}, x[np.newaxis]))[0]


class DistillTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    logging.set_verbosity(logging.ERROR)  # Orbax logs much.

  def test_with_enough_modes_it_is_the_same_model(self):
    found = distilled(12)
    self.assertLess(max(errors.l2.max() for errors in found.errors.values()), 1e-2)
    tokens = np.random.default_rng(0).integers(0, 256, (2, 70))
    model = spectral_gpt.make_model(found.config)
    apply = jax.jit(model.apply)
    logits, _ = apply(found.params, tokens, model.initial_state(2))
    wanted, _ = jax.jit(tiny_model.MODEL.apply)(
        tiny_model.params(), tokens, tiny_model.MODEL.initial_state(2))
    scale = np.std(wanted)
    np.testing.assert_allclose(logits, wanted, atol=0.02 * scale)
    # A filter that did nothing would be noticed.
    silent = {**found.params, FILTER: {
        **found.params[FILTER], 'gain': np.zeros_like(found.params[FILTER]['gain'])}}
    other, _ = apply(silent, tokens, model.initial_state(2))
    self.assertGreater(np.abs(other - wanted).max(), 0.1 * scale)

  def test_all_but_the_filters_stays(self):
    found, params = distilled(3), tiny_model.params()
    self.assertEqual(found.config, dataclasses.replace(
        tiny_model.CONFIG, hyena=dataclasses.replace(
            tiny_model.CONFIG.hyena, filter=found.config.hyena.filter)))
    changed = {FILTER}
    chex.assert_trees_all_equal(
        {path: own for path, own in found.params.items() if path not in changed},
        {path: own for path, own in params.items() if path not in changed})
    like = jax.eval_shape(
        spectral_gpt.make_model(found.config).init, jax.random.key(0))
    chex.assert_trees_all_equal_shapes_and_dtypes(found.params, like)

  def test_no_input_is_answered_further_off_than_the_bound_and_the_worst_comes_near(self):
    found, errors = distilled(3), distilled(3).errors[NAME]
    modal, length = found.config.hyena.filter, 4 * OLD.horizon
    taps = filter_errors.taps_of(OLD, own_params(tiny_model.params()))
    long = dataclasses.replace(modal, horizon=length)
    difference = filter_errors.taps_of(long, own_params(found.params)).copy()
    difference[:OLD.horizon] -= taps
    worst = np.sign(difference[::-1])
    off = np.abs(respond(OLD, tiny_model.params(), worst) - respond(modal, found.params, worst))
    self.assertTrue(np.all(off.max(axis=0) <= errors.bound * (1 + 1e-4)))
    np.testing.assert_allclose(off[-1], errors.bound, rtol=1e-2)

  @parameterized.parameters(1, 3)
  def test_errors_obey_what_no_approximation_escapes(self, modes):
    errors = distilled(modes).errors[NAME]
    taps = filter_errors.taps_of(OLD, own_params(tiny_model.params())).astype(np.float64)
    for channel, column in enumerate(taps.T):
      # Adamyan, Arov and Krein 1971: the singular value behind the rank, N complex pairs' here.
      beyond = scipy.linalg.svdvals(scipy.linalg.hankel(column))[2 * modes]
      self.assertGreaterEqual(errors.bound[channel], beyond)
    np.testing.assert_allclose(errors.l1, errors.bound / np.abs(taps).sum(axis=0))
    self.assertTrue(np.all(errors.l2 < 1))

  def test_more_modes_than_the_taps_need_do_no_harm_in_float32(self):
    self.assertLess(distilled(24).errors[NAME].l2.max(), 0.02)

  def test_state_is_of_the_modes_not_of_the_horizon(self):
    old, new = distill.state_bytes(tiny_model.CONFIG), distill.state_bytes(distilled(3).config)
    self.assertEqual(old[0], 4 * (OLD.horizon - 1) * tiny_model.CONFIG.width)
    self.assertEqual(new[0], 4 * 2 * 3 * tiny_model.CONFIG.width)
    self.assertEqual(old[1] - new[1], old[0] - new[0])

  def test_a_silent_channel_stays_silent(self):
    params = tiny_model.params()
    params[FILTER]['gain'][0, 5] = 0
    found = distill.distill(tiny_model.CONFIG, params, modes=2)
    taps = filter_errors.taps_of(found.config.hyena.filter, own_params(found.params))
    self.assertEqual(np.abs(taps[:, 5]).max(), 0)
    self.assertEqual(found.errors[NAME].l2[5], 0)
    self.assertTrue(np.all(np.abs(np.delete(taps, 5, axis=1)).max(axis=0) > 0))

  def test_progress_counts_channels(self):
    reported = []
    distill.distill(tiny_model.CONFIG, tiny_model.params(), modes=1, on_progress=reported.append)
    self.assertEqual(sum(reported), distill.num_channels(tiny_model.params()))
    self.assertEqual(sum(reported), tiny_model.CONFIG.width)

  def test_the_run_that_is_written_can_be_read_and_trained_on(self):
    found = distilled(3)
    run_dir = pathlib.Path(self.create_tempdir().full_path) / 'modal'
    whole = config.Config(model=found.config)
    distill.write_run(run_dir, whole, found.params, 7)
    read, params, step = checkpoint.load_params(run_dir)
    self.assertEqual((read, step), (whole, 7))
    chex.assert_trees_all_equal(params, found.params)
    stored = checkpoint.restore_latest(run_dir)
    state = train_states.restored(
        stored.params, stored.training, spectral_gpt.make_model(whole.model), whole)
    self.assertEqual(state.step, 7)
    chex.assert_trees_all_equal(state.params, found.params)
    self.assertTrue((run_dir / run_folder.CONFIG).is_file())

  def test_mistakes(self):
    params = tiny_model.params()
    with self.assertRaisesRegex(ValueError, 'modes=0 is not allowed: give 1 or more'):
      distill.distill(tiny_model.CONFIG, params, modes=0)
    with self.assertRaisesRegex(ValueError, "kind='modal': the long filters are sums of exponent"):
      distill.distill(distilled(3).config, distilled(3).params, modes=2)
    without = dataclasses.replace(tiny_model.CONFIG, pattern='MA', layers=2)
    with self.assertRaisesRegex(ValueError, "pattern='MA' has no H"):
      distill.distill(without, {path: own for path, own in params.items() if path != FILTER},
                      modes=2)


if __name__ == '__main__':
  absltest.main()
