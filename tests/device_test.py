"""What a device must keep to, whichever JAX has found: laws at its own precision, and restarts.

On an accelerator float32 products are made of shorter factors by default (TF32: 10 bits), and sums
are made in another order: the tolerances say what that may cost. What was measured is printed.
"""

import dataclasses
import functools
import itertools
import pathlib
import tempfile

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl import logging
from absl.testing import absltest, parameterized

from haiku_spectral import config as configs
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import prefill
from haiku_spectral.modules import mixers, precision, spectral_gpt
from haiku_spectral.ops import fft_conv
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import checkpoint, gradients, leaves, loop, state, step, task
from tests import chunk_law

ON_CPU = jax.default_backend() == 'cpu'
# Relative to the largest magnitude of a channel (`chunk_law.assert_close`).
TOLERANCES = {'highest': 2e-5, 'default': 2e-5 if ON_CPU else 5e-3, 'bfloat16': 0.05}
WIDTH, LENGTH = 64, 96
CUT = (41, 55)  # Not where blocks end.
FILTER = configs.FilterConfig(horizon=80, sinusoids=4, hidden=16, modes=4, max_time_constant=40.0)
MODEL = configs.ModelConfig(
    pattern='HMA', layers=6, width=WIDTH, mlp_width=96, hyena=configs.HyenaConfig(filter=FILTER),
    memory=configs.MemoryConfig(heads=2, block=16),
    attention=configs.AttentionConfig(heads=2, window=32, block=16),
    ngram=configs.NgramConfig(orders='1,3', slots=64))
MIXERS = {
    'hyena': MODEL,
    'modal_hyena': dataclasses.replace(MODEL, hyena=configs.HyenaConfig(
        filter=configs.FilterConfig(kind='modal', modes=4, max_time_constant=300.0))),
    'memory': dataclasses.replace(
        MODEL, pattern='M', memory=configs.MemoryConfig(heads=2, block=16, rule='gated')),
    'delta_memory': dataclasses.replace(
        MODEL, pattern='M', memory=configs.MemoryConfig(heads=2, block=16, rule='delta')),
    'attention': dataclasses.replace(MODEL, pattern='A'),
}
PRECISIONS = ('default', 'bfloat16') if ON_CPU else tuple(TOLERANCES)


def tokens(length=LENGTH, rows=2):
  """Few different bytes, so that what the tables hold is recalled."""
  return np.random.default_rng(0).integers(97, 103, (rows, length), np.int32)


def apply_mixer(name, dtype):
  """The first mixer of a model as (x, state) -> (y, state), and its empty state."""
  model = MIXERS[name]
  mixer = mixers.of(model)[0]
  part = mixer.config(model)
  transformed = hk.without_apply_rng(
      hk.transform(lambda *chunk: mixer.module(part, out_scale=1.0)(*chunk)))
  empty = mixer.initial_state(part, 2, WIDTH, dtype)
  params = jax.jit(transformed.init)(
      jax.random.key(0), jnp.zeros((2, 1, WIDTH)), mixer.initial_state(
          part, 2, WIDTH, jnp.float32))
  return jax.jit(functools.partial(
      transformed.apply, precision.cast_params(params, dtype))), empty


@functools.cache
def params():
  return jax.jit(spectral_gpt.make_model(MODEL).init)(jax.random.key(0))


def train_config(**train):
  return configs.validate(configs.Config(
      model=MODEL, data=configs.DataConfig(
          mixture='starter:1', batch_size=4, segment=64, stateful_rows=2, chunk_segments=4),
      train=configs.TrainConfig(**{
          'steps': 4, 'log_every': 1, 'eval_every': 0, 'checkpoint_every': 2,
          'optimizer': configs.OptimizerConfig(warmup_steps=1), **train})))


def batch(number):
  ids = np.random.default_rng(number).integers(97, 103, (4, 65), np.int32)
  return gradients.Rows(ids[:, :-1].copy(), ids[:, 1:].copy(), np.arange(4) >= 2,
                        np.zeros(4, np.int32), np.zeros((4, 64), bool))


class Batches:
  """Those of a step and on."""

  def __init__(self, first):
    self._numbers = itertools.count(first)

  def __next__(self):
    return batch(next(self._numbers))

  def close(self):
    pass


