"""Plans: the formulas against the compiler and against each other, and what is suggested."""

import dataclasses

import jax
from absl.testing import absltest, parameterized

from haiku_spectral import config as configs
from haiku_spectral.benchmarks import device_step
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.parallel import hardware
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.planning import aot, memory, plan, roofline, text
from haiku_spectral.training import state, step

jax.config.update('jax_num_cpu_devices', 8)

H100 = hardware.named('h100')
MODEL = configs.ModelConfig(
    pattern='HA', layers=4, width=64, mlp_width=160, remat=True,
    hyena=configs.HyenaConfig(filter=configs.FilterConfig(
        horizon=64, sinusoids=4, hidden=8, max_time_constant=16.0)),
    memory=configs.MemoryConfig(heads=2, block=64),
    attention=configs.AttentionConfig(heads=2, window=64, block=64),
    ngram=configs.NgramConfig(orders='2,3', slots=64))
CONFIG = configs.Config(
    model=MODEL, data=configs.DataConfig(batch_size=16, segment=256, stateful_rows=8))

QUICK = dataclasses.replace(  # To trace.
    CONFIG, model=dataclasses.replace(
        MODEL, pattern='A', layers=2, remat=False, ngram=configs.NgramConfig(orders='')))


def mesh(flag):
  return meshes.parse(flag)


class MemoryTest(parameterized.TestCase):

  @parameterized.parameters(('data:2', 0), ('fsdp:2', 0), ('data:2', 64))
  def test_the_formula_is_near_what_the_compiler_says(self, flag, chunk):
    config = dataclasses.replace(CONFIG, train=dataclasses.replace(CONFIG.train, chunk=chunk))
    found = memory.per_device(config, mesh(flag))
    compiled = aot.compile_step(config, mesh(flag))
    self.assertBetween(found.total / compiled.total, 0.75, 1.35)
    # The state is exact: arguments are it and the batch.
    exact = found.parameters + found.optimizer + found.carry // 2
    rows, length = CONFIG.data.batch_size // 2, CONFIG.data.segment
    self.assertBetween(compiled.arguments - exact, 0, 10 * rows * length + 1000)

  def test_shards_are_shares(self):
    whole, shared = (memory.per_device(CONFIG, mesh(flag)) for flag in ('data:8', 'fsdp:8'))
    self.assertLess(shared.parameters, 0.3 * whole.parameters)  # Filters and gates are whole.
    self.assertLess(shared.optimizer, 0.3 * whole.optimizer)
    self.assertEqual(shared.activations, whole.activations)

  def test_what_is_computed_again_is_not_kept(self):
    kept = dataclasses.replace(MODEL, remat=False)
    again, all_of_it = (memory.activations(model, 'float32', 2, 256) for model in (MODEL, kept))
    self.assertLess(again.kept, 0.2 * all_of_it.kept)
    self.assertGreater(again.computed_again, again.kept)


class FlopsTest(absltest.TestCase):

  def test_operations_of_a_training_step_are_those_that_xla_counts(self):
    # One super-block and one block of memory, since XLA counts the body of a loop once.
    model = dataclasses.replace(
        MODEL, pattern='HMA', layers=3, width=256, mlp_width=640, remat=False,
        ngram=configs.NgramConfig(orders=''))
    config = dataclasses.replace(
        CONFIG, model=model, data=configs.DataConfig(batch_size=8, segment=64, stateful_rows=4))
    made = spectral_gpt.make_model(model)
    one = meshes.data_mesh(jax.devices()[:1])
    lowered = step.make_train_step(made, config, one).lower(
        state.abstract_state(made, config), device_step.random_rows(config))
    counted = lowered.compile().cost_analysis()['flops']
    formula = 8 * 64 * spectral_gpt.training_flops_per_byte(model, 64)
    self.assertBetween(counted / formula, 0.9, 1.1)


