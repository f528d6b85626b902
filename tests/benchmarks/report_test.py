"""What people and programs read of a benchmark: tables, JSON, the picture."""

import json
import pathlib

import numpy as np
from absl.testing import absltest, parameterized
from matplotlib import image

from haiku_spectral.benchmarks import decode, plot, report

FLAT = report.Section('Flat', 'How it was.', [
    {'position': 1024, 'ms per byte': 2.5, 'how': 'online'},
    {'position': 1048576, 'ms per byte': 12.25, 'how': 'x'},
])
BASELINE = report.Section('Baseline', 'Why not.', [
    {'context': 1024, 'ours, ms per byte': 3.0, 'transformer, ms per token': 4.0},
    {'context': 8192, 'ours, ms per byte': 3.5, 'transformer, ms per token': 9.0},
])
SKIPPED = report.Section('Baseline', 'Skipped: no network.', ())


class TableTest(parameterized.TestCase):

  @parameterized.parameters(
      (1234567, '1,234,567'), (0.0012345, '0.00123'), (1.0, '1.00'), (12.34, '12.3'),
      (1234.5, '1,234'), (0.0, '0.00'), (float('inf'), 'inf'), ('eager', 'eager'),
      (-0.25, '-0.250'))
  def test_cells(self, value, text):
    self.assertEqual(report.cell(value), text)

  def test_markdown(self):
    self.assertEqual(report.markdown(FLAT), '\n'.join([
        '## Flat', '',
        '|  position | ms per byte | how    |',
        '| --------: | ----------: | ------ |',
        '|     1,024 |        2.50 | online |',
        '| 1,048,576 |        12.2 | x      |',
        '', 'How it was.']))

  def test_skipped_section_is_its_reason(self):
    self.assertEqual(report.markdown(SKIPPED), '## Baseline\n\nSkipped: no network.')

  def test_written_for_people_and_programs(self):
    folder = pathlib.Path(self.create_tempdir().full_path, 'new')
    text, numbers = report.write(
        folder, 'Suite decode', {'cores': 2}, {'flat': FLAT, 'baseline': SKIPPED})
    self.assertEqual(text.read_text(), '\n\n'.join([
        '# Suite decode', 'cores 2', report.markdown(FLAT), report.markdown(SKIPPED)]) + '\n')
    found = json.loads(numbers.read_text())
    self.assertEqual(found['sections']['flat']['rows'], FLAT.rows)
    self.assertEqual(found['machine'], {'cores': 2})


class PlotTest(absltest.TestCase):

  def test_lines_are_the_times_by_position(self):
    axes, = plot.figure({'ours': {1024: 2.5, 64: 2.0}, 'GPT-2': {64: 1.0}, 'none': {}},
                        title='Time', ylabel='ms', xlabel='bytes').axes
    self.assertEqual((axes.get_xscale(), axes.get_yscale()), ('log', 'log'))
    lines = {line.get_label(): line.get_xydata() for line in axes.lines}
    np.testing.assert_array_equal(lines['ours'], [[64, 2.0], [1024, 2.5]])
    np.testing.assert_array_equal(lines['GPT-2'], [[64, 1.0]])
    self.assertLen(lines, 2)
    self.assertEqual([label.get_text() for label in axes.get_xticklabels()], ['64 B', '1 K'])

  def test_drawn_from_what_was_measured(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    path, = decode.draw({'flat': FLAT, 'baseline': BASELINE}, folder)
    self.assertEqual(image.imread(path).shape, (800, 1440, 4))

  def test_both_sections_give_the_lines(self):
    ours, theirs = decode.lines({'flat': FLAT, 'baseline': BASELINE})
    self.assertEqual(ours, {1024: 2.5, 8192: 3.5, 1048576: 12.25})  # `flat` wins.
    self.assertEqual(theirs, {1024: 4.0, 8192: 9.0})
    self.assertEqual(decode.lines({'baseline': SKIPPED}), ({}, {}))

  def test_nothing_to_draw(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    self.assertEmpty(decode.draw({'baseline': SKIPPED}, folder))
    self.assertEmpty(list(folder.iterdir()))


if __name__ == '__main__':
  absltest.main()
