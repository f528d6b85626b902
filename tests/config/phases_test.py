"""Phases: exact steps for budgets of bytes, and cuts where rows can go on."""

import dataclasses

import hypothesis
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from haiku_spectral import config as configs
from haiku_spectral.config import phases
from haiku_spectral.configs import curriculum, curriculum_small, nano


def make(*budgets, rows=8, warmup_lengths=''):
  return configs.Config(
      data=configs.DataConfig(batch_size=rows, mixture='a:1', segment=1024),
      train=configs.TrainConfig(steps=0),
      curriculum=tuple(
          configs.PhaseConfig(
              name=f'{number}', bytes=budget, mixture=f'{name}:1,a:1', segment=1024,
              warmup_lengths=warmup_lengths)
          for number, (name, budget) in enumerate(zip('bcd', budgets, strict=False))))


class PhasesTest(parameterized.TestCase):

  def test_a_run_without_a_curriculum_is_one_phase(self):
    config = configs.from_config_dict(nano.get_config())
    phase, = phases.plan(config)
    self.assertEqual((phase.first_step, phase.steps, phase.end), (0, 900, 900))
    self.assertEqual(phase.data, config.data)
    self.assertEqual(phase.rate, config.train.optimizer)
    self.assertEqual(phase.stages, ((0, 900, 1024, 0),))
    self.assertEqual(phases.sources(config), ('starter',))

  @hypothesis.given(
      st.lists(st.integers(10**6, 10**12), min_size=1, max_size=3), st.sampled_from([1, 8, 96]),
      st.sampled_from(['', '256:0.5', '64:0.1,256:0.2', '16:0.05,64:0.15,512:0.3']))
  def test_budgets_are_kept_to_a_step_and_cuts_stand_at_whole_segments(
      self, budgets, rows, warmup_lengths):
    plan, step = phases.plan(make(*budgets, rows=rows, warmup_lengths=warmup_lengths)), 0
    lengths = [part.split(':') for part in warmup_lengths.split(',') if part]
    for budget, phase in zip(budgets, plan, strict=True):
      offset, share = 0, 0.0
      self.assertEqual(phase.first_step, step)
      self.assertLen(phase.stages, len(lengths) + 1)
      for stage, (length, part) in zip(phase.stages, [*lengths, (1024, 1)], strict=True):
        self.assertEqual((stage.first_step, stage.segment, stage.offset),
                         (step, int(length), offset))
        self.assertEqual(offset % 1024, 0)
        step, offset = step + stage.steps, offset + stage.steps * stage.segment
        share = min(1.0, share + float(part))
        self.assertLessEqual(abs(rows * offset - share * budget), rows * 512 + 1e-3)
      self.assertEqual(phase.end, step)

  def test_a_step_belongs_to_one_phase_and_stage(self):
    plan = phases.plan(make(10 * 8192, 20 * 8192, warmup_lengths='256:0.2'))
    self.assertEqual([phase.first_step for phase in plan], [0, 16])
    first, second = ([phases.at(plan, step) for step in steps]
                     for steps in ((0, 7, 8, 15), (16, 31, 32, 47, 48)))
    self.assertEqual(first, [(0, 0), (0, 0), (0, 1), (0, 1)])
    self.assertEqual(second, [(1, 0), (1, 0), (1, 1), (1, 1), (1, 1)])

  @parameterized.parameters(
      ({}, 16 * 1024), ({'stateful_rows': 0}, 1024), ({'chunk_segments': 4}, 4096),
      ({'chunk_segments': 4, 'history': 8192}, 12_288),
      ({'stateful_rows': 0, 'chunk_segments': 4, 'history': 8192}, 1024))
  def test_trained_context_is_the_longest_before_a_reset(self, fields, length):
    config = configs.Config(data=configs.DataConfig(**fields))
    self.assertEqual(phases.trained_context(config), length)

  def test_history_counts_where_an_exact_memory_holds_it(self):
    config = configs.Config(
        model=configs.ModelConfig(ngram=configs.NgramConfig(orders='')),
        data=configs.DataConfig(chunk_segments=4, history=8192))
    self.assertEqual(phases.trained_context(config), 4096)

  def test_trained_context_is_that_of_the_longest_phase(self):
    config = make(10**6, 10**6)
    longest = max(phase.segment for phase in config.curriculum)
    self.assertEqual(phases.trained_context(config), config.data.chunk_segments * longest)

  def test_sources_are_those_of_the_measure_and_then_of_the_phases(self):
    self.assertEqual(phases.sources(make(10**6, 10**6)), ('a', 'b', 'c'))

  def test_the_mission_in_its_weights(self):
    config = configs.from_config_dict(curriculum.get_config())
    mixtures = [configs.parse_mixture(phase.mixture) for phase in config.curriculum]
    self.assertEqual(mixtures[0], {
        'turkish_academic/papers': 0.4, 'turkish_academic/prose': 0.4, 'github_code': 0.2})
    self.assertEqual(
        mixtures[1], {'pile_english': 0.4, 'turkish_web': 0.3, 'github_code': 0.3})
    self.assertEqual(mixtures[2]['golden'], 0.5)
    self.assertAlmostEqual(sum(mixtures[2].values()), 1)
    self.assertEqual([stage.segment for stage in phases.plan(config)[0].stages], [256, 1024, 4096])
    small = configs.from_config_dict(curriculum_small.get_config())
    weights = [list(configs.parse_mixture(phase.mixture).values()) for phase in small.curriculum]
    self.assertEqual(weights[0], [0.8, 0.2])
    self.assertEqual(weights[1:], [list(mixture.values()) for mixture in mixtures[1:]])

  @parameterized.parameters(
      ({'name': 'x'}, r"curriculum\[1\].name='x'.*a name that no other phase has"),
      ({'name': ''}, r"curriculum\[0\].name=''"),
      ({'bytes': 4000}, r'curriculum\[0\].bytes=4000.*each length gets at least 8 x 1024 bytes'),
      ({'mixture': 'b'}, r"curriculum\[0\].mixture='b'.*'name:weight"),
      ({'segment': 1000}, r'curriculum\[0\].segment=1000.*a divisor of the record length'),
      ({'warmup_lengths': '256'}, r"curriculum\[0\].warmup_lengths='256'"),
      ({'warmup_lengths': '512:0.1,256:0.1'}, 'warmup_lengths=.*lengths .bytes. that grow'),
      ({'warmup_lengths': '256:0.7,512:0.3'}, 'shares of the bytes of the phase that leave some'),
      ({'warmup_lengths': '2048:0.1'}, r'lengths that divide config.curriculum\[0\].segment=1024'),
      ({'rate': configs.RateConfig(warmup_steps=10**6)},
       r"curriculum\[0\].rate.warmup_steps=1000000.*fewer than the \d+ steps of the phase '0'"),
      ({'rate': configs.RateConfig(learning_rate=0.0)}, r'curriculum\[0\].rate.learning_rate=0.0'),
  )
  def test_mistakes_are_named(self, fields, message):
    config = make(10**6, 10**6)
    changed = [dataclasses.replace(phase, **fields) for phase in config.curriculum]
    with self.assertRaisesRegex(ValueError, message):
      configs.validate(dataclasses.replace(config, curriculum=tuple(changed)))

  def test_what_the_phases_say_is_said_nowhere_else(self):
    config = make(10**6)
    with self.assertRaisesRegex(ValueError, 'train.steps=7.*0: the bytes of the phases'):
      configs.validate(dataclasses.replace(config, train=configs.TrainConfig(steps=7)))
    rate = configs.OptimizerConfig(learning_rate=0.5)
    with self.assertRaisesRegex(ValueError, r'learning_rate=0.5.*config.curriculum\[0\].rate'):
      configs.validate(dataclasses.replace(
          config, train=configs.TrainConfig(steps=0, optimizer=rate)))

  def test_json_and_flags_bring_back_the_same_phases(self):
    config = configs.from_config_dict(curriculum_small.get_config())
    self.assertEqual(configs.from_json(configs.to_json(config)), config)
    preset = curriculum_small.get_config()
    preset.curriculum[1]['bytes'] = 900_000  # As --config.curriculum[1].bytes does.
    changed = configs.from_config_dict(preset)
    self.assertEqual(configs.differences(config, changed),
                     ['config.curriculum[1].bytes: 800000 != 900000'])
    del preset.curriculum[1]['bytes']
    with self.assertRaisesRegex(ValueError, r'config.curriculum\[1\].bytes is missing'):
      configs.from_config_dict(preset)


if __name__ == '__main__':
  absltest.main()