class RooflineTest(parameterized.TestCase):

  @parameterized.parameters(
      ('data:8', ('data',), 450e9),  # Inside a host.
      ('fsdp:16', ('fsdp',), 400e9),  # All eight of a host send to the next.
      ('data:2,fsdp:8', ('data',), 50e9),  # One of a host does.
      ('data:2,fsdp:8', ('fsdp',), 450e9),
      ('data:4,fsdp:2,sequence:4', ('sequence',), 450e9),
      ('data:4,fsdp:2,sequence:4', ('data', 'sequence'), 200e9),
      ('data:4,fsdp:2,sequence:4', ('data', 'fsdp', 'sequence'), 400e9),
  )
  def test_links(self, flag, axes, rate):
    self.assertEqual(roofline.link_rate(H100, mesh(flag), axes), rate)

  def test_operations_are_shared_and_computing_again_costs_a_third(self):
    again = dataclasses.replace(QUICK, model=dataclasses.replace(QUICK.model, remat=True))
    one, eight = (roofline.step(again, mesh(flag), H100, {}) for flag in ('data:1', 'data:8'))
    self.assertAlmostEqual(one.flops / eight.flops, 8)
    flops = 16 * 256 * spectral_gpt.training_flops_per_byte(QUICK.model, 256)
    self.assertAlmostEqual(one.flops / flops, 1)
    self.assertAlmostEqual(one.compute / (flops * 4 / 3 / 494e12), 1)
    self.assertAlmostEqual(one.memory / (one.bytes / 3.35e12), 1)

  def test_the_slowest_decides_when_all_overlaps(self):
    found = roofline.step(QUICK, mesh('fsdp:8'), H100, {('fsdp',): 450e9, ('data',): 450e9})
    self.assertEqual(found.overlapped, 2.0)
    self.assertAlmostEqual(found.sequential, 2.0 + found.compute + found.memory)


class PlanTest(parameterized.TestCase):

  def test_parameters_are_those_of_the_model(self):
    shapes = jax.eval_shape(spectral_gpt.make_model(MODEL).init, jax.random.key(0))
    size = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    self.assertEqual(plan.parameter_count(CONFIG), size)

  def test_what_fits_anywhere_is_not_cut(self):
    found = plan.suggest(QUICK, H100, 8)
    self.assertTrue(found.fits)
    self.assertEqual((found.sizes['sequence'], found.config.train.accumulation), (1, 1))
    self.assertEqual(found.devices, 8)

  def test_what_does_not_fit_is_cut_further_and_said(self):
    copied = plan.make(QUICK, H100, mesh('data:8'))
    small = H100._replace(memory=0.8 * copied.memory.total)
    copied = copied._replace(device=small)
    self.assertFalse(copied.fits)
    better = plan.suggest(QUICK, small, 8)
    self.assertTrue(better.fits)
    self.assertLess(better.needed, copied.needed)
    self.assertRegex(text.warning(copied, better), r'data:8.* cannot hold the model.*--mesh=')
    tiny = small._replace(memory=1e5)
    none = plan.suggest(QUICK, tiny, 8)
    self.assertFalse(none.fits)
    self.assertIn('No mesh of 8 such devices', text.warning(none, none))

  def test_what_the_compiler_found_counts(self):
    found = plan.suggest(QUICK, H100, 8)
    self.assertEqual(found._replace(measured=7).needed, 7)
    self.assertEqual(found._replace(factor=2.0).needed, 2 * found.memory.total)

  def test_devices_that_cannot_share_the_work_are_refused(self):
    with self.assertRaisesRegex(ValueError, '--devices=7 is not allowed: .*16 rows'):
      plan.suggest(QUICK, H100, 7)

  def test_table_and_json_say_the_same(self):
    found = plan.make(QUICK, H100, mesh('fsdp:8'))
    values = text.as_json(found, None)
    self.assertEqual(values['parameters'], found.parameters)
    self.assertEqual(values['memory']['total'], found.memory.total)
    self.assertIn(f'{found.parameters:,}', text.table(found))
    self.assertEqual(set(values['step']['traffic']), {'+'.join(axes) for axes in
                                                      found.roofline.traffic})


if __name__ == '__main__':
  absltest.main()
