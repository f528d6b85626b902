"""Tests of sharded parameters and optimiser states, and of gradients on a mesh."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest
from jax.sharding import PartitionSpec as P

from haiku_spectral.modules import spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.parallel import sharding
from haiku_spectral.training import gradients, state
from tests.parallel import meshed

MIXED = 'data:2,fsdp:2,sequence:2'
CONFIG = meshed.make_config()


class TableTest(absltest.TestCase):

  def test_the_first_rule_that_is_found_decides(self):
    for path, expected in {
        'spectral_gpt/embedding/table': P(None, 'fsdp'),
        'spectral_gpt/stack/block_0/mlp/out/w': P(None, 'fsdp', None),
        'spectral_gpt/stack/block_0/mlp/in/w': P(None, None, 'fsdp'),
        'spectral_gpt/stack/block_2/memory/gate_in/w': P(None, 'fsdp', None),
        'spectral_gpt/stack/block_2/memory/gate_out/w': P(None, None, 'fsdp'),
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


class ShardedStateTest(absltest.TestCase):

  def test_parameters_and_moments_are_created_in_shards(self):
    model = spectral_gpt.make_model(dataclasses.replace(
        meshed.MODEL, pattern='M', layers=1, ngram=meshed.configs.NgramConfig(orders='')))
    first = state.start(model, CONFIG, meshed.make_mesh(MIXED))
    expected = state.start(model, CONFIG, meshed.make_mesh('data:1'))
    chex.assert_trees_all_equal(*map(jax.device_get, (first.params, expected.params)))
    sharded = 0
    for tree in (first.params, first.opt_state):
      for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        held = {shard.device: shard.data.size for shard in leaf.addressable_shards}
        share = leaf.size // next(iter(held.values()))
        sharded += share > 1
        if jax.tree_util.keystr(path[-2:]) == "['spectral_gpt/embedding']['table']":
          self.assertEqual(share, 2, path)
    self.assertGreater(sharded, 12)


class GradientsTest(absltest.TestCase):

  def test_are_those_of_one_device(self):
    # A memory, whose state is passed by a scan, and a mixer whose states go from slice to slice.
    model = spectral_gpt.make_model(dataclasses.replace(meshed.MODEL, pattern='ME', layers=2))
    params = jax.jit(model.init)(jax.random.key(0))
    carry = model.initial_state(meshed.ROWS)

    def compute(text):
      mesh = meshed.make_mesh(text)
      rows = meshes.place_rows(mesh, meshed.make_rows(CONFIG, 0))
      return jax.device_get(jax.jit(gradients.make_gradients(
          model, mesh, dtype=jnp.float32, accumulation=2, sources=2))(params, carry, rows, 1.0))

    found, expected = compute('fsdp:2,sequence:4'), compute('data:1')
    np.testing.assert_allclose(found.loss.nats, expected.loss.nats, rtol=1e-6)
    for got, want in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
      np.testing.assert_allclose(got, want, atol=1e-3 * np.abs(want).max() + 1e-9)


if __name__ == '__main__':
  absltest.main()
