"""A checkpoint of one mesh is restored on another: bitwise the same, and in its shards."""

import pathlib

import chex
import jax
import numpy as np
from absl import logging
from absl.testing import absltest

from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import checkpoint, checkpoint_store, leaves, state
from tests.parallel import meshed

CONFIG = meshed.make_config()
MODEL = spectral_gpt.make_model(meshed.MODEL)


class RemeshTest(absltest.TestCase):

  def test_saved_on_data_restored_on_fsdp_and_on_one_device(self):
    logging.set_verbosity(logging.ERROR)
    run_dir = pathlib.Path(self.create_tempdir().full_path)
    saved = state.start(MODEL, CONFIG, meshed.make_mesh('data:8'))
    store = checkpoint_store.Store(run_dir, keep_latest=1)
    store.save(3, saved.params, state.stored(saved, CONFIG.data.stateful_rows), {})
    store.close()
    expected = jax.device_get(saved)
    for text in ('fsdp:4', 'data:1', 'data:2,fsdp:2,sequence:2'):
      found = checkpoint.restore_latest(run_dir)
      whole = state.restored(found.params, found.training, MODEL, CONFIG)
      placed = state.place(meshed.make_mesh(text), whole)
      chex.assert_trees_all_equal(jax.device_get(placed), expected)
      table = placed.params['spectral_gpt/embedding']['table']
      held = table.addressable_shards[0].data.size
      self.assertEqual(held * table.sharding.mesh.shape['fsdp'], table.size)


class DigestTest(absltest.TestCase):

  def test_is_the_same_for_any_shards_and_of_every_element(self):
    values = np.random.default_rng(0).normal(size=(3, 8, 24)).astype(np.float32)
    expected = leaves.digests({'x': values})
    for cuts in ((8, 1), (1, 8), (2, 3)):
      total, (rows, columns) = 0, cuts
      for i in range(rows):
        for j in range(columns):
          index = (slice(None), slice(i * 8 // rows, (i + 1) * 8 // rows),
                   slice(j * 24 // columns, (j + 1) * 24 // columns))
          total += leaves.part_sum(values[index], index, values.shape)
      self.assertEqual(expected['x'].split()[-1], f'{total % 2**32:08x}')
    for change in (lambda x: x[::-1], lambda x: x[:, ::-1], lambda x: np.nextafter(x, 9)):
      changed = values.copy()
      changed[:2, :, 5:7] = change(values[:2, :, 5:7])
      self.assertNotEqual(leaves.digests({'x': changed}), expected)

  def test_every_type_that_is_saved(self):
    for value in (np.bool_(True), np.float64(3.5), np.arange(70_000, dtype=np.uint32),
                  np.arange(6).reshape(2, 3), jax.numpy.ones((2, 2), jax.numpy.bfloat16)):
      whole = np.asarray(value)
      found, other = leaves.digests({'x': whole}), leaves.digests({'x': whole + whole})
      self.assertEqual(found, leaves.digests({'x': value}))
      if whole.dtype != bool:
        self.assertNotEqual(found, other)


if __name__ == '__main__':
  absltest.main()
