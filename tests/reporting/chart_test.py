"""Charts and their ticks."""

import math
import re

import hypothesis
from absl.testing import absltest, parameterized
from hypothesis import strategies

from haiku_spectral.reporting import axis, chart
from haiku_spectral.reporting.document import Chart, Line
from tests.fixed_examples import fixed_examples

finite = strategies.floats(-1e12, 1e12, allow_nan=False)


def places(svg, what):
  """(x, y) of all circles or texts."""
  return [(float(x), float(y)) for x, y in re.findall(
      rf'<{what}[^>]*? c?x="([-\d.e]+)" c?y="([-\d.e]+)"', svg)]


class ChartTest(parameterized.TestCase):

  @fixed_examples(60)
  @hypothesis.given(strategies.lists(strategies.tuples(finite, finite), min_size=1, max_size=8),
                    strategies.booleans(), strategies.booleans())
  def test_everything_is_inside_the_picture(self, points, bytes_x, log_y):
    x, y = [abs(x) for x, _ in points], [y for _, y in points]
    svg = chart.svg(Chart('t', 'x', 'y', [Line('a', x, y)], bytes_x=bytes_x, log_y=log_y))
    self.assertNotRegex(svg, 'nan|inf')
    dots = places(svg, 'circle')
    self.assertLen(dots, len(points))
    for left, top in dots:
      self.assertBetween(left, 0, chart.WIDTH)
      self.assertBetween(top, 0, chart.HEIGHT)

  def test_more_is_higher_and_later_is_further_right(self):
    for options in ({}, {'log_y': True}, {'bytes_x': True}):
      svg = chart.svg(Chart('t', 'x', 'y', [Line('a', [1, 8, 64], [1.0, 3.0, 9.0])], **options))
      (x0, y0), (x1, y1), (x2, y2) = places(svg, 'circle')
      self.assertTrue(x0 < x1 < x2 and y0 > y1 > y2)

  def test_what_is_not_known_is_left_out(self):
    line = Line('a', [1, 2, 3], [None, 2.0, math.nan], [None, 1.0, None], [None, 3.0, None])
    self.assertLen(places(chart.svg(Chart('t', 'x', 'y', [line])), 'circle'), 1)
    self.assertTrue(chart.has_points(Chart('t', 'x', 'y', [line])))
    self.assertFalse(chart.has_points(Chart('t', 'x', 'y', [line._replace(y=[None] * 3)])))

  @parameterized.parameters(
      (0, 900, [0, 200, 400, 600, 800]), (1.2, 2.4, [1.25, 1.5, 1.75, 2.0, 2.25]), (3, 3, [3]))
  def test_linear_ticks(self, low, high, wanted):
    self.assertEqual(axis.linear_ticks(low, high), wanted)

  @parameterized.parameters(
      (0.2, 7.0, [0.2, 0.5, 1.0, 2.0, 5.0]), (0.5, 2e4, [1.0, 10.0, 100.0, 1000.0, 10000.0]),
      (1.5, 9.0, [2.0, 4.0, 6.0, 8.0]))
  def test_log_ticks(self, low, high, wanted):
    self.assertEqual(axis.log_ticks(low, high), wanted)

  def test_numbers_as_people_read_them(self):
    self.assertEqual([axis.short(x) for x in (0, 0.00025, 3.14159, 999.9, 5535, 12500, 3e6, 2e9)],
                     ['0', '0.00025', '3.142', '999.9', '5,535', '12.5k', '3M', '2G'])
    self.assertEqual([axis.size(x) for x in (1, 1024, 1536, 3 << 20, 5 << 30)],
                     ['1 B', '1 KiB', '1.5 KiB', '3 MiB', '5 GiB'])
    self.assertEqual([axis.count(n, 'step') for n in (0, 1, 1000)],
                     ['0 steps', '1 step', '1,000 steps'])


if __name__ == '__main__':
  absltest.main()
