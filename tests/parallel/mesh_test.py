"""Tests of the data mesh."""

import jax
import numpy as np
from absl.testing import absltest

from haiku_spectral.parallel import mesh as meshes

jax.config.update('jax_num_cpu_devices', 8)


class MeshTest(absltest.TestCase):

  def test_holds_all_devices_or_those_given(self):
    self.assertEqual(meshes.data_mesh().shape, {'data': 8})
    self.assertEqual(meshes.data_mesh(jax.devices()[:2]).shape, {'data': 2})

  def test_rows_lie_in_order(self):
    mesh = meshes.data_mesh()
    rows = {'x': np.arange(32).reshape(16, 2)}
    placed = meshes.place_rows(mesh, rows)['x']
    np.testing.assert_array_equal(placed, rows['x'])
    for shard, device in zip(placed.addressable_shards, mesh.devices, strict=True):
      self.assertEqual(shard.device, device)
      np.testing.assert_array_equal(shard.data[:, 0], rows['x'][shard.index[0], 0])
      self.assertEqual(shard.data.shape, (2, 2))

  def test_rows_that_cannot_be_shared_evenly_are_refused(self):
    mesh = meshes.data_mesh()
    meshes.check_rows(mesh, 32, 4)
    with self.assertRaisesRegex(
        ValueError, 'batch_size=24 cannot be shared evenly by 8 devices with '
        'config.train.accumulation=2 micro-batches each: give a multiple of 16 rows'):
      meshes.check_rows(mesh, 24, 2)


if __name__ == '__main__':
  absltest.main()
