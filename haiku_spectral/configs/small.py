"""small: about 37M parameters; one accelerator."""

import ml_collections

from haiku_spectral import config


def get_config() -> ml_collections.ConfigDict:
  """Returns the preset."""
  return config.to_config_dict(config.Config(
      model=config.ModelConfig(
          layers=12, width=512, mlp_width=1280,
          memory=config.MemoryConfig(heads=8), attention=config.AttentionConfig(heads=8),
          ngram=config.NgramConfig(slots=1 << 18, words='1,2'),
          match=config.MatchConfig(length=8, slots=1 << 20)),
      data=config.DataConfig(batch_size=64, stateful_rows=32),
      train=config.TrainConfig(
          steps=50_000, precision='bfloat16', eval_every=1000, checkpoint_every=1000,
          optimizer=config.OptimizerConfig(learning_rate=1e-3, warmup_steps=1000)),
  ))
