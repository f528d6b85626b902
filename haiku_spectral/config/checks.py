"""What a user's values must be for one another; what each must be alone stands beside its field.

A mistake is answered with the field, the value and what to give.
"""

import dataclasses

from haiku_spectral.config import fields, phases
from haiku_spectral.config.schema import (
  MIXERS,
  RECORD_BYTES,
  Config,
  DataConfig,
  FilterConfig,
  MemoryConfig,
  ModelConfig,
  RateConfig,
  parse_lengths,
  parse_mixture,
  parse_orders,
  parse_words,
)
from haiku_spectral.requirement import require


def validate_model(model: ModelConfig) -> None:
  """Raises a ValueError that names the field, its value and what is allowed."""
  fields.check(model, 'config.model')
  require(
      bool(model.pattern) and set(model.pattern) <= set(MIXERS), 'config.model.pattern',
      model.pattern, 'letters out of ' + ', '.join(f'{k} ({v})' for k, v in MIXERS.items()))
  length = len(model.pattern)
  require(
      model.layers % length == 0, 'config.model.layers', model.layers,
      f'a positive multiple of the length of the pattern {model.pattern!r} ({length})')
  _validate_filter(model.hyena.filter)
  for name, heads in (('memory', model.memory.heads), ('attention', model.attention.heads)):
    require(model.width % heads == 0, f'config.model.{name}.heads', heads,
            f'a divisor of config.model.width={model.width}')
  head_width = model.width // model.attention.heads
  require(head_width % 2 == 0, 'config.model.attention.heads', model.attention.heads,
          f'heads of even width for the rotation (width {model.width} gives {head_width})')
  _validate_time_constants('config.model.memory.', model.memory)
  orders, words = parse_orders(model.ngram.orders), parse_words(model.ngram.words)
  require(bool(orders) or not words,
          'config.model.ngram.words', model.ngram.words, "'' without config.model.ngram.orders")
  require(model.ngram.slots.bit_count() == 1, 'config.model.ngram.slots', model.ngram.slots,
          'a power of two')
  parse_orders(model.counts.orders, 'config.model.counts.orders')
  for name, value in (('match.slots', model.match.slots), ('match.ring', model.match.ring),
                      ('counts.slots', model.counts.slots)):
    require(value.bit_count() == 1, f'config.model.{name}', value, 'a power of two')
  window, block = model.attention.window, model.attention.block
  require(window % block == 0, 'config.model.attention.block', block,
          f'a divisor of config.model.attention.window={window}')


def _validate_filter(filters: FilterConfig) -> None:
  path = 'config.model.hyena.filter.'
  _validate_time_constants(path, filters)
  require(filters.kind != 'network' or filters.max_time_constant <= filters.horizon,
          path + 'max_time_constant', filters.max_time_constant,
          f'at most the horizon ({filters.horizon}), or the filter is cut before it has faded')


def _validate_time_constants(path: str, owner: FilterConfig | MemoryConfig) -> None:
  require(owner.min_time_constant <= owner.max_time_constant,
          path + 'min_time_constant', owner.min_time_constant,
          f'more than 0, at most max_time_constant={owner.max_time_constant}')


def _validate_data(data: DataConfig) -> None:
  parse_mixture(data.mixture)
  require(data.stateful_rows <= data.batch_size, 'config.data.stateful_rows', data.stateful_rows,
          f'0 to config.data.batch_size={data.batch_size}')
  _validate_segment('config.data.segment', data.segment, data.chunk_segments)


def _validate_segment(name: str, segment: int, chunk_segments: int) -> None:
  require(RECORD_BYTES % segment == 0 or segment % RECORD_BYTES == 0, name, segment,
          f'a divisor of the record length {RECORD_BYTES}, or a multiple of it')
  chunk = segment * chunk_segments
  require(RECORD_BYTES % chunk == 0 or chunk % RECORD_BYTES == 0,
          'config.data.chunk_segments', chunk_segments,
          f'a number that, times the segment ({segment}), divides {RECORD_BYTES}, or is a multiple '
          'of it')


