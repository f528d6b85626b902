"""Line charts as SVG that follows the colours of the page it stands in.

Classes in the place of colours: `l0` .. `l5` are lines, `b0` .. `b5` their bands (page.css).
"""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from haiku_spectral.reporting import axis
from haiku_spectral.reporting.document import Chart, Line

WIDTH, HEIGHT = 680, 300
LEFT, RIGHT, TOP, BOTTOM = 66, 14, 14, 44
COLOURS = 6
MARKED = 24  # Up to so many points get a dot each.


class _Scale(NamedTuple):
  """From values to places."""

  place: Callable[[float], float]
  ticks: list[float]
  label: Callable[[float], str]


def svg(chart: Chart) -> str:
  """The chart without its title and legend. At least one line has a known point."""
  points = [pair for line in chart.lines for pair in _points(line)]
  x = _x_scale([x for x, _ in points], chart.bytes_x)
  ends = [value for line in chart.lines for value in axis.known([*line.low, *line.high])]
  y = _y_scale([y for _, y in points] + ends, chart.log_y)
  parts = [
      f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">',
      *_grid(x, y, chart),
      *(_band(line, x, y, number) for number, line in enumerate(chart.lines)),
      *(_line(line, x, y, number, chart) for number, line in enumerate(chart.lines)), '</svg>']
  return '\n'.join(part for part in parts if part)


def has_points(chart: Chart) -> bool:
  """Whether there is anything to draw."""
  return any(_points(line) for line in chart.lines)


def _points(line: Line) -> list[tuple[float, float]]:
  return [(x, y) for x, y in zip(line.x, line.y, strict=True)
          if y is not None and math.isfinite(y)]


def _x_scale(values: Sequence[float], in_bytes: bool) -> _Scale:
  low, high = min(values), max(values)
  inner = WIDTH - LEFT - RIGHT
  if in_bytes:
    low, high = max(low, 1) / 2**0.25, max(high, 1) * 2**0.25
    return _Scale(lambda x: LEFT + inner * math.log(max(x, 1) / low) / math.log(high / low),
                  axis.power_ticks(low, high, 2.0), axis.size)
  low, high = min(low, 0), high if high > low else low + 1
  return _Scale(lambda x: LEFT + inner * (x - low) / (high - low),
                axis.linear_ticks(low, high, 6), axis.short)


def _y_scale(values: Sequence[float], logarithmic: bool) -> _Scale:
  low, high = min(values), max(values)
  inner = HEIGHT - TOP - BOTTOM
  if logarithmic and low > 0:
    low, high = low / 1.2, high * 1.2
    return _Scale(lambda y: TOP + inner * math.log(high / y) / math.log(high / low),
                  axis.log_ticks(low, high), axis.short)
  margin = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
  low, high = low - margin if low < 0 or low - margin > 0 else 0.0, high + margin
  return _Scale(lambda y: TOP + inner * (high - y) / (high - low), axis.linear_ticks(low, high),
                axis.short)


def _grid(x: _Scale, y: _Scale, chart: Chart) -> list[str]:
  floor, parts = HEIGHT - BOTTOM, []
  for tick in y.ticks:
    at = y.place(tick)
    parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
                 f'<text class="tick" x="{LEFT - 8}" y="{at + 3.5:.1f}" text-anchor="end">'
                 f'{y.label(tick)}</text>')
  for tick in x.ticks:
    at = x.place(tick)
    parts.append(f'<line class="axis" x1="{at:.1f}" x2="{at:.1f}" y1="{floor}" y2="{floor + 4}"/>'
                 f'<text class="tick" x="{at:.1f}" y="{floor + 17}" text-anchor="middle">'
                 f'{x.label(tick)}</text>')
  middle = (TOP + floor) / 2
  return [
      *parts, f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}"/>',
      f'<text class="label" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" '
      f'text-anchor="middle">{escape(chart.x_label)}</text>',
      f'<text class="label" x="13" y="{middle}" text-anchor="middle" '
      f'transform="rotate(-90 13 {middle})">{escape(chart.y_label)}</text>']


def _band(line: Line, x: _Scale, y: _Scale, number: int) -> str:
  """The area between the ends of the intervals, where there are any."""
  ends = [(at, low, high) for at, low, high in zip(line.x, line.low, line.high, strict=False)
          if low is not None and high is not None]
  if len(ends) < 2:
    return ''
  there = [f'{x.place(at):.1f},{y.place(high):.1f}' for at, _, high in ends]
  back = [f'{x.place(at):.1f},{y.place(low):.1f}' for at, low, _ in reversed(ends)]
  return f'<polygon class="band b{number % COLOURS}" points="{" ".join(there + back)}"/>'


def _line(line: Line, x: _Scale, y: _Scale, number: int, chart: Chart) -> str:
  points = _points(line)
  places = [f'{x.place(at):.1f},{y.place(value):.1f}' for at, value in points]
  colour, dashed = f'l{number % COLOURS}', ' dashed' if line.dashed else ''
  parts = []
  if len(points) > 1:
    parts.append(f'<polyline class="line {colour}{dashed}" points="{" ".join(places)}"/>')
  visible = 'dot' if len(points) <= MARKED else 'dot ghost'
  for (at, value), place in zip(points, places, strict=True):
    left, top = place.split(',')
    shown = axis.size(at) if chart.bytes_x else f'{at:,.6g}'
    parts.append(f'<circle class="{visible} {colour}" cx="{left}" cy="{top}" r="3.2"><title>'
                 f'{escape(line.name)}: {value:.4g} at {shown}</title></circle>')
  return ''.join(parts)
