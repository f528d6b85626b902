"""Ticks of axes, and numbers as people read them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

_STEPS = (1, 2, 2.5, 5, 10)


def linear_ticks(low: float, high: float, count: int = 5) -> list[float]:
  """About `count` round numbers from `low` to `high`."""
  if not high > low:
    return [low]
  rough = (high - low) / count
  power = 10.0 ** math.floor(math.log10(rough))
  step = next(each * power for each in _STEPS if each * power >= rough * 0.999)
  first = math.ceil(low / step - 1e-9)
  return [round(number * step, 12) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def power_ticks(low: float, high: float, base: float, count: int = 8) -> list[float]:
  """Powers of a base from `low` to `high`, or every second or third of them."""
  first = math.ceil(math.log(low, base) - 1e-9)
  last = math.floor(math.log(high, base) + 1e-9)
  every = max(1, -(-(last - first + 1) // count))
  return [base**power for power in range(first, last + 1, every)]


def log_ticks(low: float, high: float) -> list[float]:
  """1, 2, 5, 10, 20, ... from `low` to `high`, or round numbers where these are few."""
  decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
  for leading in ((1,), (1, 2, 5)):
    ticks = [digit * 10.0**decade for decade in decades for digit in leading]
    ticks = [tick for tick in ticks if low <= tick <= high]
    if len(ticks) >= 4:
      return ticks
  return linear_ticks(low, high)


def count(number: int, noun: str) -> str:
  """'1 document', '1,000 documents'."""
  return f'{number:,} {noun}' + ('' if number == 1 else 's')


def short(value: float) -> str:
  """At most four digits, and k, M, G for thousands: 0.0125, 3.5, 900, 1.5k, 12M."""
  for limit, unit in ((1e9, 'G'), (1e6, 'M'), (1e4, 'k')):
    if abs(value) >= limit:
      return f'{value / (1e3 if unit == "k" else limit):.4g}{unit}'
  return f'{value:,.4g}' if abs(value) < 1000 else f'{value:,.0f}'


def interval(value: Mapping[str, Any], decimals: int, *, signed: bool = False) -> str:
  """The interval of an estimate as JSON holds it, in brackets; '' where it has none."""
  if value.get('low') is None or value.get('high') is None:
    return ''
  form = f'{"+" if signed else ""}.{decimals}f'
  return f'[{value["low"]:{form}}, {value["high"]:{form}}]'


def size(count: float) -> str:
  """Bytes: 1,024 -> '1 KiB'."""
  for unit, name in ((2**30, 'GiB'), (2**20, 'MiB'), (2**10, 'KiB')):
    if count >= unit:
      return f'{count / unit:.3g} {name}'
  return f'{count:.0f} B'


def known(values: Sequence[float | None]) -> list[float]:
  """The values that are there and finite."""
  return [value for value in values if value is not None and math.isfinite(value)]
