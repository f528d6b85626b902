"""Fields of configs: what is allowed in one, and what it is for, stand beside its default."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from haiku_spectral.requirement import require

RULE = 'rule'
# Marks. Fields that change speed and memory, and what is computed by rounding alone, may change
# between runs and are no part of what identifies a model.
SPEED_ONLY = 'speed_only'
MONITORING = 'monitoring'  # How long a run lasts and how it is watched: may change as it goes on.


class Rule(NamedTuple):
  """Which values a field may have."""

  at_least: float = -math.inf
  above: float = -math.inf
  at_most: float = math.inf
  below: float = math.inf
  choices: tuple[str, ...] = ()
  unit: str = ''  # 'bytes'

  def holds(self, value: Any) -> bool:
    """Whether a value is allowed."""
    if self.choices:
      return value in self.choices
    return self.at_least <= value <= self.at_most and self.above < value < self.below

  def allowed(self) -> str:
    """What is, in words: '2 or more', '0 to 1', 'more than 0, at most 1', "'a' or 'b'"."""
    if self.choices:
      return ', '.join(map(repr, self.choices[:-1])) + f' or {self.choices[-1]!r}'
    unit = f' {self.unit}' if self.unit else ''
    if math.isfinite(self.at_least) and math.isfinite(self.at_most):
      return f'{self.at_least} to {self.at_most}{unit}'
    bounds = ((f'{self.at_least} or more', self.at_least), (f'more than {self.above}', self.above),
              (f'at most {self.at_most}', self.at_most), (f'less than {self.below}', self.below))
    words = [words for words, bound in bounds if math.isfinite(bound)]
    return ', '.join(words) + unit if words else 'a finite number'


def field(default: Any, *, speed_only: bool = False, monitoring: bool = False, **rule: Any) -> Any:
  """A dataclass field with marks; the other keywords are those of its `Rule`."""
  return dataclasses.field(
      default=default,
      metadata={SPEED_ONLY: speed_only, MONITORING: monitoring, RULE: Rule(**rule)})


def check(config: Any, path: str) -> None:
  """Raises a ValueError for the first value, in a config or in one within it, that is not allowed.

  `path` is what the user calls the config: 'config.model'.
  """
  for field_, value, name in _walk(config, path):
    rule = field_.metadata.get(RULE, Rule())
    if type(value) is int:
      # Devices count in 32 bits; what is counted on the host alone (bytes of a phase) has no rule.
      limit = 31 if RULE in field_.metadata else 63
      require(abs(value) < 2**limit, name, value, f'a number below 2^{limit}')
    if rule.choices or type(value) in (int, float):
      finite = rule.choices or math.isfinite(value)
      require(rule.holds(value), name, value, rule.allowed() if finite else 'a finite number')


def marked(config: Any, mark: str, path: str = 'config') -> list[str]:
  """The paths ('config.model.remat') of the fields with a mark, in a config and those within it."""
  return [name for field_, _, name in _walk(config, path) if field_.metadata.get(mark)]


def unmarked(config: Any, mark: str) -> Any:
  """Nested dicts of all fields but those with a mark."""
  if not dataclasses.is_dataclass(config):
    return config
  return {field_.name: unmarked(getattr(config, field_.name), mark)
          for field_ in dataclasses.fields(config) if not field_.metadata.get(mark)}


def _walk(config: Any, path: str) -> Iterator[tuple[dataclasses.Field[Any], Any, str]]:
  """All fields with their values and paths, those of configs within configs after their owners."""
  for field_ in dataclasses.fields(config):
    value, name = getattr(config, field_.name), f'{path}.{field_.name}'
    yield field_, value, name
    if isinstance(value, tuple):
      for number, each in enumerate(value):
        yield from _walk(each, f'{name}[{number}]')
    elif dataclasses.is_dataclass(value):
      yield from _walk(value, name)
