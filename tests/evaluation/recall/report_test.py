"""The report of recall: every number with its chance beside it, as text, JSON and picture."""

import json
import pathlib

import numpy as np
from absl.testing import absltest

from haiku_spectral.evaluation.plot import save_figure
from haiku_spectral.evaluation.recall import plot, report
from haiku_spectral.evaluation.recall.scoring import Cell


def cell(task, length, depth, exact):
  return Cell(
      task=task, length=length, depth=depth, examples=4, answers=4, exact=exact,
      byte_accuracy=0.625, first_byte=0.25, bits_per_byte=1.5, chance_exact=0.5**8,
      chance_byte=0.5, chance_bits=1.0, recallable=task != 'reset')


CELLS = [
    cell('verbatim', 1024, 0.0, 0.25), cell('verbatim', 1024, 1.0, 1.0),
    cell('verbatim', 4096, 0.0, 0.0), cell('verbatim', 4096, 1.0, 0.5),
    cell('reset', 1024, 0.0, 0.0), cell('reset', 1024, 1.0, 0.25),
    cell('reset', 4096, 0.0, 0.0), cell('reset', 4096, 1.0, 0.0)]


class ReportTest(absltest.TestCase):

  def test_a_row_for_each_task_and_length(self):
    head, *rows = report.to_text(CELLS, source='runs/x at step 3').splitlines()
    self.assertEqual(head, 'runs/x at step 3')
    rows = [row.split('  ') for row in rows if row.startswith(('verbatim', 'reset'))]
    rows = [[part.strip() for part in row if part.strip()] for row in rows]
    self.assertEqual(rows[0], [
        'verbatim', '1,024', '8', '62.5 %', '31 to 86', '25.0 % at 0', '0.4 %', '62.5 %', '25.0 %',
        '50.0 %', '1.50', '1.00'])
    # Where nothing can be known, the worst is what was known.
    self.assertEqual([row[5] for row in rows], [
        '25.0 % at 0', '0.0 % at 0', '25.0 % at 1', '0.0 % at 0'])

  def test_json_holds_every_cell(self):
    found = json.loads(report.to_json(CELLS, source='runs/x', seed=3))
    intervals = [each.pop('exact_interval') for each in found['cells']]
    self.assertEqual([Cell(**each) for each in found['cells']], CELLS)
    # Wilson's interval of none of four, and of all.
    np.testing.assert_allclose(intervals[2], [0, 0.4899], atol=1e-4)
    np.testing.assert_allclose(intervals[1], [0.5101, 1], atol=1e-4)
    self.assertEqual((found['source'], found['seed']), ('runs/x', 3))
    self.assertSameElements(found['tasks'], ['verbatim', 'reset'])

  def test_the_picture_has_depth_over_length(self):
    drawing = plot.figure(CELLS)
    panels = {axes.get_title(loc='left'): axes for axes in drawing.axes if axes.images}
    self.assertSameElements(panels, ['verbatim', 'reset: 0 is right'])
    axes = panels['verbatim']
    self.assertEqual(axes.get_title(loc='right'), 'chance 0.4 %')
    self.assertEqual(axes.images[0].get_array().tolist(), [[25.0, 0.0], [100.0, 50.0]])
    self.assertEqual([label.get_text() for label in axes.get_xticklabels()], ['1 KiB', '4 KiB'])
    self.assertEqual([label.get_text() for label in axes.get_yticklabels()], ['0', '1'])
    path = pathlib.Path(self.create_tempdir().full_path, 'recall.png')
    save_figure(drawing, path)
    self.assertTrue(path.read_bytes().startswith(b'\x89PNG'))


if __name__ == '__main__':
  absltest.main()
