import functools

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.config import FilterConfig
from haiku_spectral.modules import filters
from tests import chunk_law

CHANNELS = 64


@functools.cache
def taps(kind: str, horizon: int, max_time_constant: float = 64.0) -> np.ndarray:  # [S, D]
  config = FilterConfig(
      kind=kind, horizon=horizon, max_time_constant=max_time_constant, modes=8)
  init, apply = hk.transform(lambda: filters.FILTERS[kind](config, CHANNELS).taps())
  return np.asarray(apply(jax.jit(init)(jax.random.key(0)), None))


class FiltersTest(parameterized.TestCase):

  @parameterized.product(kind=('network', 'modal'), horizon=(512, 2048))
  def test_unit_energy_in_every_channel_at_any_horizon(self, kind, horizon):
    np.testing.assert_allclose(np.sum(taps(kind, horizon) ** 2, axis=0), 1.0, rtol=2e-3)

  def test_output_variance_is_that_of_the_input_in_every_channel(self):
    noise = chunk_law.normal(60_000, 1)
    for kind in filters.FILTERS:
      variance = [np.var(np.convolve(noise[:, 0], tap)) for tap in taps(kind, 512)[:, ::8].T]
      np.testing.assert_allclose(variance, 1.0, atol=0.12, err_msg=kind)

  def test_a_lag_has_the_same_features_whatever_the_horizon(self):
    np.testing.assert_array_equal(
        filters.lag_features(64, 8), filters.lag_features(4096, 8)[:64])

  def test_taps_fade_on_their_time_constants_and_end_smoothly_at_the_horizon(self):
    slowest = np.abs(taps('network', 512)[:, -1])
    self.assertLess(slowest[320:].max(), 0.05 * slowest[:64].max())
    end = np.abs(filters.fade(512))
    self.assertEqual(end[383], 1.0)
    self.assertLess(end[-1], 1e-3)
    self.assertLess(np.abs(np.diff(end)).max(), 0.02)

  def test_time_constants_of_the_modes_stay_within_their_bounds(self):
    config = FilterConfig(kind='modal', modes=4, min_time_constant=3.0, max_time_constant=50.0)
    run = hk.transform(lambda: filters.ModalFilter(config, 2)._modes())
    params = run.init(jax.random.key(0))
    for extreme in (-1e3, 1e3):
      pushed = hk.data_structures.map(
          lambda _, name, x, to=extreme: jnp.full_like(x, to) if name == 'time_constant' else x,
          params)
      log_pole, _ = run.apply(pushed, None)
      time_constants = -1 / np.asarray(log_pole.real)
      self.assertGreaterEqual(time_constants.min(), 3.0 * (1 - 1e-5))
      self.assertLessEqual(time_constants.max(), 50.0 * (1 + 1e-5))

  def test_modal_filter_equals_its_taps_written_out(self):
    config = FilterConfig(kind='modal', modes=4, horizon=300, max_time_constant=20.0)
    def run(x):
      module = filters.ModalFilter(config, 3)
      empty = module.initial_state(config, 2, 3, jnp.float32)
      return module(x, empty)[0], module.taps()

    x = chunk_law.normal(2, 100, 3)
    init, apply = hk.without_apply_rng(hk.transform(run))
    y, h = apply(init(jax.random.key(1), x), x)
    h = np.asarray(h, np.float64)
    expected = [[np.convolve(row[:, d], h[:, d])[:100] for d in range(3)] for row in x]
    np.testing.assert_allclose(y, np.moveaxis(expected, 1, 2), atol=1e-5)


if __name__ == '__main__':
  absltest.main()
