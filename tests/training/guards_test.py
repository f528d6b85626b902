"""Tests of the guards' rule; what a guarded step leaves alone is tested with the step."""

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import config as configs
from haiku_spectral.training import guards

CONFIG = configs.GuardConfig(spike_factor=5.0, average_steps=4, max_consecutive_skips=2)


@jax.jit
def judge(state, norm, loss=1.0):
  return guards.judge(state, jnp.float32(norm), jnp.float32(loss), CONFIG)


def after(norms):
  state, applied = guards.initial_guard(), []
  for norm in norms:
    apply, state = judge(state, norm)
    applied.append(bool(apply))
  return state, applied


class GuardsTest(parameterized.TestCase):

  @parameterized.parameters(np.nan, np.inf)
  def test_a_norm_that_is_not_finite_is_skipped_from_the_first_step_on(self, norm):
    state, applied = after([norm, 1.0, norm, norm])
    self.assertEqual(applied, [False, True, False, False])
    self.assertEqual((int(state.skipped), int(state.consecutive)), (3, 2))

  def test_a_loss_that_is_not_finite_is_skipped(self):
    apply, _ = judge(guards.initial_guard(), 1.0, jnp.nan)
    self.assertFalse(apply)

  def test_spikes_are_skipped_once_the_average_is_warm(self):
    _, applied = after([1.0, 100.0, 1.0, 1.0])
    self.assertEqual(applied, [True] * 4)
    state, applied = after([1.0] * 4 + [4.9, 100.0, 1.0])
    self.assertEqual(applied, [True] * 5 + [False, True])
    self.assertEqual((int(state.skipped), int(state.consecutive)), (1, 0))

  def test_skipped_norms_do_not_move_the_average(self):
    state, applied = after([1.0] * 4 + [100.0, np.nan] * 20)
    self.assertFalse(any(applied[4:]))
    self.assertAlmostEqual(float(guards.grad_norm_ema(state, CONFIG)), 1.0, places=5)

  def test_the_average_is_a_mean_from_the_first_step_on(self):
    for count in (1, 3, 30):
      state, _ = after([2.0] * count)
      self.assertAlmostEqual(float(guards.grad_norm_ema(state, CONFIG)), 2.0, places=5)
    state, _ = after([2.0] * 10 + [4.0] * 30)
    self.assertAlmostEqual(float(guards.grad_norm_ema(state, CONFIG)), 4.0, places=2)

  def test_too_many_in_a_row_say_what_happened_and_what_to_try(self):
    self.assertEqual(guards.reason_to_stop(
        7, consecutive=2, loss=1.0, gradient_norm=1.0, ema=1.0, config=CONFIG), '')
    self.assertRegex(
        guards.reason_to_stop(
            8, consecutive=3, loss=float('nan'), gradient_norm=12.0, ema=1.5, config=CONFIG),
        r'stopped at step 8: the last 3 steps were all skipped .*max_consecutive_skips=2.*'
        r'loss nan and gradient norm 12; the average norm is 1.5, and 5 times that is a spike. '
        r'Try, .*learning_rate')


if __name__ == '__main__':
  absltest.main()
