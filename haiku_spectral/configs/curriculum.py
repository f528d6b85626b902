"""curriculum: `base` in three phases; one accelerator or a few.

Turkish and the precision of code first, then the web and English, then what the model has found out
itself beside as much real text. Build the datasets that it names with binaries/prepare_data;
`golden` may follow while the first two phases last.
"""

import ml_collections

from haiku_spectral import config
from haiku_spectral.configs import base

REAL = 'pile_english:0.4,turkish_web:0.3,github_code:0.3'


def get_config() -> ml_collections.ConfigDict:
  """Returns the preset."""
  return config.to_config_dict(config.Config(
      model=config.from_config_dict(base.get_config()).model,
      data=config.DataConfig(mixture=REAL, segment=4096, batch_size=128, stateful_rows=64),
      curriculum=(
          config.PhaseConfig(
              name='language', bytes=20_000_000_000,
              mixture='turkish_academic/papers:0.4,turkish_academic/prose:0.4,github_code:0.2',
              segment=4096, warmup_lengths='256:0.05,1024:0.15',
              rate=config.RateConfig(learning_rate=6e-4, warmup_steps=2000, final_fraction=1.0)),
          config.PhaseConfig(
              name='world', bytes=100_000_000_000, mixture=REAL, segment=4096,
              rate=config.RateConfig(learning_rate=6e-4, warmup_steps=0, final_fraction=0.1)),
          config.PhaseConfig(  # The half that is real text is that of the phase before.
              name='golden', bytes=4_000_000_000,
              mixture='golden:0.5,pile_english:0.2,turkish_web:0.15,github_code:0.15',
              segment=4096,
              rate=config.RateConfig(learning_rate=6e-5, warmup_steps=100, final_fraction=0.1)),
      ),
      train=config.TrainConfig(
          steps=0, precision='bfloat16', accumulation=8, eval_every=2000, checkpoint_every=2000),
  ))
