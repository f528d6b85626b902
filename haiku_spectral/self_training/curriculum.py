"""What the models of a run are trained on: the config of an arm, from the preset's two phases."""

import dataclasses

from haiku_spectral import config as configs
from haiku_spectral.config import Config, phases

LABELLED = 'golden/labelled'


def dataset(arm: str, number: int) -> str:
  """The name of the dataset of an arm's accepted samples up to a round."""
  return f'golden/{arm}_{number}'


def plan(config: Config, *, seed: int, arm: str = '', rounds: int = 0) -> Config:
  """The config of all rounds: the preset's first phase, then its second one for each round.

  In the mixture of the second, 'golden' stands for the samples of the arm; `control` has none.
  """
  if len(config.curriculum) != 2:
    raise ValueError(
        f'config.curriculum has {len(config.curriculum)} phases: give two, the training of the '
        'base model and that of each round.')
  base, each = config.curriculum
  shares = configs.parse_mixture(each.mixture)
  if 'golden' not in shares:
    raise ValueError(
        f'config.curriculum[1].mixture={each.mixture!r} is not allowed: give one with golden.')
  later = []
  for number in range(1, rounds + 1):
    names = {name if name != 'golden' else dataset(arm, number): share
             for name, share in shares.items() if name != 'golden' or arm != 'control'}
    mixture = ','.join(f'{name}:{share}' for name, share in names.items())
    later.append(dataclasses.replace(each, name=f'round {number}', mixture=mixture))
  return configs.validate(dataclasses.replace(
      config, curriculum=(base, *later), train=dataclasses.replace(config.train, seed=seed)))


def last_step(config: Config, number: int) -> int:
  """The step at which the training of a round ends; round 0 is the base model."""
  return phases.plan(config)[number].end