def _validate_curriculum(config: Config) -> None:
  names = [phase.name for phase in config.curriculum]
  for number, phase in enumerate(config.curriculum):
    path = f'config.curriculum[{number}].'
    require(bool(phase.name) and names.index(phase.name) == number, path + 'name', phase.name,
            'a name that no other phase has')
    parse_mixture(phase.mixture, path + 'mixture')
    _validate_segment(path + 'segment', phase.segment, config.data.chunk_segments)
    lengths = list(parse_lengths(phase.warmup_lengths, path + 'warmup_lengths'))
    require(all(phase.segment % length == 0 for length in lengths)
            and phase.segment not in lengths, path + 'warmup_lengths', phase.warmup_lengths,
            f'lengths that divide {path}segment={phase.segment} and are shorter')
  for number, planned in enumerate(phases.plan(config) if config.curriculum else ()):
    path, budget = f'config.curriculum[{number}].', config.curriculum[number].bytes
    require(all(stage.steps > 0 for stage in planned.stages), path + 'bytes', budget,
            f'so many that each length gets at least {config.data.batch_size} x '
            f'{planned.data.segment} bytes (config.data.batch_size, {path}segment)')
    _validate_warmup(path + 'rate.', planned.rate, planned.steps,
                     f'the {planned.steps} steps of the phase {planned.name!r}')


def _validate_warmup(path: str, rate: RateConfig, steps: int, of_steps: str) -> None:
  require(rate.warmup_steps < steps, path + 'warmup_steps', rate.warmup_steps,
          f'0 or more and fewer than {of_steps}')


def _validate_train(config: Config) -> None:
  train, data = config.train, config.data
  require(data.batch_size % train.accumulation == 0, 'config.train.accumulation',
          train.accumulation, f'a divisor of config.data.batch_size={data.batch_size}')
  planned = {stage.segment for phase in phases.plan(config) for stage in phase.stages}
  for segment in {data.segment, *planned}:
    require(not train.chunk or segment <= train.chunk or segment % train.chunk == 0,
            'config.train.chunk', train.chunk, f'a divisor of the segment {segment}, or 0')
  require(phases.total_steps(config) < 2**31, 'config.curriculum', phases.total_steps(config),
          'fewer than 2,147,483,648 steps in all')
  both = bool(config.model.ngram.orders) and config.model.match.length > 0
  require(both or not train.hide_contexts, 'config.train.hide_contexts', train.hide_contexts,
          '0 without both config.model.ngram.orders and config.model.match.length')
  if not config.curriculum:
    require(train.steps > 0, 'config.train.steps', train.steps, 'a positive number')
    _validate_warmup('config.train.optimizer.', train.optimizer, train.steps,
                     f'config.train.steps={train.steps}')
    return
  require(train.steps == 0, 'config.train.steps', train.steps,
          '0: the bytes of the phases (config.curriculum) say how many there are')
  for rate in dataclasses.fields(RateConfig):
    value = getattr(train.optimizer, rate.name)
    require(value == rate.default, f'config.train.optimizer.{rate.name}', value,
            f'it for each phase, config.curriculum[0].rate.{rate.name} and so on')


def _validate_reach(config: Config) -> None:
  """What a mixer reaches for must come up in training, or it first meets it in use."""
  model, data = config.model, config.data
  segment = max(phase.data.segment for phase in phases.plan(config))
  met = segment * (data.chunk_segments if data.stateful_rows else 1)
  allowed = (f'at most the {met} bytes that a row is trained on before its state is reset '
             '(data.segment, times data.chunk_segments where there are stateful rows)')
  if 'A' in model.pattern:
    window = model.attention.window
    require(window <= met, 'config.model.attention.window', window, allowed)
  if 'H' in model.pattern and model.hyena.filter.kind == 'network':
    horizon = model.hyena.filter.horizon
    require(horizon <= met, 'config.model.hyena.filter.horizon', horizon, allowed)


def validate(config: Config) -> Config:
  """Returns the config, or raises a ValueError that names the first field that is wrong."""
  fields.check(config, 'config')
  validate_model(config.model)
  _validate_data(config.data)
  _validate_curriculum(config)
  _validate_reach(config)
  _validate_train(config)
  require(config.model.online_head.rate == 0, 'config.model.online_head.rate',
          config.model.online_head.rate, '0: trained models have an online head (--online_rate)')
  return config
