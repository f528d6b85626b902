"""A model, data and configs with the real interfaces that compile in a second and run in no time.

Programs this small are mostly compiled, so importing it turns the compiler's optimisations off and
has a process compile the same program only once.
"""

import atexit
import dataclasses
import functools
import itertools
import os
import shutil
import tempfile
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import config as configs
from haiku_spectral import vocab
from haiku_spectral.config import phases
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import speed, state, task

os.environ['XLA_FLAGS'] = ' '.join([
    os.environ.get('XLA_FLAGS', ''), '--xla_backend_optimization_level=0',
    '--xla_llvm_disable_expensive_passes=true'])

_CACHE = tempfile.mkdtemp()
atexit.register(shutil.rmtree, _CACHE, ignore_errors=True)
jax.config.update('jax_compilation_cache_dir', _CACHE)
jax.config.update('jax_persistent_cache_min_compile_time_secs', 0)
jax.config.update('jax_persistent_cache_min_entry_size_bytes', -1)

# Of the metrics, all that differs between two equal runs. Seconds are per step.
SPEEDS = ('tokens_per_second', 'flops_per_second', 'mfu',
          *(f'seconds/{name}' for name in speed.Speeds._fields[1:]))
WIDTH = 8


class State(NamedTuple):
  """A decaying sum of what was read."""

  past: jax.Array  # [1, B, D]


class Batch(NamedTuple):
  """As datasets.pipeline.Batch."""

  inputs: np.ndarray
  targets: np.ndarray
  reset: np.ndarray
  sources: np.ndarray
  stream_start: np.ndarray


def make_model(on_apply=lambda: None):
  """A linear recurrent model; `on_apply` is called whenever it is traced."""
  def init(key):
    keys = jax.random.split(key, 3)
    return {
        'spectral_gpt/embedding': {'table': jax.random.normal(keys[0], (vocab.SIZE, WIDTH))},
        'spectral_gpt/mixer/filter': {'taps': 0.5 * jax.random.normal(keys[1], (3, WIDTH))},
        'spectral_gpt/head': {
            'w': 0.3 * jax.random.normal(keys[2], (WIDTH, vocab.SIZE)),
            'b': jnp.zeros(vocab.SIZE)},
    }

  def apply(params, tokens, state, starts=None):
    del starts
    on_apply()
    x = params['spectral_gpt/embedding']['table'][tokens]

    def read(past, now):
      past = 0.9 * past + now
      return past, past

    past, mixed = jax.lax.scan(read, state.past[0], x.swapaxes(0, 1))
    y = mixed.swapaxes(0, 1) * jnp.sum(params['spectral_gpt/mixer/filter']['taps'], 0)
    head = params['spectral_gpt/head']
    logits = jnp.tanh(y.astype(x.dtype)) @ head['w'] + head['b']
    return logits.astype(jnp.float32), State(past[None])

  def initial_state(batch_size, dtype=jnp.float32):
    return State(jnp.zeros((1, batch_size, WIDTH), dtype))

  return spectral_gpt.Model(init, apply, initial_state)


def make_config(*, batch_size=8, segment=8, stateful_rows=4, curriculum=(), **train):
  """A small config; keywords are fields of TrainConfig, or dicts of its parts' fields."""
  rate = {} if curriculum else {'learning_rate': 0.02, 'warmup_steps': 2}
  optimizer = configs.OptimizerConfig(**{**rate, **train.pop('optimizer', {})})
  guard = configs.GuardConfig(**train.pop('guard', {}))
  defaults = {'steps': 0 if curriculum else 12, 'log_every': 2, 'eval_every': 4,
              'checkpoint_every': 4}
  return configs.validate(configs.Config(
      model=configs.ModelConfig(pattern='M'),  # Not used; no window or horizon to be met.
      data=configs.DataConfig(
          mixture='starter:1,other:1', batch_size=batch_size, segment=segment, chunk_segments=4,
          stateful_rows=stateful_rows),
      curriculum=curriculum,
      train=configs.TrainConfig(
          **{**defaults, **train}, optimizer=optimizer, guard=guard)))


def make_batch(config, step):
  """The batch of a step: rows of very unequal numbers of scored bytes."""
  data, plan = config.data, phases.plan(config)
  phase, stage = phases.at(plan, step)
  segment = plan[phase].stages[stage].segment
  random = np.random.default_rng((7, step))
  ids = random.integers(0, 64, (data.batch_size, segment + 1)).astype(np.int32)
  ids[:, 1::2] = (ids[:, :-1:2] + 1)[:, : ids[:, 1::2].shape[1]]  # Something to learn.
  targets = ids[:, 1:].copy()
  for row, scored in enumerate(random.integers(0, segment + 1, data.batch_size)):
    targets[row, max(scored, row == 0):] = vocab.PAD
  rows = np.arange(data.batch_size)
  reset = ((step + rows) % data.chunk_segments == 0) | (rows >= data.stateful_rows)
  reset |= step in [phase.first_step for phase in plan]
  return Batch(ids[:, :-1].copy(), targets, reset, (rows % 2).astype(np.int32),
               np.zeros((data.batch_size, segment), bool))


def make_phases(*, steps=(10, 12, 8), **fields):
  """A curriculum over the stand-in's datasets, the first phase of which begins with 4 short steps.

  Phases are of so many times 64 bytes: of 8 rows of 8.
  """
  first, *others = (
      configs.PhaseConfig(
          name=f'phase_{number}', bytes=64 * count, mixture=mixture, segment=8,
          rate=configs.RateConfig(learning_rate=0.02 / (1 + number), warmup_steps=1), **fields)
      for number, (count, mixture) in enumerate(
          zip(steps, ('starter:1', 'starter:1,other:1', 'other:1'), strict=True)))
  return dataclasses.replace(first, warmup_lengths=f'4:{2 / steps[0]}'), *others


def make_task(config, *, change=lambda step, batch: batch, on_apply=lambda: None, **fields):
  """The stand-in's task; `change(step, batch)` may tamper with the training batches."""
  def batches_from(first):
    return (change(step, make_batch(config, step)) for step in itertools.count(first))

  heldout = [make_batch(config, 10_000 + i) for i in range(3)]
  return task.Task(**{
      'model': make_model(on_apply), 'batches_from': batches_from, 'heldout': heldout, **fields})


@functools.cache
def _start(config, mesh):
  return state.start(make_model(), config, mesh)


def start(config, mesh):
  """A train state of before the first step, for the caller to consume."""
  return jax.tree.map(jnp.copy, _start(config, mesh))
