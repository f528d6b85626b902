"""Everything that varies, as frozen dataclasses, with the checks that a user's values must pass.

A preset (`configs/*.py`) builds a `Config`; on the command line it is a `ConfigDict`, so that any
field is a flag (`--config.model.width=384`); `from_config_dict` brings it back, checked.
"""

import dataclasses
import hashlib
import json
import typing
from typing import Any

import ml_collections

MIXERS = {'H': 'Hyena', 'M': 'ResidualMemory', 'A': 'WindowAttention'}
RECORD_BYTES = 65_536  # what one pack record holds; segments and spans divide it.


@dataclasses.dataclass(frozen=True, kw_only=True)
class FilterConfig:
  """The long filters of a Hyena operator. Lags and time constants are in bytes."""

  kind: str = 'network'  # 'network': implicit taps up to the horizon; 'modal': exponentials.
  horizon: int = 1024  # Taps S; the filter has faded smoothly to zero there ('network').
  sinusoids: int = 16  # Log-spaced periods among the features of a lag ('network').
  hidden: int = 32  # Width of the sine network ('network').
  modes: int = 16  # Exponentials per channel ('modal').
  min_time_constant: float = 2.0
  max_time_constant: float = 256.0  # Beyond a quarter of the training length curves rise past it.


@dataclasses.dataclass(frozen=True, kw_only=True)
class HyenaConfig:
  """The Hyena operator."""

  order: int = 2  # Number of gated products; order - 1 long convolutions.
  short_width: int = 3  # Taps of the short convolution on every projection.
  filter: FilterConfig = FilterConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemoryConfig:
  """The gated associative memory."""

  heads: int = 4
  rule: str = 'gated'  # 'gated': S = a S + k v^T; 'delta': S = a (I - b k k^T) S + b k v^T.
  short_width: int = 4  # Taps of the short convolution on queries, keys and values.
  block: int = 64  # Bytes per matrix product of the chunkwise form.
  min_time_constant: float = 64.0
  max_time_constant: float = 10_000.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class AttentionConfig:
  """Sliding-window attention."""

  heads: int = 4
  window: int = 512  # Bytes that a query sees, itself included.
  block: int = 128  # Queries per band.


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
  """SpectralGPT. `layers` is a multiple of the pattern's length."""

  pattern: str = 'HHMHHA'
  layers: int = 6
  width: int = 256
  mlp_width: int = 512
  tied_head: bool = False  # The head is the embedding's table.
  remat: bool = False
  hyena: HyenaConfig = HyenaConfig()
  memory: MemoryConfig = MemoryConfig()
  attention: AttentionConfig = AttentionConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
  """What the model reads. Lengths are in bytes."""

  mixture: str = 'starter:1'  # 'name:weight,name:weight'; weights are shares of the bytes.
  batch_size: int = 8  # Rows of the global batch.
  segment: int = 1024  # Bytes per row and step: the training length T.
  span: int = 16  # Segments that a carried row reads in sequence before its state is reset.
  carried_rows: int = 4  # Rows of the batch whose state is carried; the others start cold.


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
  """AdamW with clipping and a schedule."""

  learning_rate: float = 2e-3
  schedule: str = 'cosine'  # 'cosine' | 'wsd' (warm-up, stable, decay).
  warmup_steps: int = 50
  decay_fraction: float = 0.2  # The last part of training in which 'wsd' decays.
  final_fraction: float = 0.1  # The learning rate at the end, over its peak.
  b1: float = 0.9
  b2: float = 0.95
  weight_decay: float = 0.1
  clip_norm: float = 1.0
  filter_learning_rate_scale: float = 0.3  # Filter parameters learn slower and do not decay.


@dataclasses.dataclass(frozen=True, kw_only=True)
class GuardConfig:
  """When a step is not applied."""

  spike_factor: float = 10.0  # Gradient norm over its running average that counts as a spike.
  average_steps: int = 50  # Of the running average; nothing counts as a spike before so many steps.
  max_consecutive_skips: int = 20  # More in a row stop the training.


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
  """One training run. Intervals (`_every`) are in steps; 0: only at the end."""

  steps: int = 1000
  seed: int = 0
  precision: str = 'float32'  # 'float32' | 'bfloat16' | 'float16': what the layers compute in.
  accumulation: int = 1  # Micro-batches per step.
  log_every: int = 10
  eval_every: int = 250
  eval_batches: int = 8  # Of the held-out split; 0: all of it.
  extrapolation_every: int = 0  # 0: never.
  checkpoint_every: int = 250
  keep_latest: int = 2
  optimizer: OptimizerConfig = OptimizerConfig()
  guard: GuardConfig = GuardConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
  """A model, its data and its training."""

  model: ModelConfig = ModelConfig()
  data: DataConfig = DataConfig()
  train: TrainConfig = TrainConfig()


