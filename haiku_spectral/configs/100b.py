"""100b: about 104 billion parameters, by the rule of `sizes`; many accelerators."""

import ml_collections

from haiku_spectral import config
from haiku_spectral.configs import sizes


def get_config() -> ml_collections.ConfigDict:
  """Returns the preset."""
  return config.to_config_dict(sizes.large(12288, rows=1024, segment=4096))
