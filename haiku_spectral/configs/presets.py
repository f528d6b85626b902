"""Presets by their names: the files beside this one."""

import importlib
import pathlib

from haiku_spectral import config
from haiku_spectral.requirement import require

MODELS = ('nano', 'tiny', 'small', 'base', '1b', '7b', '100b')  # By size.


def load(name: str, flag: str = '--config') -> config.Config:
  """The checked config of a preset. Raises ValueError for a name that is none."""
  names = sorted(path.stem for path in pathlib.Path(__file__).parent.glob('*.py')
                 if 'def get_config(' in path.read_text(encoding='utf-8'))
  require(name in names, flag, name, f'one of {", ".join(names)}')
  module = importlib.import_module(f'haiku_spectral.configs.{name}')
  return config.from_config_dict(module.get_config())
