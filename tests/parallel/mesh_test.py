"""Tests of the data mesh."""

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.parallel import mesh as meshes

jax.config.update('jax_num_cpu_devices', 8)


class MeshTest(parameterized.TestCase):

  def test_holds_all_devices_or_those_given(self):
    self.assertEqual(meshes.data_mesh().shape, {'data': 8, 'fsdp': 1, 'sequence': 1})
    self.assertEqual(meshes.data_mesh(jax.devices()[:2]).shape['data'], 2)

  def test_a_mesh_by_its_flag(self):
    sizes = meshes.parse('sequence:2, data:4')
    self.assertEqual(sizes, {'data': 4, 'fsdp': 1, 'sequence': 2})
    self.assertEqual(meshes.make_mesh(sizes).shape, sizes)
    self.assertEqual(meshes.parse(meshes.describe(sizes)), sizes)

  @parameterized.parameters('', 'rows:2', 'data', 'data:0', 'data:-1', 'data:2,data:4', 'data:x')
  def test_what_is_no_mesh_is_refused(self, text):
    with self.assertRaisesRegex(ValueError, 'no axis with a size. Give each of data, fsdp, seq'):
      meshes.parse(text)

  def test_a_mesh_of_other_devices_than_there_are_is_refused(self):
    with self.assertRaisesRegex(
        ValueError, 'data:2,fsdp:2,sequence:1 is one of 4 devices, and there are 8'):
      meshes.make_mesh(meshes.parse('data:2,fsdp:2'))

  def test_time_is_cut_into_slices(self):
    mesh = meshes.make_mesh(meshes.parse('data:2,sequence:4'))
    ids = np.arange(16).reshape(2, 8)
    placed = meshes.place_rows(mesh, {'ids': ids, 'rows': np.arange(2)})
    np.testing.assert_array_equal(placed['ids'], ids)
    for row in range(2):
      for cut in range(4):
        shard, = (shard.data for shard in placed['ids'].addressable_shards
                  if shard.device == mesh.devices[row, 0, cut])
        np.testing.assert_array_equal(shard, ids[row:row + 1, 2 * cut:2 * cut + 2])

  def test_segments_that_cannot_be_cut_evenly_are_refused(self):
    mesh = meshes.make_mesh(meshes.parse('sequence:8'))
    meshes.check_lengths(mesh, {'a': 64})
    with self.assertRaisesRegex(
        ValueError, "'warm' of 36 bytes cannot be cut into 8 slices .* a multiple of 8 bytes"):
      meshes.check_lengths(mesh, {'a': 64, "'warm'": 36})

  def test_rows_lie_in_order(self):
    mesh = meshes.data_mesh()
    rows = {'x': np.arange(32).reshape(16, 2)}
    placed = meshes.place_rows(mesh, rows)['x']
    np.testing.assert_array_equal(placed, rows['x'])
    for shard, device in zip(placed.addressable_shards, mesh.devices.flat, strict=True):
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
