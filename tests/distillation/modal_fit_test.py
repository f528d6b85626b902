"""Sums of exponentials fitted to taps: exact where they can be, optimal where they cannot."""

from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.distillation import modal_fit

HORIZON = 128


def exponentials(poles, weights, length=HORIZON):  # [N], [N] -> [T]
  return (np.asarray(poles, complex) ** np.arange(length)[:, None] @ np.asarray(weights)).real


def faded_noise(time_constant, seed=0):  # [S]
  """Taps of the hardest kind: white under a decay, and zero at the horizon."""
  lags = np.arange(HORIZON)
  fade = 0.5 * (1 + np.cos(np.pi * np.clip(4 * lags / HORIZON - 3, 0, 1)))
  return np.random.default_rng(seed).normal(size=HORIZON) * np.exp(-lags / time_constant) * fade


def distance(taps, modes):
  """Relative l2 error over four horizons."""
  found = exponentials(*modal_fit.fit(taps, modes), length=4 * HORIZON)
  found[:HORIZON] -= taps
  return np.linalg.norm(found) / np.linalg.norm(taps)


class ModalFitTest(parameterized.TestCase):

  def test_finds_the_exponentials_that_taps_were_made_of(self):
    # Turning, turning fast, standing, alternating.
    poles = np.array([0.88 * np.exp(0.4j), 0.8 * np.exp(2.9j), 0.6, -0.85])
    weights = np.array([1 - 2j, 0.5j, 3, -1])
    found, found_weights = modal_fit.fit(exponentials(poles, weights), 6)
    for pole, weight in zip(poles, weights, strict=True):
      i = np.argmin(np.abs(found - pole))
      self.assertLess(abs(found[i] - pole), 1e-5)
      self.assertLess(abs(found_weights[i] - weight), 1e-4)

  @parameterized.parameters((3.0,), (0.0, -2.0), (1.0, -2.0, 0.5))
  def test_taps_at_the_first_lags_alone(self, *first):
    taps = np.zeros(HORIZON)
    taps[:len(first)] = first
    self.assertLess(distance(taps, 8), 1e-2)

  @parameterized.parameters(1.0, 4.0, 12.0)
  def test_taps_of_low_rank_are_met_closely(self, time_constant):
    self.assertLess(distance(faded_noise(time_constant), 32), 2e-3)

  def test_more_modes_are_closer_and_the_energy_left_is_what_it_should_be(self):
    errors = [distance(faded_noise(12.0), modes) for modes in (1, 4, 16, 32)]
    self.assertSequenceEqual(errors, sorted(errors, reverse=True))
    self.assertLess(errors[0], 1.0)  # Nothing at all would be 1.
    self.assertLess(errors[2], 0.5)
    self.assertLess(errors[3], 0.02)

  def test_better_than_balanced_truncation_where_modes_are_few(self):
    taps = faded_noise(40.0)
    with mock.patch.object(modal_fit, 'ROUNDS', 0):
      truncated = distance(taps, 12)
    self.assertLess(distance(taps, 12), 0.9 * truncated)

  @parameterized.product(modes=(1, 7, 70), taps=('white', 'zero', 'rising', 'one tap'))
  def test_stable_and_of_allowed_time_constants_whatever_the_taps(self, modes, taps):
    taps = {
        'white': faded_noise(1e9), 'zero': np.zeros(HORIZON), 'one tap': np.eye(HORIZON)[-1],
        'rising': np.exp(np.arange(HORIZON) / 20) / 1e5}[taps]
    poles, weights = modal_fit.fit(taps, modes)
    self.assertEqual(poles.shape, (modes,))
    self.assertEqual(weights.shape, (modes,))
    time_constants = -1 / np.log(np.abs(poles))
    self.assertGreaterEqual(time_constants.min(), modal_fit.FASTEST * (1 - 1e-9))
    self.assertLessEqual(time_constants.max(), modal_fit.SLOWEST * HORIZON * (1 + 1e-9))
    self.assertTrue(np.isfinite(weights).all())
    self.assertLessEqual(distance(taps, modes) if taps.any() else np.abs(weights).max(), 1.0)


if __name__ == '__main__':
  absltest.main()
