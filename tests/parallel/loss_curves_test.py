"""The same training on every mesh: loss curves of 50 steps, bitwise identical on the same mesh."""

import functools

import chex
import jax
import numpy as np
from absl.testing import absltest, parameterized

from tests.parallel import meshed

STEPS = 50
MESHES = ('data:8', 'fsdp:8', 'sequence:8', 'data:2,fsdp:2,sequence:2')


@functools.cache
def run(kind, text):
  return jax.device_get(meshed.run(meshed.make_config(kind), text, STEPS))


class LossCurvesTest(parameterized.TestCase):

  # Muon takes singular values near zero for what rounding makes of them, and scales them up.
  @parameterized.parameters(
      *(('adamw', text, 1e-5) for text in MESHES), *(('muon', text, 5e-4) for text in MESHES))
  def test_a_mesh_changes_no_loss(self, kind, text, tolerance):
    _, expected = run(kind, 'data:1')
    self.assertLess(expected[-1], expected[0] - 0.5)
    _, found = run(kind, text)
    error = np.abs(np.array(found) / expected - 1)
    print(f'{kind} {text}: {error[:15].max():.1e} in 15 steps, {error.max():.1e} in {STEPS}')
    self.assertLess(error[:15].max(), 1e-5)
    self.assertLess(error.max(), tolerance)

  @parameterized.parameters(*MESHES)
  def test_a_mesh_repeats_itself_bitwise(self, text):
    found = jax.device_get(meshed.run(meshed.make_config('muon'), text, STEPS))
    chex.assert_trees_all_equal(found, run('muon', text))


if __name__ == '__main__':
  absltest.main()
