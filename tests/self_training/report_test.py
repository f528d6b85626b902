"""The table, the claim and its test, on evaluations of which the answer is known."""

import json
import pathlib

import numpy as np
from absl.testing import absltest

from haiku_spectral.self_training import measure, report

PROMPTS, ATTEMPTS = 200, 8


def evaluation(rate, seed=0, *, easy=0.9, luck=6, bits=3.0):
  """pass@1 `easy` at depths 1 and 2, `rate` deeper."""
  generator = np.random.default_rng(seed)
  rates = {'1': easy, '2': easy, '3': rate, '4': rate}
  return measure.Evaluation(
      10, bits, {depth: (generator.random(PROMPTS) < value).tolist()
                 for depth, value in rates.items()},
      ATTEMPTS, {depth: [luck] * 10 for depth in rates})


def write(root, seed, **arms):
  """Base and the rounds of each arm."""
  measure.save(_place(root / f'seed_{seed}/base'), evaluation(0.5, seed))
  for arm, rounds in arms.items():
    for number, one in enumerate(rounds, 1):
      measure.save(_place(root / f'seed_{seed}/{arm}/round_{number}'), one)


def _place(folder):
  folder.mkdir(parents=True)
  return folder / 'evaluation.json'


class ReportTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)

  def test_a_gain_holds_and_its_size_is_right(self):
    for seed in range(3):
      write(self.root, seed, golden=[evaluation(0.6, seed + 10), evaluation(0.8, seed + 20)],
            control=[evaluation(0.5, seed + 30), evaluation(0.5, seed + 40)])
    text = report.write(self.root)
    self.assertIn('HOLDS over 3 seeds', text)
    found = json.loads((self.root / 'report.json').read_text())
    self.assertAlmostEqual(found['claim']['gain']['value'], 0.3, delta=0.05)
    self.assertTrue(found['claim']['holds'])
    self.assertLen(found['arms']['golden']['1'], 3)
    self.assertEqual((self.root / 'report.png').read_bytes()[:4], b'\x89PNG')
    mean = next(row for row in map(str.split, text.splitlines()) if row[:2] == ['golden', 'mean'])
    deep = [np.mean(evaluation(0.8, seed + 20).greedy[depth])
            for seed in range(3) for depth in ('3', '4')]
    self.assertEqual(float(mean[6]), round(np.mean(deep), 3))

  def claim(self, golden, control):
    write(self.root, 0, golden=[golden], control=[control])
    return report.test_claim(report.read(self.root))

  def test_no_difference_fails(self):
    claim = self.claim(evaluation(0.5, 1), evaluation(0.5, 2))
    self.assertLess(claim.gain.low, 0)
    self.assertFalse(claim.holds)

  def test_lost_breadth_fails(self):
    claim = self.claim(evaluation(0.9, 1, luck=0), evaluation(0.5, 2))
    self.assertGreater(claim.gain.low, 0)
    self.assertEqual(claim.lost_pass, 1.0)
    self.assertFalse(claim.holds)

  def test_lost_easy_depths_fail(self):
    claim = self.claim(evaluation(0.9, 1, easy=0.5), evaluation(0.5, 2))
    self.assertFalse(claim.holds)

  def test_arms_with_other_numbers_of_rounds_are_not_compared(self):
    write(self.root, 0, golden=[evaluation(0.9)], control=[evaluation(0.5)] * 2)
    self.assertIsNone(report.test_claim(report.read(self.root)))
    self.assertIn('is not tested', report.write(self.root))

  def test_an_arm_that_is_not_at_its_end_is_shown_and_not_judged(self):
    half = evaluation(0.9)._replace(sampled={})
    write(self.root, 0, golden=[half], control=[half])
    text = report.write(self.root)
    self.assertIn('is not tested', text)
    self.assertRegex(text, r'golden, round 1 +0 .* - +3\.000')

  def test_rounds_are_in_the_order_of_their_numbers(self):
    write(self.root, 0, golden=[evaluation(0.5, bits=float(number)) for number in range(1, 12)])
    read = report.read(self.root)['golden'][0]
    self.assertEqual([one.bits_per_byte for one in read[1:]], list(map(float, range(1, 12))))

  def test_nothing_measured_yet(self):
    with self.assertRaisesRegex(FileNotFoundError, 'no measured model'):
      report.read(self.root)


if __name__ == '__main__':
  absltest.main()
