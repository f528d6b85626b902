"""curriculum_small: the three phases in minutes on two CPU cores, from folders of text.

  ./run //binaries:prepare_data --dataset=text_folder --source=DIR --name=turkish

and so for english, code and golden, which any text may stand for.
"""

import ml_collections

from haiku_spectral import config

REAL = 'text_folder/english:0.4,text_folder/turkish:0.3,text_folder/code:0.3'


def get_config() -> ml_collections.ConfigDict:
  """Returns the preset."""
  return config.to_config_dict(config.Config(
      model=config.ModelConfig(
          width=64, mlp_width=96, attention=config.AttentionConfig(heads=2, window=256),
          hyena=config.HyenaConfig(
              filter=config.FilterConfig(horizon=256, max_time_constant=64.0))),
      data=config.DataConfig(mixture=f'{REAL},text_folder/golden:0.5', segment=512, batch_size=8),
      curriculum=(
          config.PhaseConfig(
              name='language', bytes=800_000, segment=512,
              mixture='text_folder/turkish:0.8,text_folder/code:0.2',
              warmup_lengths='64:0.1,256:0.2',
              rate=config.RateConfig(learning_rate=4e-3, warmup_steps=50, final_fraction=1.0)),
          config.PhaseConfig(
              name='world', bytes=800_000, mixture=REAL, segment=512,
              rate=config.RateConfig(learning_rate=4e-3, warmup_steps=0, final_fraction=0.2)),
          config.PhaseConfig(
              name='golden', bytes=400_000, segment=512,
              mixture='text_folder/golden:0.5,text_folder/english:0.2,text_folder/turkish:0.15,'
                      'text_folder/code:0.15',
              rate=config.RateConfig(learning_rate=8e-4, warmup_steps=10, final_fraction=0.1)),
      ),
      train=config.TrainConfig(steps=0, eval_every=100, checkpoint_every=50),
  ))
