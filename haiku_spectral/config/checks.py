"""What a user's values must be: a mistake is told with the field, the value and what to give."""

import dataclasses

from haiku_spectral.config import phases
from haiku_spectral.config.schema import (
  MIXERS,
  RECORD_BYTES,
  Config,
  DataConfig,
  FilterConfig,
  ModelConfig,
  RateConfig,
  parse_lengths,
  parse_mixture,
  require,
)


def validate_model(model: ModelConfig) -> None:
  """Raises a ValueError that names the field, its value and what is allowed."""
  require(
      bool(model.pattern) and set(model.pattern) <= set(MIXERS), 'model.pattern', model.pattern,
      'letters out of ' + ', '.join(f'{k} ({v})' for k, v in MIXERS.items()),
  )
  length = len(model.pattern)
  require(
      model.layers > 0 and model.layers % length == 0, 'model.layers', model.layers,
      f'a positive multiple of the length of the pattern {model.pattern!r} ({length})',
  )
  require(model.width > 0, 'model.width', model.width, 'a positive number')
  require(model.mlp_width > 0, 'model.mlp_width', model.mlp_width, 'a positive number')
  require(model.hyena.order >= 2, 'model.hyena.order', model.hyena.order, '2 or more')
  require(model.hyena.short_width >= 1, 'model.hyena.short_width', model.hyena.short_width,
          '1 or more')
  _validate_filter(model.hyena.filter)
  for name, heads in (('memory', model.memory.heads), ('attention', model.attention.heads)):
    require(heads > 0 and model.width % heads == 0, f'model.{name}.heads', heads,
            f'a divisor of config.model.width={model.width}')
  head_width = model.width // model.attention.heads
  require(head_width % 2 == 0, 'model.attention.heads', model.attention.heads,
          f'heads of even width for the rotation (width {model.width} gives {head_width})')
  memory = model.memory
  require(memory.rule in ('gated', 'delta'), 'model.memory.rule', memory.rule,
          "'gated' or 'delta'")
  require(memory.short_width >= 1, 'model.memory.short_width', memory.short_width, '1 or more')
  require(memory.block >= 1, 'model.memory.block', memory.block, '1 or more')
  require(0 < memory.min_time_constant <= memory.max_time_constant,
          'model.memory.min_time_constant', memory.min_time_constant,
          f'more than 0, at most max_time_constant={memory.max_time_constant}')
  window, block = model.attention.window, model.attention.block
  require(window >= 1, 'model.attention.window', window, '1 or more')
  require(block >= 1 and window % block == 0, 'model.attention.block', block,
          f'a divisor of config.model.attention.window={window}')


def _validate_filter(filters: FilterConfig) -> None:
  prefix = 'model.hyena.filter.'
  require(filters.kind in ('network', 'modal'), prefix + 'kind', filters.kind,
          "'network' or 'modal'")
  require(filters.horizon >= 2, prefix + 'horizon', filters.horizon, '2 or more')
  for name in ('sinusoids', 'hidden', 'modes'):
    require(getattr(filters, name) >= 1, prefix + name, getattr(filters, name), '1 or more')
  require(0 < filters.min_time_constant <= filters.max_time_constant,
          prefix + 'min_time_constant', filters.min_time_constant,
          f'more than 0, at most max_time_constant={filters.max_time_constant}')
  require(filters.kind != 'network' or filters.max_time_constant <= filters.horizon,
          prefix + 'max_time_constant', filters.max_time_constant,
          f'at most the horizon ({filters.horizon}), or the filter is cut before it has faded')


def _validate_data(data: DataConfig) -> None:
  parse_mixture(data.mixture)
  require(data.batch_size > 0, 'data.batch_size', data.batch_size, 'a positive number')
  require(data.span > 0, 'data.span', data.span, 'a positive number')
  require(0 <= data.carried_rows <= data.batch_size, 'data.carried_rows', data.carried_rows,
          f'0 to config.data.batch_size={data.batch_size}')
  require(0 <= data.history < RECORD_BYTES, 'data.history', data.history,
          f'0 to {RECORD_BYTES - 1} bytes: there is no more before a window in its record')
  _validate_segment('data.segment', data.segment, data.span)


def _validate_segment(field: str, segment: int, span: int) -> None:
  require(segment > 0 and RECORD_BYTES % segment == 0, field, segment,
          f'a divisor of the record length {RECORD_BYTES}')
  walk = segment * span
  require(RECORD_BYTES % walk == 0 or walk % RECORD_BYTES == 0, 'data.span', span,
          f'a number such that segment x span ({segment} x span) divides {RECORD_BYTES}, or is a '
          'multiple of it')


