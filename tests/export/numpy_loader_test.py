"""The loader that is shipped with an export: NumPy alone, 200 lines, the same logits."""

import ast
import dataclasses
import functools
import json
import pathlib
import sys
import tempfile

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import config, vocab
from haiku_spectral.configs import base, curriculum, nano, small, tiny
from haiku_spectral.export import exported, numpy_loader
from haiku_spectral.modules import spectral_gpt
from tests.modules.random_params import random_params

MODEL = config.ModelConfig(
    pattern='HMA', layers=6, width=16, mlp_width=24,
    hyena=config.HyenaConfig(order=3, filter=config.FilterConfig(
        horizon=40, sinusoids=4, hidden=8, max_time_constant=16.0)),
    memory=config.MemoryConfig(heads=2, block=16, rule='delta'),
    attention=config.AttentionConfig(heads=2, window=32, block=8),
    ngram=config.NgramConfig(orders='1,3', words='1', slots=32),  # Few, so that contexts collide.
    match=config.MatchConfig(length=3, slots=64, ring=512),
    counts=config.CountsConfig(orders='1,2,4', followers=6, slots=32))
CONFIGS = {
    'all': MODEL,
    'gated': dataclasses.replace(
        MODEL, tied_head=True, ngram=config.NgramConfig(orders=''),
        counts=config.CountsConfig(),
        memory=dataclasses.replace(MODEL.memory, rule='gated')),
    'bare': dataclasses.replace(
        MODEL, pattern='A', layers=1, ngram=config.NgramConfig(orders=''),
        match=config.MatchConfig(), counts=config.CountsConfig()),
}
WORDS = (b'cat', b'Cat', b'dog_1', 'né'.encode(), b'a' * 20 + b'b' * 20)  # One is too long.
SIGNS = (b' ', b', ', b'.\n')
LENGTH = 900  # More than the ring of the match memory.


@functools.cache
def exported_model(name):
  """(folder of an export with random parameters, ids, logits of the library)."""
  params = random_params(CONFIGS[name])
  folder = pathlib.Path(tempfile.mkdtemp(dir=absltest.get_default_test_tmpdir()), 'out')
  whole = config.Config(model=CONFIGS[name])
  exported.write_folder(folder, exported.Exported(whole, params, 3))
  ids = repeating_ids()
  model = spectral_gpt.make_model(CONFIGS[name])
  logits, _ = jax.jit(model.apply)(params, ids[None].astype(np.int32), model.initial_state(1))
  return folder, ids, np.asarray(logits[0])


def repeating_ids():
  """[LENGTH]: few words, and passages of all kinds of ids that come again.

  After 150 ids; after 400, when the match memory counts them as forgotten; and after 580, when
  others lie in their place.
  """
  generator = np.random.default_rng(0)
  text = b''.join(
      each[generator.integers(len(each))] for _ in range(LENGTH) for each in (WORDS, SIGNS))
  ids = np.frombuffer(text, np.uint8)[:LENGTH].astype(np.int64)
  for first, size, again in ((130, 150, 280), (430, 40, 830), (40, 40, 620)):
    ids[first:first + size] = generator.integers(0, vocab.SIZE, size)
    ids[again:again + size] = ids[first:first + size]
  return ids


class NumpyLoaderTest(parameterized.TestCase):

  @parameterized.parameters(*CONFIGS)
  def test_logits_are_those_of_the_library(self, name):
    folder, ids, wanted = exported_model(name)
    found, _ = numpy_loader.Model(folder)(ids)
    np.testing.assert_allclose(found, wanted, atol=1e-4, rtol=0)
    self.assertGreater(wanted.std(), 0.01)  # A hundred times the tolerance.

  @parameterized.parameters(*CONFIGS)
  def test_chunks_are_the_same_as_one_call(self, name):
    folder, ids, wanted = exported_model(name)
    model, state, found = numpy_loader.Model(folder), None, []
    for chunk in np.split(ids, [1, 2, 60, 610]):
      logits, state = model(chunk, state)
      found.append(logits)
    np.testing.assert_allclose(np.concatenate(found), wanted, atol=1e-4, rtol=0)

  def test_each_context_recalls_something(self):
    contexts, followers = 4, 3
    reads, _ = numpy_loader.recall(
        repeating_ids().tolist(), (contexts, None, followers), None, **dataclasses.asdict(MODEL))
    self.assertGreater((reads[..., 1] >= 0).mean(axis=0).min(), 0.05)

  def test_needs_numpy_alone_and_200_lines(self):
    source = pathlib.Path(numpy_loader.__file__).read_text(encoding='utf-8')
    self.assertLessEqual(len(source.splitlines()), 200)
    imported = {alias.name for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.Import) for alias in node.names}
    self.assertNotIn('ImportFrom', {type(node).__name__ for node in ast.walk(ast.parse(source))})
    self.assertEqual(imported - set(sys.stdlib_module_names), {'numpy'})

  @parameterized.parameters(nano, tiny, small, base, curriculum)
  def test_knows_the_presets(self, preset):
    model = config.from_config_dict(preset.get_config()).model
    self.assertEmpty(exported.unknown_to_numpy_loader(model))

  def test_refuses_what_it_does_not_know(self):
    folder, _, _ = exported_model('all')
    about = json.loads((folder / 'config.json').read_text(encoding='utf-8'))
    modal = dataclasses.replace(MODEL, hyena=config.HyenaConfig(
        filter=config.FilterConfig(kind='modal')))
    for changes, message in (
        ({'version': 2}, 'version 2'),
        ({'unknown_to_numpy_loader': exported.unknown_to_numpy_loader(modal)}, 'modal')):
      (folder / 'other').mkdir(exist_ok=True)
      (folder / 'other' / 'config.json').write_text(
          json.dumps({**about, **changes}), encoding='utf-8')
      with self.assertRaisesRegex(ValueError, message):
        numpy_loader.Model(folder / 'other')

  def test_what_it_does_not_know_is_told(self):
    modal = dataclasses.replace(
        MODEL, pattern='HMX', hyena=config.HyenaConfig(filter=config.FilterConfig(kind='modal')))
    self.assertEqual(exported.unknown_to_numpy_loader(modal), [
        "config.model.pattern='HMX'", "config.model.hyena.filter.kind='modal'"])


if __name__ == '__main__':
  absltest.main()
