"""Everything that varies, as frozen dataclasses, with the checks that a user's values must pass.

A preset (`haiku_spectral/configs/`) builds a `Config`; on the command line it is a `ConfigDict`,
so that any field is a flag (`--config.model.width=384`, `--config.curriculum[0].bytes=1000000`);
`from_config_dict` brings it back, checked.
"""

from haiku_spectral.config.checks import validate, validate_model
from haiku_spectral.config.schema import (
  MIXERS,
  RECORD_BYTES,
  AttentionConfig,
  Config,
  CountsConfig,
  DataConfig,
  FilterConfig,
  GuardConfig,
  HyenaConfig,
  MatchConfig,
  MemoryConfig,
  ModelConfig,
  NgramConfig,
  OnlineHeadConfig,
  OptimizerConfig,
  PhaseConfig,
  RateConfig,
  TrainConfig,
  parse_mixture,
)
from haiku_spectral.config.serialisation import (
  differences,
  from_config_dict,
  from_json,
  may_change,
  model_fingerprint,
  speed_only_paths,
  to_config_dict,
  to_json,
)
from haiku_spectral.config.table_sizes import with_slots

__all__ = [
    'MIXERS', 'RECORD_BYTES', 'AttentionConfig', 'Config', 'CountsConfig', 'DataConfig',
    'FilterConfig', 'GuardConfig', 'HyenaConfig', 'MatchConfig', 'MemoryConfig', 'ModelConfig',
    'NgramConfig', 'OnlineHeadConfig', 'OptimizerConfig', 'PhaseConfig', 'RateConfig',
    'TrainConfig', 'differences', 'from_config_dict', 'from_json', 'may_change',
    'model_fingerprint', 'parse_mixture', 'speed_only_paths', 'to_config_dict', 'to_json',
    'validate', 'validate_model', 'with_slots',
]