def _validate_curriculum(config: Config) -> None:
  names = [phase.name for phase in config.curriculum]
  for number, phase in enumerate(config.curriculum):
    field = f'curriculum[{number}].'
    require(bool(phase.name) and names.index(phase.name) == number, field + 'name', phase.name,
            'a name that no other phase has')
    parse_mixture(phase.mixture, field + 'mixture')
    _validate_segment(field + 'segment', phase.segment, config.data.span)
    lengths = list(parse_lengths(phase.warmup_lengths, field + 'warmup_lengths'))
    require(all(phase.segment % length == 0 for length in lengths)
            and phase.segment not in lengths, field + 'warmup_lengths', phase.warmup_lengths,
            f'lengths that divide config.{field}segment={phase.segment} and are shorter')
  for number, planned in enumerate(phases.plan(config) if config.curriculum else ()):
    field, budget = f'curriculum[{number}].', config.curriculum[number].bytes
    require(all(stage.steps > 0 for stage in planned.stages), field + 'bytes', budget,
            f'so many that each length gets at least {config.data.batch_size} x '
            f'{planned.data.segment} bytes (config.data.batch_size, config.{field}segment)')
    _validate_rate(field + 'rate.', planned.rate, planned.steps, f'the {planned.steps} steps of '
                   f'the phase {planned.name!r}')


def _validate_rate(field: str, rate: RateConfig, steps: int, of_steps: str) -> None:
  require(rate.learning_rate > 0, field + 'learning_rate', rate.learning_rate, 'a positive number')
  require(rate.schedule in ('cosine', 'wsd'), field + 'schedule', rate.schedule,
          "'cosine' or 'wsd'")
  require(0 <= rate.warmup_steps < steps, field + 'warmup_steps', rate.warmup_steps,
          f'0 or more and fewer than {of_steps}')
  require(0 < rate.decay_fraction <= 1, field + 'decay_fraction', rate.decay_fraction,
          'more than 0, at most 1')
  require(0 <= rate.final_fraction <= 1, field + 'final_fraction', rate.final_fraction, '0 to 1')


def _validate_train(config: Config) -> None:
  train, data = config.train, config.data
  require(0 <= train.seed < 2**31, 'train.seed', train.seed, '0 to 2^31 - 1')
  if config.curriculum:
    require(train.steps == 0, 'train.steps', train.steps,
            '0: the bytes of the phases (config.curriculum) say how many there are')
  else:
    require(train.steps > 0, 'train.steps', train.steps, 'a positive number')
  require(train.precision in ('float32', 'bfloat16', 'float16'), 'train.precision',
          train.precision, "'float32', 'bfloat16' or 'float16'")
  require(train.accumulation > 0 and data.batch_size % train.accumulation == 0,
          'train.accumulation', train.accumulation,
          f'a divisor of config.data.batch_size={data.batch_size}')
  for name in ('log_every', 'eval_every', 'eval_batches', 'extrapolation_every',
               'checkpoint_every'):
    require(getattr(train, name) >= 0, f'train.{name}', getattr(train, name), '0 or more')
  require(train.keep_latest >= 1, 'train.keep_latest', train.keep_latest, '1 or more')
  optimizer = train.optimizer
  if not config.curriculum:
    _validate_rate('train.optimizer.', optimizer, train.steps, f'config.train.steps={train.steps}')
  else:
    for rate in dataclasses.fields(RateConfig):
      value = getattr(optimizer, rate.name)
      require(value == rate.default, f'train.optimizer.{rate.name}', value,
              f'it for each phase, config.curriculum[0].rate.{rate.name} and so on')
  for name in ('b1', 'b2'):
    require(0 <= getattr(optimizer, name) < 1, f'train.optimizer.{name}',
            getattr(optimizer, name), '0 or more and less than 1')
  for name in ('weight_decay', 'filter_learning_rate_scale'):
    require(0 <= getattr(optimizer, name) < float('inf'), f'train.optimizer.{name}',
            getattr(optimizer, name), '0 or more')
  require(optimizer.clip_norm > 0, 'train.optimizer.clip_norm', optimizer.clip_norm,
          'a positive number')
  require(train.guard.spike_factor > 1, 'train.guard.spike_factor', train.guard.spike_factor,
          'more than 1')
  require(train.guard.average_steps >= 1, 'train.guard.average_steps',
          train.guard.average_steps, '1 or more')
  require(train.guard.max_consecutive_skips >= 1, 'train.guard.max_consecutive_skips',
          train.guard.max_consecutive_skips, '1 or more')


def _validate_reach(config: Config) -> None:
  """What a mixer reaches for must come up in training, or it first meets it in use."""
  model, data = config.model, config.data
  segment = max(phase.data.segment for phase in phases.plan(config))
  met = segment * (data.span if data.carried_rows else 1)
  allowed = (f'at most the {met} bytes that a row reads before its state is reset '
             '(data.segment, times data.span when rows are carried)')
  if 'A' in model.pattern:
    window = model.attention.window
    require(window <= met, 'model.attention.window', window, allowed)
  if 'H' in model.pattern and model.hyena.filter.kind == 'network':
    horizon = model.hyena.filter.horizon
    require(horizon <= met, 'model.hyena.filter.horizon', horizon, allowed)


def validate(config: Config) -> Config:
  """Returns the config, or raises a ValueError that names the first field that is wrong."""
  validate_model(config.model)
  _validate_data(config.data)
  _validate_curriculum(config)
  _validate_reach(config)
  _validate_train(config)
  return config