def parse_mixture(mixture: str) -> dict[str, float]:
  """Reads 'name:weight,name:weight'. Names may hold a config ('text_folder/books'). Weights > 0."""
  sources: dict[str, float] = {}
  for part in mixture.split(','):
    name, colon, weight = part.strip().rpartition(':')
    try:
      share = float(weight)
    except ValueError:
      share = 0.0
    _require(
        bool(name and colon and 0 < share < float('inf') and name not in sources),
        'data.mixture', mixture, "'name:weight,name:weight', distinct names, weights above 0",
    )
    sources[name] = share
  return sources


def _require(condition: bool, field: str, value: Any, allowed: str) -> None:
  if not condition:
    raise ValueError(f'config.{field}={value!r} is not allowed: give {allowed}.')


def validate_model(model: ModelConfig) -> None:
  """Raises a ValueError that names the field, its value and what is allowed."""
  _require(
      bool(model.pattern) and set(model.pattern) <= set(MIXERS), 'model.pattern', model.pattern,
      'letters out of ' + ', '.join(f'{k} ({v})' for k, v in MIXERS.items()),
  )
  length = len(model.pattern)
  _require(
      model.layers > 0 and model.layers % length == 0, 'model.layers', model.layers,
      f'a positive multiple of the length of the pattern {model.pattern!r} ({length})',
  )
  _require(model.width > 0, 'model.width', model.width, 'a positive number')
  _require(model.mlp_width > 0, 'model.mlp_width', model.mlp_width, 'a positive number')
  _require(model.hyena.order >= 2, 'model.hyena.order', model.hyena.order, '2 or more')
  _require(model.hyena.short_width >= 1, 'model.hyena.short_width', model.hyena.short_width,
           '1 or more')
  _validate_filter(model.hyena.filter)
  for name, heads in (('memory', model.memory.heads), ('attention', model.attention.heads)):
    _require(heads > 0 and model.width % heads == 0, f'model.{name}.heads', heads,
             f'a divisor of config.model.width={model.width}')
  head_width = model.width // model.attention.heads
  _require(head_width % 2 == 0, 'model.attention.heads', model.attention.heads,
           f'heads of even width for the rotation (width {model.width} gives {head_width})')
  memory = model.memory
  _require(memory.rule in ('gated', 'delta'), 'model.memory.rule', memory.rule,
           "'gated' or 'delta'")
  _require(memory.short_width >= 1, 'model.memory.short_width', memory.short_width, '1 or more')
  _require(memory.block >= 1, 'model.memory.block', memory.block, '1 or more')
  _require(0 < memory.min_time_constant <= memory.max_time_constant,
           'model.memory.min_time_constant', memory.min_time_constant,
           f'more than 0, at most max_time_constant={memory.max_time_constant}')
  window, block = model.attention.window, model.attention.block
  _require(window >= 1, 'model.attention.window', window, '1 or more')
  _require(block >= 1 and window % block == 0, 'model.attention.block', block,
           f'a divisor of config.model.attention.window={window}')


def _validate_filter(filters: FilterConfig) -> None:
  prefix = 'model.hyena.filter.'
  _require(filters.kind in ('network', 'modal'), prefix + 'kind', filters.kind,
           "'network' or 'modal'")
  _require(filters.horizon >= 2, prefix + 'horizon', filters.horizon, '2 or more')
  for name in ('sinusoids', 'hidden', 'modes'):
    _require(getattr(filters, name) >= 1, prefix + name, getattr(filters, name), '1 or more')
  _require(0 < filters.min_time_constant <= filters.max_time_constant,
           prefix + 'min_time_constant', filters.min_time_constant,
           f'more than 0, at most max_time_constant={filters.max_time_constant}')
  _require(filters.kind != 'network' or filters.max_time_constant <= filters.horizon,
           prefix + 'max_time_constant', filters.max_time_constant,
           f'at most the horizon ({filters.horizon}), or the filter is cut before it has faded')


def _validate_data(data: DataConfig) -> None:
  parse_mixture(data.mixture)
  _require(data.batch_size > 0, 'data.batch_size', data.batch_size, 'a positive number')
  _require(data.segment > 0 and RECORD_BYTES % data.segment == 0, 'data.segment', data.segment,
           f'a divisor of the record length {RECORD_BYTES}')
  _require(data.span > 0 and RECORD_BYTES % (data.segment * data.span) == 0, 'data.span', data.span,
           f'a number such that segment x span ({data.segment} x span) divides {RECORD_BYTES}')
  _require(0 <= data.carried_rows <= data.batch_size, 'data.carried_rows', data.carried_rows,
           f'0 to config.data.batch_size={data.batch_size}')


