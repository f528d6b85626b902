"""A small model of the real kind for tests that decode: quick to make and to compile."""

import functools
import pathlib

import numpy as np

from haiku_spectral import config
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import checkpoint_store, run_folder
from tests.modules.random_params import random_params

CONFIG = config.ModelConfig(
    pattern='HA', layers=2, width=16, mlp_width=16,
    hyena=config.HyenaConfig(filter=config.FilterConfig(horizon=32, max_time_constant=8.0)),
    memory=config.MemoryConfig(heads=2, block=8),
    attention=config.AttentionConfig(heads=2, window=16, block=8),
    ngram=config.NgramConfig(orders=''))  # Quicker to compile without.
MODEL = spectral_gpt.make_model(CONFIG)


def params(seed=0):
  """Those of the small model."""
  return random_params(CONFIG, seed)


@functools.cache
def decoder(seed=0):
  """The model made ready to generate."""
  return decoder_lib.Decoder(CONFIG, params(seed))


def save_run(folder, seed=0, model=CONFIG, **data):
  """Makes a run folder as training leaves it."""
  run_dir = pathlib.Path(folder)
  (run_dir / run_folder.CHECKPOINTS).mkdir(parents=True)
  whole = config.Config(model=model, data=config.DataConfig(**data))
  (run_dir / run_folder.CONFIG).write_text(config.to_json(whole))
  store = checkpoint_store.Store(run_dir, keep_latest=1)
  store.save(7, random_params(model, seed), {'step': np.zeros(1)}, {'heldout_loss': 2.0})
  store.close()
  return str(run_dir)
