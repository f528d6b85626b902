"""tiny: about 4.9M parameters; an hour on two CPU cores."""

import ml_collections

from haiku_spectral import config


def get_config() -> ml_collections.ConfigDict:
  """Returns the preset."""
  return config.to_config_dict(config.Config(
      model=config.ModelConfig(
          width=256, mlp_width=640, ngram=config.NgramConfig(slots=1 << 18, words='1,2'),
          # The delta rule would take a third of a step on a CPU.
          memory=config.MemoryConfig(rule='gated'),
          match=config.MatchConfig(length=8, slots=1 << 20),
          counts=config.CountsConfig(orders='2,3,4,5,6,8', followers=32, slots=1 << 16)),
      data=config.DataConfig(batch_size=8, stateful_rows=6, chunk_segments=8, history=1 << 16),
      train=config.TrainConfig(
          steps=1500, eval_every=250, checkpoint_every=100,
          optimizer=config.OptimizerConfig(
              kind='muon', learning_rate=2e-3, warmup_steps=100)),
  ))
