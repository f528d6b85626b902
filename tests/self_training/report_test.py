"""The table, the claim and its test, on evaluations of which the answer is known."""

import json
import pathlib

import numpy as np
from absl.testing import absltest

from haiku_spectral.self_training import evaluation as evaluations
from haiku_spectral.self_training import report
from tests.self_training import stand_ins

PROMPTS, ATTEMPTS = 200, 8


def evaluation(rate, seed=0, *, easy=0.9, luck=6, bits=3.0, objects=None):
  """pass@1 `easy` at depths 1 and 2, `rate` deeper."""
  generator = np.random.default_rng(seed)
  rates = {'1': easy, '2': easy, '3': rate, '4': rate}
  return evaluations.Evaluation(
      10, bits, {depth: (generator.random(PROMPTS) < value).tolist()
                 for depth, value in rates.items()},
      {depth: [(place * PROMPTS + number) % (objects or 10**6) for number in range(PROMPTS)]
       for place, depth in enumerate(rates)},
      ATTEMPTS, {depth: [luck] * 10 for depth in rates})


def write(root, seed, **arms):
  """Base and the rounds of each arm."""
  evaluations.save(_place(root / f'seed_{seed}/base'), evaluation(0.5, seed))
  for arm, rounds in arms.items():
    for number, one in enumerate(rounds, 1):
      evaluations.save(_place(root / f'seed_{seed}/{arm}/round_{number}'), one)


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

  def test_problems_about_one_object_count_as_one(self):
    def claim(size, objects):
      golden, control = evaluation(0.8, objects=objects), evaluation(0.5, objects=objects)
      if size > 1:  # Each object's problems are all solved, or none.
        wins = np.random.default_rng(1).random(objects) < 0.3
        solved = {depth: wins[golden.objects[depth]].tolist() for depth in golden.greedy}
        golden = golden._replace(greedy=solved)
        control = control._replace(greedy={depth: [False] * PROMPTS for depth in solved})
      found = {'golden': {0: [golden, golden]}, 'control': {0: [control, control]}}
      return report.test_claim(found)

    few = claim(50, 8)
    self.assertEqual((few.prompts, few.objects), (2 * PROMPTS, 8))
    width = few.gain.high - few.gain.low
    # The standard error of a share of 8 is more than 0.1, that of 400 would be 0.02.
    self.assertGreater(width, 0.3)
    self.assertEqual(claim(1, None).objects, 2 * PROMPTS)
    one = claim(1, 1)
    self.assertIsNone(one.gain.low)
    self.assertFalse(one.holds)
    self.assertIn('no interval from one object', report.claim_text(one))

  def test_objects_are_numbered_over_all_depths(self):
    problems = [stand_ins.Doubling().problem(number, depth) for number, depth in (
        (5, 1), (7, 1), (5, 1), (7, 2), (8, 2))]
    self.assertEqual(evaluations.number_objects(problems), {'1': [0, 1, 0], '2': [1, 2]})

  def test_an_evaluation_of_another_version_is_told(self):
    write(self.root, 0)
    path = self.root / 'seed_0/base/evaluation.json'
    row = json.loads(path.read_text())
    del row['objects']
    for text in (json.dumps(row), '[' * 100_000, '3'):
      path.write_text(text)
      with self.assertRaisesRegex(ValueError, f'{path} is damaged or of another version .*remove'):
        report.read(self.root)

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
