"""Tests of sharded parameters, and of a training step on a mesh of all axes."""

import collections
import functools
import re

import chex
import jax
import numpy as np
from absl.testing import absltest
from jax.sharding import PartitionSpec as P

from haiku_spectral.modules import spectral_gpt
from haiku_spectral.ops import fft_conv
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.parallel import sharding, traffic
from haiku_spectral.training import state
from tests.parallel import hlo, meshed

MIXED = 'data:2,fsdp:2,sequence:2'
CONFIG = meshed.make_config()


@functools.cache
def steps(text):
  current, losses = meshed.run(CONFIG, text, 3)
  return current, losses


class TableTest(absltest.TestCase):

  def test_the_first_rule_that_is_found_decides(self):
    for path, expected in {
        'spectral_gpt/embedding/table': P(None, 'fsdp'),
        'spectral_gpt/stack/block_0/mlp/out/w': P(None, 'fsdp', None),
        'spectral_gpt/stack/block_0/mlp/in/w': P(None, None, 'fsdp'),
        'spectral_gpt/stack/block_0/norm_mlp/scale': P(),
        'spectral_gpt/stack/block_0/memory/decay/w': P(),
        'spectral_gpt/stack/block_0/hyena/filter/out_w': P(),
    }.items():
      self.assertEqual(sharding.spec(path), expected, path)

  def test_what_every_device_holds_is_a_small_part(self):
    like = state.abstract_state(spectral_gpt.make_model(meshed.configs.ModelConfig()), CONFIG)
    sizes = {True: 0, False: 0}
    for module, named in like.params.items():
      for name, value in named.items():
        sizes[sharding.is_sharded(sharding.spec(f'{module}/{name}'))] += value.size
    self.assertLess(sizes[False], 0.05 * sizes[True])

  def test_widths_that_have_no_shares_are_refused(self):
    like = state.abstract_state(spectral_gpt.make_model(meshed.MODEL), CONFIG)
    sharding.check(meshed.make_mesh('fsdp:8'), like.params)
    with self.assertRaisesRegex(
        ValueError, 'with 16 columns or rows cannot be sharded evenly over 3 devices: give'):
      sharding.check(meshed.make_mesh('fsdp:3'), like.params)


class ShardedStepTest(absltest.TestCase):

  def test_parameters_and_moments_are_created_and_stay_in_shards(self):
    model = spectral_gpt.make_model(meshed.MODEL)
    first = state.start(model, CONFIG, meshed.make_mesh(MIXED))
    expected = state.start(model, CONFIG, meshed.make_mesh('data:1'))
    chex.assert_trees_all_equal(*map(jax.device_get, (first.params, expected.params)))
    for current in (first, steps(MIXED)[0]):
      sharded = 0
      for tree in (current.params, current.opt_state):
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
          held = {shard.device: shard.data.size for shard in leaf.addressable_shards}
          share = leaf.size // next(iter(held.values()))
          sharded += share > 1
          if jax.tree_util.keystr(path[-2:]) == "['spectral_gpt/embedding']['table']":
            self.assertEqual(share, 2, path)
      self.assertGreater(sharded, 30)

  def test_steps_are_those_of_one_device(self):
    (one, losses), (many, found) = steps('data:1'), steps(MIXED)
    np.testing.assert_allclose(found, losses, rtol=1e-5)
    for got, want in zip(jax.tree.leaves(many.carry), jax.tree.leaves(one.carry), strict=True):
      if np.issubdtype(want.dtype, np.integer):
        np.testing.assert_array_equal(got, want)  # The exact memory's state.
      else:
        np.testing.assert_allclose(got, want, atol=2e-3 * np.abs(want).max())


class ProgramTest(absltest.TestCase):
  """What the compiled step does on a mesh of all axes."""

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.mesh = meshed.make_mesh(MIXED)
    rows = meshes.place_rows(cls.mesh, meshed.make_rows(CONFIG, 0))
    cls.text = meshed.stepper(CONFIG, MIXED).lower(steps(MIXED)[0], rows).compile().as_text()
    cls.collectives = hlo.collectives(cls.text)

  def test_only_parameters_are_gathered(self):
    params = steps(MIXED)[0].params
    whole = {value.shape[-2:] for named in params.values() for value in named.values()
             if value.ndim > 1}
    gathered = [each for each in self.collectives if each.kind == 'all-gather']
    self.assertNotEmpty(gathered)
    for each in gathered:
      self.assertEqual(hlo.axes(each, self.mesh), ('fsdp',), each)
      dims = tuple(int(n) for n in re.findall(r'\[([\d,]+)\]', each.shape)[0].split(','))
      self.assertIn(dims[-2:], whole, each)
    self.assertEmpty([each for each in self.collectives if each.kind == 'all-to-all'])

  def test_transforms_are_of_the_rows_and_slices_of_one_device(self):
    rows, length = meshed.ROWS // 4, meshed.SEGMENT // 2
    size = fft_conv.transform_size(length + meshed.MODEL.hyena.filter.horizon - 1)
    shapes = re.findall(r'= \w+\[([\d,]+)\]\S* fft\(', self.text)
    self.assertNotEmpty(shapes)
    for shape in shapes:
      dims = [int(n) for n in shape.split(',')]
      self.assertIn(dims[-1], (size, size // 2 + 1), shape)
      self.assertLessEqual(np.prod(dims[:-1]), rows * meshed.MODEL.width, shape)

  def test_sends_the_bytes_of_the_formula(self):
    found = collections.Counter()
    for each in self.collectives:
      found[hlo.axes(each, self.mesh)] += hlo.sent(each)
    found.pop((), None)  # A sum over one device.
    expected = traffic.per_step(CONFIG, self.mesh.shape)
    for axes, sent in expected.items():
      print(f'{axes}: {found[axes]:.0f} bytes, by the formula {sent:.0f}')
    for axes in found | expected:
      # Single numbers are not in the formula; counts that are the same in all layers cross once.
      self.assertLess(abs(found[axes] - expected.get(axes, 0.0)),
                      0.01 * expected.get(axes, 0.0) + 1000, axes)


if __name__ == '__main__':
  absltest.main()
