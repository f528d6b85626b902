"""Configs as the ConfigDict of flags, as JSON, and as a fingerprint."""

import dataclasses
import hashlib
import json
import typing
from typing import Any

import ml_collections

from haiku_spectral.config import fields
from haiku_spectral.config.checks import validate
from haiku_spectral.config.schema import Config, ModelConfig
from haiku_spectral.storage import strict_json


def to_config_dict(config: Config) -> ml_collections.ConfigDict:
  """The form that a preset returns and that flags may override."""
  return ml_collections.ConfigDict(dataclasses.asdict(config))


def _build(cls: Any, values: Any, path: str) -> Any:
  """Builds a dataclass from nested dicts; unknown fields and wrong types are errors."""
  if not isinstance(values, dict):
    raise ValueError(f'{path}={values!r} is not allowed: give the fields of a {cls.__name__}.')
  hints = typing.get_type_hints(cls)
  unknown = sorted(set(values) - set(hints))
  if unknown:
    raise ValueError(f'{path}.{unknown[0]} is not a field: {path} has {", ".join(hints)}.')
  built: dict[str, Any] = {}
  for name, value in values.items():
    wanted = hints[name]
    if typing.get_origin(wanted) is tuple:
      built[name] = _build_all(wanted, value, f'{path}.{name}')
    elif dataclasses.is_dataclass(wanted):
      built[name] = _build(wanted, value, f'{path}.{name}')
    elif type(value) is wanted or (wanted is float and type(value) is int and abs(value) < 2**63):
      built[name] = wanted(value)
    else:
      raise ValueError(f'{path}.{name}={value!r} is not allowed: give a value of type '
                       f'{wanted.__name__}.')
  missing = [field.name for field in dataclasses.fields(cls)
             if field.name not in built and field.default is dataclasses.MISSING]
  if missing:
    raise ValueError(f'{path}.{missing[0]} is missing: {path} has {", ".join(hints)}.')
  return cls(**built)


def _build_all(wanted: Any, values: Any, path: str) -> tuple[Any, ...]:
  """Builds a tuple of dataclasses; `wanted` is tuple[SomeConfig, ...]."""
  if not isinstance(values, list | tuple):
    raise ValueError(f'{path}={values!r} is not allowed: give a tuple.')
  cls = typing.get_args(wanted)[0]
  return tuple(_build(cls, value, f'{path}[{i}]') for i, value in enumerate(values))


def from_config_dict(config: ml_collections.ConfigDict) -> Config:
  """The checked, immutable form. Raises ValueError naming the field that is wrong."""
  return validate(_build(Config, config.to_dict(), 'config'))


def to_json(config: Config) -> str:
  """Canonical JSON: equal configs give equal text."""
  return json.dumps(dataclasses.asdict(config), indent=2, sort_keys=True)


def from_json(text: str) -> Config:
  """Reads what `to_json` wrote. Raises ValueError when it is not a config."""
  return validate(_build(Config, strict_json.loads(text), 'config'))


def differences(left: Any, right: Any, path: str = 'config') -> list[str]:
  """Lines 'config.model.width: 96 != 128', one for each field in which two configs differ."""
  if isinstance(left, tuple) and len(left) == len(right):
    return [line for i, pair in enumerate(zip(left, right, strict=True))
            for line in differences(*pair, f'{path}[{i}]')]
  if not dataclasses.is_dataclass(left):
    return [] if left == right else [f'{path}: {left!r} != {right!r}']
  return [
      line
      for field in dataclasses.fields(left)
      for line in differences(
          getattr(left, field.name), getattr(right, field.name), f'{path}.{field.name}')
  ]


def may_change(config: Config) -> list[str]:
  """Paths ('config.train.steps') of the fields that may change while a run goes on."""
  return fields.marked(config, fields.MONITORING) + speed_only_paths(config)


def speed_only_paths(config: Any, path: str = 'config') -> list[str]:
  """Paths ('config.model.remat') of the fields that change speed and memory alone."""
  return fields.marked(config, fields.SPEED_ONLY, path)


def model_fingerprint(model: ModelConfig) -> str:
  """Hexadecimal digest of the function that the architecture is: what sessions must agree on."""
  text = json.dumps(fields.unmarked(model, fields.SPEED_ONLY), sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:16]