class DeviceTest(parameterized.TestCase):

  def law(self, name, apply, x, empty, kind):
    """Holds the law at the precision's tolerance, and prints by how much it is kept."""
    whole = apply(x, empty)
    cut = chunk_law.run_in_chunks(apply, x, empty, CUT)
    worst = max(
        float(np.max(np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64))
                     / max(np.abs(np.asarray(b, np.float64)).max(initial=0), 1e-3), initial=0))
        for a, b in zip(jax.tree.leaves(cut), jax.tree.leaves(whole), strict=True))
    print(f'law of chunks, {name}, {kind}: {worst:.1e}')
    chunk_law.assert_close(cut, whole, TOLERANCES[kind])

  @parameterized.product(name=tuple(MIXERS), kind=PRECISIONS)
  def test_law_of_chunks_of_mixers(self, name, kind):
    dtype = 'bfloat16' if kind == 'bfloat16' else 'float32'
    with jax.default_matmul_precision('highest' if kind == 'highest' else 'default'):
      apply, empty = apply_mixer(name, jnp.dtype(dtype))
      x = chunk_law.normal(2, LENGTH, WIDTH).astype(dtype)
      self.law(name, apply, x, empty, kind)

  @parameterized.parameters(*PRECISIONS)
  def test_law_of_chunks_of_the_model(self, kind):
    dtype = jnp.dtype('bfloat16' if kind == 'bfloat16' else 'float32')
    with jax.default_matmul_precision('highest' if kind == 'highest' else 'default'):
      model = spectral_gpt.make_model(MODEL)
      apply = jax.jit(functools.partial(model.apply, precision.cast_params(params(), dtype)))
      self.law('model', apply, tokens(), model.initial_state(2, dtype), kind)

  @parameterized.parameters(*PRECISIONS)
  def test_law_of_chunks_of_toeplitz_products(self, kind):
    dtype = jnp.dtype('bfloat16' if kind == 'bfloat16' else 'float32')
    taps = chunk_law.normal(200, WIDTH, seed=7) / 200**0.5
    state = fft_conv.initial_state(2, 200, WIDTH, dtype)
    with jax.default_matmul_precision('highest' if kind == 'highest' else 'default'):
      apply = jax.jit(lambda x, state: fft_conv.causal_conv(x, taps, state, long='toeplitz'))
      self.law('toeplitz', apply, chunk_law.normal(2, LENGTH, WIDTH).astype(dtype), state, kind)

  @parameterized.parameters(*PRECISIONS)
  def test_decoding_is_the_chunk_call(self, kind):
    dtype = jnp.dtype('bfloat16' if kind == 'bfloat16' else 'float32')
    with jax.default_matmul_precision('highest' if kind == 'highest' else 'default'):
      decoder = decoder_lib.Decoder(MODEL, precision.cast_params(params(), dtype))
      text = tokens(80, rows=1)
      extend = functools.partial(prefill.extend, decoder.model, decoder.params)
      start = extend(context_lib.empty(decoder.model, 1, decoder.dtype), text[:, :8], chunk=8)
      cache = decoder.extend(decoder.to_cache(start), text[:, 8:])
      wanted = np.asarray(extend(start, text[:, 8:], chunk=72).logits)
      error = np.abs(decoder_lib.next_logits(cache) - wanted).max() / np.abs(wanted).max()
    print(f'decoding against the chunk call, {kind}: {error:.1e} of the greatest logit')
    self.assertLess(error, 2 * TOLERANCES[kind])

  @absltest.skipIf(ON_CPU, 'the CPU is the measure')
  def test_a_training_step_gives_the_numbers_of_the_cpu(self):
    config = train_config()
    found = []
    for device in (jax.devices('cpu')[0], jax.devices()[0]):
      mesh = meshes.data_mesh([device])
      model = spectral_gpt.make_model(config.model)
      first = state.place(mesh, jax.device_get(start(config)))
      with jax.default_matmul_precision('highest'):
        take = step.make_train_step(model, config, mesh)
        after, metrics = take(first, meshes.place_rows(mesh, batch(0)))
      found.append(jax.device_get((metrics, after.params)))
    (cpu, cpu_params), (own, own_params) = found
    print(f'a step: loss {own.loss.nats:.6f} against {cpu.loss.nats:.6f}, '
          f'gradient {own.gradient_norm:.6f} against {cpu.gradient_norm:.6f}')
    self.assertAlmostEqual(own.loss.nats / cpu.loss.nats, 1, delta=1e-5)
    self.assertAlmostEqual(own.gradient_norm / cpu.gradient_norm, 1, delta=1e-4)
    chunk_law.assert_close(own_params, cpu_params, 2e-3)  # Adam divides by small gradients.

  def test_a_run_that_was_stopped_ends_bitwise_as_one_that_was_not(self):
    logging.set_verbosity(logging.ERROR)
    config = train_config(precision='bfloat16')
    ends = []
    for stops in ((4,), (2, 4)):
      run_dir = pathlib.Path(tempfile.mkdtemp(dir=self.create_tempdir().full_path))
      for until in stops:
        work = task.Task(
            spectral_gpt.make_model(config.model), batches_from=Batches, heldout=[batch(100)])
        loop.train(config, work, run_dir=run_dir, mesh=meshes.data_mesh(jax.devices()[:1]),
                   report=lambda line: None, until=until)
      last = checkpoint.restore_latest(run_dir)
      self.assertEqual(last.step, 4)
      ends.append(leaves.digests({**last.params, **last.training}))
    self.assertEqual(*ends)


def start(config):
  return state.start(
      spectral_gpt.make_model(config.model), config, meshes.data_mesh(jax.devices()[:1]))


if __name__ == '__main__':
  print(f'device: {jax.devices()[0].device_kind}')
  absltest.main()