def _validate_train(train: TrainConfig, data: DataConfig) -> None:
  _require(0 <= train.seed < 2**31, 'train.seed', train.seed, '0 to 2^31 - 1')
  _require(train.steps > 0, 'train.steps', train.steps, 'a positive number')
  _require(train.precision in ('float32', 'bfloat16', 'float16'), 'train.precision',
           train.precision, "'float32', 'bfloat16' or 'float16'")
  _require(train.accumulation > 0 and data.batch_size % train.accumulation == 0,
           'train.accumulation', train.accumulation,
           f'a divisor of config.data.batch_size={data.batch_size}')
  for name in ('log_every', 'eval_every', 'eval_batches', 'extrapolation_every',
               'checkpoint_every'):
    _require(getattr(train, name) >= 0, f'train.{name}', getattr(train, name), '0 or more')
  _require(train.keep_latest >= 1, 'train.keep_latest', train.keep_latest, '1 or more')
  optimizer = train.optimizer
  _require(optimizer.learning_rate > 0, 'train.optimizer.learning_rate', optimizer.learning_rate,
           'a positive number')
  _require(optimizer.schedule in ('cosine', 'wsd'), 'train.optimizer.schedule', optimizer.schedule,
           "'cosine' or 'wsd'")
  _require(0 <= optimizer.warmup_steps < train.steps, 'train.optimizer.warmup_steps',
           optimizer.warmup_steps, f'0 or more and fewer than config.train.steps={train.steps}')
  _require(0 < optimizer.decay_fraction <= 1, 'train.optimizer.decay_fraction',
           optimizer.decay_fraction, 'more than 0, at most 1')
  for name in ('b1', 'b2'):
    _require(0 <= getattr(optimizer, name) < 1, f'train.optimizer.{name}',
             getattr(optimizer, name), '0 or more and less than 1')
  _require(0 <= optimizer.final_fraction <= 1, 'train.optimizer.final_fraction',
           optimizer.final_fraction, '0 to 1')
  for name in ('weight_decay', 'filter_learning_rate_scale'):
    _require(0 <= getattr(optimizer, name) < float('inf'), f'train.optimizer.{name}',
             getattr(optimizer, name), '0 or more')
  _require(optimizer.clip_norm > 0, 'train.optimizer.clip_norm', optimizer.clip_norm,
           'a positive number')
  _require(train.guard.spike_factor > 1, 'train.guard.spike_factor', train.guard.spike_factor,
           'more than 1')
  _require(train.guard.average_steps >= 1, 'train.guard.average_steps',
           train.guard.average_steps, '1 or more')
  _require(train.guard.max_consecutive_skips >= 1, 'train.guard.max_consecutive_skips',
           train.guard.max_consecutive_skips, '1 or more')


def _validate_reach(model: ModelConfig, data: DataConfig) -> None:
  """What a mixer reaches for must come up in training, or it first meets it in use."""
  met = data.segment * (data.span if data.carried_rows else 1)
  allowed = (f'at most the {met} bytes that a row reads before its state is reset '
             '(data.segment, times data.span when rows are carried)')
  if 'A' in model.pattern:
    window = model.attention.window
    _require(window <= met, 'model.attention.window', window, allowed)
  if 'H' in model.pattern and model.hyena.filter.kind == 'network':
    horizon = model.hyena.filter.horizon
    _require(horizon <= met, 'model.hyena.filter.horizon', horizon, allowed)


def validate(config: Config) -> Config:
  """Returns the config, or raises a ValueError that names the first field that is wrong."""
  validate_model(config.model)
  _validate_data(config.data)
  _validate_reach(config.model, config.data)
  _validate_train(config.train, config.data)
  return config


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
  fields = {}
  for name, value in values.items():
    wanted = hints[name]
    if dataclasses.is_dataclass(wanted):
      fields[name] = _build(wanted, value, f'{path}.{name}')
    elif type(value) is wanted or (wanted is float and type(value) is int):
      fields[name] = wanted(value)
    else:
      raise ValueError(f'{path}.{name}={value!r} is not allowed: give a value of type '
                       f'{wanted.__name__}.')
  return cls(**fields)


def from_config_dict(config: ml_collections.ConfigDict) -> Config:
  """The checked, immutable form. Raises ValueError naming the field that is wrong."""
  return validate(_build(Config, config.to_dict(), 'config'))


def to_json(config: Config) -> str:
  """Canonical JSON: equal configs give equal text."""
  return json.dumps(dataclasses.asdict(config), indent=2, sort_keys=True)


def from_json(text: str) -> Config:
  """Reads what `to_json` wrote. Raises ValueError when it is not a config."""
  return validate(_build(Config, json.loads(text), 'config'))


def differences(left: Any, right: Any, path: str = 'config') -> list[str]:
  """Lines 'config.model.width: 96 != 128', one for each field in which two configs differ."""
  if not dataclasses.is_dataclass(left):
    return [] if left == right else [f'{path}: {left!r} != {right!r}']
  return [
      line
      for field in dataclasses.fields(left)
      for line in differences(
          getattr(left, field.name), getattr(right, field.name), f'{path}.{field.name}')
  ]


def model_fingerprint(model: ModelConfig) -> str:
  """Hexadecimal digest of the architecture: what a checkpoint or a session must agree on."""
  text = json.dumps(dataclasses.asdict(model), sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:16]
