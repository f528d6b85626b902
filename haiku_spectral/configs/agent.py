"""agent: nano that learns to write the agent's turns; a quarter of an hour on two CPU cores.

The first phase learns from a teacher's sessions, the second also from the model's own that reached
their goals: see docs/agent.md.
"""

import dataclasses

import ml_collections

from haiku_spectral import config
from haiku_spectral.configs import nano

TEACHER = 'agent_transcripts/teacher'


def get_config() -> ml_collections.ConfigDict:
  """Returns the preset."""
  base = config.from_config_dict(nano.get_config())
  return config.to_config_dict(dataclasses.replace(
      base,
      data=dataclasses.replace(base.data, mixture=f'{TEACHER}:1'),
      curriculum=(
          config.PhaseConfig(
              name='teacher', bytes=700 * 4096, mixture=f'{TEACHER}:1',
              rate=config.RateConfig(learning_rate=3e-3, final_fraction=0.1)),
          config.PhaseConfig(
              name='own', bytes=200 * 4096,
              mixture=f'agent_transcripts/own:0.5,{TEACHER}:0.5',
              rate=config.RateConfig(learning_rate=1e-3, warmup_steps=10, final_fraction=0.1)),
      ),
      train=dataclasses.replace(
          base.train, steps=0, eval_every=200, checkpoint_every=100,
          optimizer=config.OptimizerConfig(kind='muon'))))
