"""base: about 100M parameters; one accelerator or a few."""

import ml_collections

from haiku_spectral import config


def get_config() -> ml_collections.ConfigDict:
  """Returns the preset."""
  return config.to_config_dict(config.Config(
      model=config.ModelConfig(
          layers=12, width=768, mlp_width=2560, remat=True,
          memory=config.MemoryConfig(heads=12), attention=config.AttentionConfig(heads=12),
          ngram=config.NgramConfig(slots=1 << 18, words='1,2'),
          match=config.MatchConfig(length=8, slots=1 << 20)),
      data=config.DataConfig(batch_size=128, stateful_rows=64),
      train=config.TrainConfig(
          steps=200_000, precision='bfloat16', accumulation=2, eval_every=2000,
          checkpoint_every=2000,
          optimizer=config.OptimizerConfig(learning_rate=6e-4, warmup_steps=2000)),
  ))
