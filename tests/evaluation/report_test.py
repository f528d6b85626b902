"""What people and programs read of an evaluation."""

import dataclasses
import json
import math
import os

import numpy as np
from absl.testing import absltest
from matplotlib import image

from haiku_spectral.evaluation import plot, report
from haiku_spectral.evaluation.bootstrap import Estimate


def factor(number, full, cut, documents=3):
  doubt = 0.1 if documents > 1 else None

  def estimate(value):
    return Estimate(value, doubt and value - doubt, doubt and value + doubt)

  return report.Factor(
      factor=number, start=number * 16, reach=number * 32, documents=documents,
      bytes=documents * number * 16, full=estimate(full), cut=estimate(cut),
      gain=estimate(cut - full))


REPORT = report.Report(
    train_length=32, max_factor=4, documents=3, skipped=2, longest=64, bytes=192,
    bits_per_byte=Estimate(2.0, 1.5, 2.5),
    factors=(factor(1, 2.0, 2.0), factor(2, 2.2, 2.0)),
    octaves=(report.Octave(start=0, end=1, bytes=3, bits_per_byte=5.0),),
    baselines=report.Baselines(
        train_bytes=1000, unigram=4.5, trigram=3.25, unigram_entropy=4.25),
    source='runs/nano')


class ReportTest(absltest.TestCase):

  def test_success_is_that_the_interval_stays_above_the_margin(self):
    def success(gain, over_runs=None):
      return dataclasses.replace(
          factor(2, 2.0, 2.0), gain=gain, gain_over_runs=over_runs).success

    self.assertTrue(success(Estimate(0.0, -0.0019, 0.0019)))
    self.assertFalse(success(Estimate(0.0, -0.0021, 0.0021)))
    self.assertFalse(success(Estimate(-0.01, -0.011, -0.009)))
    self.assertFalse(success(Estimate(0.1, -0.1, 0.3)))  # The mean is good, and shows nothing.
    self.assertIsNone(success(Estimate(0.1, None, None)))
    sure = Estimate(0.1, 0.09, 0.11)
    self.assertTrue(success(sure, sure))
    self.assertFalse(success(sure, Estimate(0.1, -0.1, 0.3)))

  def test_age_of_the_state_beside_what_training_has_shown(self):
    found = dataclasses.replace(REPORT, trained_context=16)
    text = report.to_text(found)
    self.assertIn('states of up to 16 bytes', text)
    self.assertIn(' 4x ', text)  # Factor 2 ends at byte 64.
    self.assertEqual(json.loads(report.to_json(found))['factors'][1]['of_trained_context'], 4)
    self.assertNotIn('Of trained:', report.to_text(REPORT))

  def test_several_runs(self):
    several = dataclasses.replace(factor(2, 2.0, 2.0), gain_over_runs=Estimate(0.5, 0.25, 0.75))
    found = dataclasses.replace(REPORT, runs=3, factors=(several,))
    text = report.to_text(found)
    self.assertIn('Means over 3 runs', text)
    self.assertIn('[+0.2500, +0.7500]', text)
    self.assertEqual(
        json.loads(report.to_json(found))['factors'][0]['gain_over_runs']['low'], 0.25)

  def test_json_holds_all_numbers_and_what_follows_from_them(self):
    read = json.loads(report.to_json(REPORT))
    self.assertEqual(read['factors'][1]['factor'], 2)
    self.assertEqual(read['factors'][1]['full'], factor(2, 2.2, 2.0).full._asdict())
    self.assertEqual(read['factors'][1]['perplexity_cut'], 4.0)
    self.assertFalse(read['factors'][1]['success'])
    self.assertAlmostEqual(read['factors'][1]['gain_percent'], -10)
    self.assertAlmostEqual(read['octaves'][0]['nats_per_byte'], 5 * math.log(2))
    self.assertEqual(read['bits_per_byte']['low'], 1.5)
    self.assertEqual(read['baselines']['trigram'], 3.25)

  def test_text_says_everything(self):
    text = report.to_text(REPORT)
    for part in ('runs/nano', 'Trained at 32 bytes. 3 held-out documents', '2 shorter than 3/4',
                 'No document reaches beyond 2x of the 4x asked for', '-0.2000', '-10.00', 'NO',
                 '[-0.3000, -0.1000]', 'this model, full context', '2.0000', 'byte trigram',
                 '3.2500',
                 'byte unigram', '4.5000', '4.2500', 'nats/byte'):
      self.assertIn(part, text)
    self.assertLessEqual(max(map(len, text.splitlines())), 115)

  def test_columns_are_aligned(self):
    lines = report.to_text(REPORT).splitlines()
    start = next(i for i, line in enumerate(lines) if line.lstrip().startswith('context'))
    self.assertLen({len(line) for line in lines[start:start + 3]}, 1)

  def test_one_document_is_said_to_have_no_interval(self):
    text = report.to_text(dataclasses.replace(REPORT, factors=(factor(1, 2.0, 2.0, documents=1),)))
    self.assertIn('(one document)', text)

  def test_without_baselines(self):
    self.assertNotIn('unigram', report.to_text(dataclasses.replace(REPORT, baselines=None)))


class PlotTest(absltest.TestCase):

  def _save(self, found):
    path = os.path.join(self.create_tempdir().full_path, 'plot.png')
    plot.save(found, path)
    return image.imread(path)

  def test_picture_is_drawn_with_labels_units_and_training_length(self):
    figure = plot.figure(REPORT)
    above, below = figure.axes
    self.assertEqual(above.get_ylabel(), 'bits per byte')
    self.assertIn('gain, bits per byte', below.get_ylabel())
    self.assertEqual(above.get_title(loc='left'), 'Trained at 32 B, scored to 64 B')
    self.assertEqual(below.get_xscale(), 'log')
    self.assertEqual([label.get_text() for label in below.get_xticklabels()],
                     ['32 B\nn = 3', '64 B\nn = 3'])
    full = next(line for line in above.lines if line.get_label() == 'full context')
    np.testing.assert_array_equal(full.get_xydata(), [[32, 2.0], [64, 2.2]])

  def test_sizes_in_bytes(self):
    self.assertEqual([plot.bytes_label(size) for size in (512, 1024, 65536, 2**21)],
                     ['512 B', '1 KiB', '64 KiB', '2 MiB'])

  def test_png(self):
    self.assertEqual(self._save(REPORT).shape, (1200, 1440, 4))

  def test_one_factor_of_one_document(self):
    found = dataclasses.replace(REPORT, factors=(factor(1, 2.0, 2.0, documents=1),))
    self.assertLess(self._save(found).min(), 0.5)


if __name__ == '__main__':
  absltest.main()
