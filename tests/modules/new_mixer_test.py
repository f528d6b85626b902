"""A mixer that the product does not know: one record, one call, and everything works with it."""

import functools
import tempfile

import jax
import numpy as np
from absl.testing import absltest

from haiku_spectral import config as configs
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import prefill, session
from haiku_spectral.modules import mixers, spectral_gpt
from haiku_spectral.modules.mixer import by_snapshots
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import gradients
from haiku_spectral.training import state as states
from haiku_spectral.training import step as steps
from tests import chunk_law
from tests.modules import moving_average

WIDTH = 8


mixers.register(moving_average.MIXER)

MODEL = configs.ModelConfig(
    pattern='EA', layers=4, width=WIDTH, mlp_width=12,
    attention=configs.AttentionConfig(heads=2, window=16, block=8),
    ngram=configs.NgramConfig(orders=''))
TEXT = np.random.default_rng(0).integers(0, 256, 300, np.int32)


@functools.cache
def decoder() -> decoder_lib.Decoder:
  params = jax.jit(spectral_gpt.make_model(MODEL).init)(jax.random.key(0))
  return decoder_lib.Decoder(MODEL, params)


def ids(start: int, end: int) -> np.ndarray:  # [1, end - start]
  return TEXT[np.newaxis, start:end]


def context_after(count: int) -> context_lib.Context:
  made = decoder()
  empty = context_lib.empty(made.model, 1, made.dtype)
  if not count:
    return empty
  return prefill.extend(made.model, made.params, empty, ids(0, count))


class NewMixerTest(absltest.TestCase):

  def test_trains_a_step(self):
    config = configs.validate(configs.Config(
        model=MODEL,
        data=configs.DataConfig(batch_size=2, segment=32, chunk_segments=1, stateful_rows=1),
        train=configs.TrainConfig(steps=4, optimizer=configs.OptimizerConfig(warmup_steps=0))))
    mesh = meshes.data_mesh(jax.devices()[:1])
    model = spectral_gpt.make_model(MODEL)
    before = states.start(model, config, mesh)
    params = jax.device_get(before.params)
    text = TEXT[:66].reshape(2, 33)
    rows = meshes.place_rows(mesh, gradients.Rows(
        text[:, :-1], text[:, 1:], np.ones(2, bool), np.zeros(2, np.int32),
        np.zeros((2, 32), bool)))
    after, metrics = steps.make_train_step(model, config, mesh)(before, rows)
    self.assertTrue(np.isfinite(metrics.loss.nats))
    path, = (path for path in params if path.endswith('moving_average'))
    for name in ('keep', 'gate'):
      moved = np.abs(np.asarray(after.params[path][name]) - params[path][name])
      self.assertGreater(moved.min(), 0, name)

  def test_law_of_chunks(self):
    made = decoder()
    apply = jax.jit(functools.partial(made.model.apply, made.params))
    for lengths in ((1, 7, 33, 7), (33, 7, 7, 1), (7, 33, 1, 7)):
      chunk_law.assert_law(apply, ids(0, 48), made.model.initial_state(1), lengths)

  def test_decodes_byte_by_byte_across_blocks(self):
    made = decoder()
    cache = made.to_cache(context_after(5), clock=60)
    for at in range(5, 150):
      cache = made.extend(cache, ids(at, at + 1))
    np.testing.assert_allclose(
        decoder_lib.next_logits(cache), context_after(150).logits, atol=2e-5)
    chunk_law.assert_close(made.from_cache(cache).state, context_after(150).state, 1e-5)

  def test_rolls_back(self):
    made = decoder()
    cache = made.extend(made.to_cache(context_after(5)), ids(5, 20))
    other = made.extend(cache, np.full((1, 20), 7, np.int32))
    again = made.extend(made.roll_back(other, cache.filled), ids(20, 90))
    chunk_law.assert_close(made.from_cache(again).state, context_after(90).state, 1e-5)

  def test_a_session_is_saved_and_loaded(self):
    made, context = decoder(), context_after(40)
    owner = session.owner(MODEL, made.params)
    with tempfile.TemporaryDirectory() as folder:
      session.save(f'{folder}/talk', context, owner)
      loaded = session.load(f'{folder}/talk', context_after(0), owner)
    jax.tree.map(np.testing.assert_array_equal, loaded.state, context.state)

  def test_reports_its_operations(self):
    only = lambda pattern: spectral_gpt.training_flops_per_byte(
        configs.ModelConfig(pattern=pattern, layers=len(pattern), width=WIDTH, mlp_width=12), 32)
    self.assertEqual(only('EE') - only('E'), only('EEE') - only('EE'))
    self.assertGreater(only('EE'), only('E') + 3 * 6 * WIDTH)

  def test_a_letter_has_one_mixer(self):
    with self.assertRaisesRegex(ValueError, "letter 'E' is that of MovingAverage"):
      mixers.register(by_snapshots(
          letter='E', name='Other', config=lambda model: None, module=moving_average.MovingAverage,
          initial_state=lambda *_: None, flops=lambda *_: 0.0, reach=lambda config: None))


if __name__ == '__main__':
  absltest.main()
