"""self_improve: a base model of 0.27M parameters and rounds of self-improvement, on two CPU cores.

The first phase trains the base model. The second is that of each round: 'golden' stands for
the accepted samples of the arm up to that round.
"""

import ml_collections

from haiku_spectral import config

ORIGINAL = 'golden/labelled:0.9,starter:0.1'


def get_config() -> ml_collections.ConfigDict:
  """Returns the preset."""
  return config.to_config_dict(config.Config(
      model=config.ModelConfig(
          width=64, mlp_width=96, attention=config.AttentionConfig(heads=2, window=256),
          # The delta rule would take a third of a step on a CPU.
          memory=config.MemoryConfig(heads=2, rule='gated'),
          hyena=config.HyenaConfig(
              filter=config.FilterConfig(horizon=256, max_time_constant=64.0)),
          # What followed a name in the prompt, however long that is.
          ngram=config.NgramConfig(orders='1,2', slots=4096)),
      data=config.DataConfig(mixture='starter:1', segment=512, batch_size=8, stateful_rows=0),
      curriculum=(
          config.PhaseConfig(
              name='base', bytes=1200 * 4096, mixture=ORIGINAL, segment=512,
              rate=config.RateConfig(learning_rate=3e-3, warmup_steps=50, final_fraction=0.25)),
          config.PhaseConfig(
              name='round', bytes=200 * 4096, segment=512,
              mixture='golden/labelled:0.45,starter:0.05,golden:0.5',
              rate=config.RateConfig(learning_rate=1.5e-3, warmup_steps=10, final_fraction=0.25)),
      ),
      train=config.TrainConfig(
          steps=0, eval_every=0, eval_batches=16, checkpoint_every=50, keep_latest=1,
          optimizer=config.OptimizerConfig(kind='muon')),
  ))
