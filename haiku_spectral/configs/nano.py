"""nano: about 0.65M parameters; minutes on two CPU cores."""

import ml_collections

from haiku_spectral import config


def get_config() -> ml_collections.ConfigDict:
  """Returns the preset."""
  return config.to_config_dict(config.Config(
      model=config.ModelConfig(
          width=96, mlp_width=160, attention=config.AttentionConfig(heads=2),
          # The delta rule would take a third of a step on a CPU.
          memory=config.MemoryConfig(rule='gated'),
          ngram=config.NgramConfig(slots=1 << 16, words='1,2'),
          counts=config.CountsConfig(orders='2,3,4,5,6')),
      # Stateful rows know 64 KiB when they begin, and begin often: varied batches, long contexts.
      data=config.DataConfig(batch_size=4, stateful_rows=3, chunk_segments=8, history=1 << 16),
      train=config.TrainConfig(
          steps=900, eval_every=150, checkpoint_every=100, counts_share=1.0,
          optimizer=config.OptimizerConfig(kind='muon', learning_rate=3e-3)),
  ))
