"""A small model of every mixer that is trained on meshes of virtual devices."""

import dataclasses
import functools

import jax
import numpy as np

from haiku_spectral import config as configs
from haiku_spectral.modules import mixers, spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import gradients, state, step
from tests.modules import moving_average
from tests.training import stand_in

jax.config.update('jax_num_cpu_devices', 8)
mixers.register(moving_average.MIXER)

ROWS, SEGMENT = 8, 32
# Slices of 4 bytes: shorter than windows and horizons. The two super-blocks are a scan.
MODEL = configs.ModelConfig(
    pattern='HMAE', layers=8, width=16, mlp_width=24,
    hyena=configs.HyenaConfig(filter=configs.FilterConfig(
        horizon=24, sinusoids=4, hidden=8, max_time_constant=8.0)),
    memory=configs.MemoryConfig(heads=2, block=8),
    attention=configs.AttentionConfig(heads=2, window=16, block=8),
    ngram=configs.NgramConfig(orders='1,3', slots=64),
    counts=configs.CountsConfig(orders='2', followers=4, slots=64))


def make_config(kind='muon', model=MODEL, **train):
  """A config of the model with rows whose states are carried and others."""
  config = stand_in.make_config(
      batch_size=ROWS, segment=SEGMENT, stateful_rows=4, steps=50,
      optimizer={'kind': kind, 'learning_rate': 3e-3, 'warmup_steps': 5}, **train)
  return configs.validate(dataclasses.replace(config, model=model))


def make_rows(config, number):
  """The batch of a step, in which streams begin inside of rows."""
  batch = stand_in.make_batch(config, number)
  begins = np.random.default_rng(number).random(batch.inputs.shape) < 0.03
  return gradients.Rows(batch.inputs, batch.targets, batch.reset, batch.sources, begins)


def make_mesh(text):
  """A mesh by its flag, of the first devices."""
  sizes = meshes.parse(text)
  return meshes.make_mesh(sizes, jax.devices()[:np.prod(list(sizes.values()))])


@functools.cache
def stepper(config, text):
  """The training step of a config on a mesh."""
  return step.make_train_step(spectral_gpt.make_model(config.model), config, make_mesh(text))


def run(config, text, steps, current=None, start=0):
  """State after some steps on a mesh, and the loss of each in nats per byte."""
  mesh, losses = make_mesh(text), []
  if current is None:
    current = state.start(spectral_gpt.make_model(config.model), config, mesh)
  for number in range(start, start + steps):
    rows = meshes.place_rows(mesh, make_rows(config, number))
    current, found = stepper(config, text)(current, rows)
    losses.append(float(found.loss.nats) / int(found.loss.targets))
  return current, losses
