"""What a user may write into a config, and what each mistake is answered with."""

import dataclasses
import math

import jax
from absl.testing import absltest, parameterized

from haiku_spectral import config
from haiku_spectral.configs import base, nano, small, tiny
from haiku_spectral.modules import spectral_gpt

PRESETS = {  # Name: parameters in millions, width, layers.
    nano: (0.65, 96, 6), tiny: (5, 256, 6), small: (35, 512, 12), base: (100, 768, 12),
}


def changed(**fields):
  """The nano preset with some fields, named by their paths with '__', changed."""
  preset = nano.get_config()
  for path, value in fields.items():
    *nodes, name = path.split('__')
    node = preset
    for part in nodes:
      node = node[part]
    with preset.unlocked():
      node[name] = value
  return config.from_config_dict(preset)


class ConfigTest(parameterized.TestCase):

  @parameterized.parameters(*PRESETS)
  def test_presets_are_allowed_and_of_their_size(self, preset):
    millions, width, layers = PRESETS[preset]
    found = config.from_config_dict(preset.get_config())
    self.assertEqual((found.model.width, found.model.layers), (width, layers))
    self.assertEqual(found.model.pattern, 'HHMHHA')
    shapes = jax.eval_shape(spectral_gpt.make_model(found.model).init, jax.random.key(0))
    size = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(shapes))
    self.assertBetween(size / 1e6, 0.9 * millions, 1.2 * millions)

  @parameterized.parameters(
      ({'model__pattern': 'HXA'}, r"model.pattern='HXA'.*letters out of H \(Hyena\)"),
      ({'model__pattern': ''}, 'model.pattern'),
      ({'model__layers': 7}, r"layers=7.*multiple of the length of the pattern 'HHMHHA' \(6\)"),
      ({'model__width': 0}, 'model.width=0'),
      ({'model__mlp_width': -1}, 'mlp_width=-1'),
      ({'model__hyena__order': 1}, 'hyena.order=1.*2 or more'),
      ({'model__hyena__short_width': 0}, 'hyena.short_width=0'),
      ({'model__hyena__filter__kind': 'fourier'}, "filter.kind='fourier'.*'network' or 'modal'"),
      ({'model__hyena__filter__horizon': 1}, 'filter.horizon=1'),
      ({'model__online_head__rate': 0.1}, r'online_head.rate=0.1.*trained models .*--online_rate'),
      ({'model__hyena__filter__hidden': 0}, 'filter.hidden=0'),
      ({'model__hyena__filter__min_time_constant': 500.0}, 'at most max_time_constant=256.0'),
      ({'model__hyena__filter__max_time_constant': 2000.0}, r'at most the horizon \(1024\)'),
      ({'model__memory__heads': 5}, 'memory.heads=5.*a divisor of config.model.width=96'),
      ({'model__attention__heads': 32}, 'attention.heads=32.*even width.*gives 3'),
      ({'model__memory__rule': 'hebb'}, "memory.rule='hebb'.*'gated' or 'delta'"),
      ({'model__memory__block': 0}, 'memory.block=0'),
      ({'model__ngram__words': '9'}, "ngram.words='9' is not allowed: give 'n,n'"),
      ({'model__ngram__orders': '²'}, "ngram.orders='²' is not allowed: give 'n,n'"),
      ({'model__ngram__slots': 3}, 'ngram.slots=3.*a power of two'),
      ({'model__match__ring': 1000}, 'match.ring=1000.*a power of two'),
      ({'model__memory__min_time_constant': 0.0}, 'memory.min_time_constant=0.0'),
      ({'model__attention__window': 0}, 'attention.window=0'),
      ({'model__attention__block': 100}, 'attention.block=100.*a divisor of .*window=512'),
      ({'data__mixture': 'starter'}, "mixture='starter'.*'name:weight,name:weight'"),
      ({'data__mixture': 'a:1,a:2'}, 'distinct names'),
      ({'data__mixture': 'a:-1'}, 'weights above 0'),
      ({'data__batch_size': 0}, 'batch_size=0'),
      ({'data__history': 1 << 21}, 'data.history=2097152.*give 0 to 1048576 bytes'),
      ({'data__history': -1}, 'data.history=-1 is not allowed'),
      ({'data__segment': 1000}, 'segment=1000.*a divisor of the record length 65536, or a'),
      ({'data__chunk_segments': 65}, 'chunk_segments=65.*divides 65536, or is a multiple'),
      ({'data__stateful_rows': 9}, 'stateful_rows=9.*0 to config.data.batch_size=4'),
      ({'train__seed': -1}, 'train.seed=-1 is not allowed: give 0 to 2147483647'),
      ({'train__optimizer__b1': 1.0}, 'b1=1.0 is not allowed: give 0 or more, less than 1'),
      ({'train__optimizer__learning_rate': float('nan')}, 'learning_rate=nan.*a finite number'),
      ({'train__optimizer__clip_norm': float('inf')}, 'clip_norm=inf.*a finite number'),
      ({'train__optimizer__final_fraction': 1.5}, 'final_fraction=1.5.*give 0 to 1'),
      ({'model__memory__max_time_constant': float('inf')}, 'max_time_constant=inf.*finite'),
      ({'train__steps': 0}, 'train.steps=0'),
      ({'train__precision': 'float8'}, "precision='float8'.*'bfloat16'"),
      ({'train__accumulation': 3}, 'accumulation=3.*a divisor of config.data.batch_size=4'),
      ({'train__chunk': 48}, 'train.chunk=48.*a divisor of the segment 1024, or 0'),
      ({'train__eval_every': -1}, 'eval_every=-1.*0 or more'),
      ({'train__keep_latest': 0}, 'keep_latest=0'),
      ({'train__optimizer__learning_rate': 0.0}, 'learning_rate=0.0'),
      ({'train__optimizer__schedule': 'linear'}, "schedule='linear'.*'cosine' or 'wsd'"),
      ({'train__steps': 50}, 'warmup_steps=50.*fewer than config.train.steps=50'),
      ({'train__optimizer__decay_fraction': 0.0}, 'decay_fraction=0.0'),
      ({'train__optimizer__clip_norm': 0.0}, 'clip_norm=0.0'),
      ({'train__guard__spike_factor': 1.0}, 'spike_factor=1.0'),
      ({'train__guard__max_consecutive_skips': 0}, 'max_consecutive_skips=0'),
      # What is never met in training: the window, the horizon, with and without stateful rows.
      ({'data__segment': 256, 'data__stateful_rows': 0},
       'attention.window=512.*at most the 256 bytes that a row is trained on before its state'),
      ({'data__segment': 512, 'data__stateful_rows': 0}, 'filter.horizon=1024.*at most the 512'),
      ({'model__width': 10**20}, 'width=100000000000000000000.*a number below 2.31'),
      ({'train__steps': 2**31}, 'train.steps=2147483648.*a number below 2.31'),
      ({'model__depth': 3}, 'config.model.depth is not a field: config.model has pattern, layers'),
  )
  def test_every_mistake_names_the_field_the_value_and_what_is_allowed(self, fields, message):
    with self.assertRaisesRegex(ValueError, message):
      changed(**fields)

  def test_a_window_longer_than_a_segment_is_met_by_stateful_rows(self):
    self.assertEqual(changed(data__segment=256).data.segment, 256)

  def test_json_brings_back_the_same_config(self):
    for preset in PRESETS:
      found = config.from_config_dict(preset.get_config())
      self.assertEqual(config.from_json(config.to_json(found)), found)

  def test_json_with_a_value_of_another_type_is_refused(self):
    text = config.to_json(changed()).replace('"width": 96', '"width": "wide"')
    with self.assertRaisesRegex(ValueError, "config.model.width='wide'.*a value of type int"):
      config.from_json(text)
    text = config.to_json(changed()).replace('"weight_decay": 0.1', f'"weight_decay": {10**400}')
    with self.assertRaisesRegex(ValueError, 'weight_decay=1000.*a value of type float'):
      config.from_json(text)

  def test_json_that_is_no_config_is_refused(self):
    for text, message in (('[]', r'config=\[\] is not allowed: give the fields of a Config'),
                          ('{"model": 3}', 'config.model=3 .* fields of a ModelConfig'),
                          ('{', 'Expecting'), ('[' * 10**5, 'nested too deeply'),
                          (config.to_json(changed()).replace('0.95', 'NaN'), 'not a JSON')):
      with self.assertRaisesRegex(ValueError, message):
        config.from_json(text)

  def test_differences_name_what_changed_and_nothing_else(self):
    self.assertEqual(
        config.differences(changed(), changed(model__width=192, train__seed=3)),
        ['config.model.width: 96 != 192', 'config.train.seed: 0 != 3'])

  def test_the_fingerprint_is_of_the_architecture_alone(self):
    fingerprint = lambda **fields: config.model_fingerprint(changed(**fields).model)
    self.assertEqual(fingerprint(), fingerprint(train__steps=77, data__batch_size=16))
    self.assertNotEqual(fingerprint(), fingerprint(model__mlp_width=161))

  def test_fields_that_change_speed_alone_are_no_part_of_the_fingerprint(self):
    paths = config.speed_only_paths(config.Config())
    self.assertContainsSubset(
        ['config.model.remat', 'config.model.memory.block', 'config.model.attention.block',
         'config.train.accumulation', 'config.train.chunk'], paths)
    model = config.ModelConfig()
    fast = dataclasses.replace(
        model, remat=True, memory=dataclasses.replace(model.memory, block=16),
        attention=dataclasses.replace(model.attention, block=64))
    self.assertEqual(config.model_fingerprint(fast), config.model_fingerprint(model))
    self.assertEqual(
        [line.partition(':')[0] for line in config.differences(model, fast, 'config.model')],
        [path for path in paths if path.startswith('config.model')])

  def test_mixtures_are_names_with_weights(self):
    self.assertEqual(config.parse_mixture('starter:0.8, text_folder/books:1'),
                     {'starter': 0.8, 'text_folder/books': 1.0})


if __name__ == '__main__':
  absltest.main()
