"""The table, the claim and its test, on evaluations of which the answer is known."""

import json
import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.self_training import claim as claims
from haiku_spectral.self_training import evaluation as evaluations
from haiku_spectral.self_training import outcomes, report
from tests.self_training import stand_ins

PROMPTS, ATTEMPTS = 200, 8
GOLDEN, UNFILTERED = 'golden', 'unfiltered'


def evaluation(rate, seed=0, *, easy=0.9, luck=6, bits=3.0, objects=None):
  """pass@1 `easy` at the labelled depths 1 and 2, `rate` deeper."""
  generator, same = np.random.default_rng(seed), np.random.default_rng(0)
  rates = {'1': easy, '2': easy, '3': rate, '4': rate}
  draws = {depth: (same if depth in '12' else generator).random(PROMPTS) for depth in rates}
  return evaluations.Evaluation(
      10, 2, bits, {depth: (draws[depth] < value).tolist() for depth, value in rates.items()},
      {depth: [(place * PROMPTS + number) % (objects or 10**6) for number in range(PROMPTS)]
       for place, depth in enumerate(rates)},
      ATTEMPTS, {depth: [luck] * 10 for depth in rates})


def write(root, seed, *, ended='completed', **arms):
  """Base and the rounds of each arm, which have ended."""
  evaluations.save(_place(root / f'seed_{seed}/base'), evaluation(0.5, seed))
  for arm, rounds in arms.items():
    for number, one in enumerate(rounds, 1):
      evaluations.save(_place(root / f'seed_{seed}/{arm}/round_{number}'), one)
    if ended:
      outcomes.save(root / f'seed_{seed}/{arm}/outcome.json',
                    outcomes.Outcome(ended if arm == GOLDEN else 'completed', len(rounds)))


def _place(folder):
  folder.mkdir(parents=True)
  return folder / 'evaluation.json'


class ReportTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)

  def seeds(self, count, golden, unfiltered=lambda seed: evaluation(0.5, seed + 200), **options):
    for seed in range(count):
      write(self.root, seed, golden=[golden(seed)], unfiltered=[unfiltered(seed)], **options)
    return claims.test(report.read(self.root))

  def text(self):
    found = report.read(self.root)
    return report.to_text(found, claims.test(found))

  def test_a_gain_holds_and_its_size_is_right(self):
    for seed in range(5):
      write(self.root, seed, golden=[evaluation(0.6, seed + 10), evaluation(0.8, seed + 20)],
            unfiltered=[evaluation(0.5, seed + 30), evaluation(0.6, seed + 40)],
            oracle=[evaluation(0.9, seed + 50), evaluation(0.9, seed + 60)])
    text = report.write(self.root)
    self.assertStartsWith(text, 'HOLDS: "the loop improves the model", over 5 seeds. golden - ')
    found = json.loads((self.root / 'report.json').read_text())
    gain, _, easy = (part['estimate'] for part in found['claim']['parts'])
    self.assertAlmostEqual(gain['value'], 0.2, delta=0.05)
    self.assertBetween(gain['high'] - gain['low'], 0.02, 0.2)
    self.assertEqual(easy, {'value': 0.0, 'low': 0.0, 'high': 0.0})
    self.assertTrue(found['claim']['holds'])
    beside = {part['name'].split(',')[0]: part['estimate']['value']
              for part in found['claim']['beside']}
    self.assertAlmostEqual(beside['golden - oracle'], -0.1, delta=0.05)
    self.assertAlmostEqual(beside['golden - base'], 0.3, delta=0.05)
    self.assertLen(found['arms']['golden']['1'], 3)
    self.assertEqual((self.root / 'report.png').read_bytes()[:4], b'\x89PNG')
    mean = next(row for row in map(str.split, text.splitlines()) if row[:2] == ['golden', 'mean'])
    deep = [np.mean(evaluation(0.8, seed + 20).greedy[depth])
            for seed in range(5) for depth in ('3', '4')]
    self.assertEqual(float(mean[6]), round(np.mean(deep), 3))

  def test_one_seed_claims_nothing_over_seeds(self):
    claim = self.seeds(1, lambda seed: evaluation(0.9, 1))
    self.assertGreater(claim.parts[0].estimate.low, 0)  # Over its problems.
    self.assertFalse(claim.holds)
    text = claims.text(claim)
    self.assertStartsWith(text, 'NOT CLAIMED: one seed (0) supports no claim over seeds. ')
    self.assertIn('intervals over the problems of this seed', text)

  def test_fewer_than_five_seeds_are_told(self):
    self.seeds(2, lambda seed: evaluation(0.9, seed + 100))
    self.assertIn(', over 2 seeds (5 are wanted). golden', self.text())

  def test_a_gain_of_one_seed_in_five_is_none(self):
    claim = self.seeds(5, lambda seed: evaluation(1.0 if seed == 0 else 0.5, seed + 100))
    self.assertGreater(claim.parts[0].estimate.value, 0.05)
    self.assertFalse(claim.holds)  # Though over problems alone it would be.
    self.assertStartsWith(claims.headline(claim), 'FAILS: "the loop improves the model", over 5')

  def test_success_and_failure_are_told_in_the_same_place_and_size(self):
    good = claims.text(self.seeds(3, lambda seed: evaluation(0.9, seed + 100)))
    self.root = self.root / 'bad'
    bad = claims.text(self.seeds(3, lambda seed: evaluation(0.5, seed + 100, easy=0.5)))
    for line in ('HOLDS', 'FAILS'), ('  1. golden - unfiltered',) * 2, ('  3. golden - base',) * 2:
      places = [next(place for place, row in enumerate(text.splitlines()) if row.startswith(start))
                for text, start in zip((good, bad), line, strict=True)]
      self.assertEqual(*places)
    self.assertEqual(len(good.splitlines()), len(bad.splitlines()))
    self.assertIn('wanted: yes', good)
    self.assertIn('wanted: NO', bad)

  @parameterized.parameters('no_signal', 'regression', 'mastered')
  def test_a_seed_that_ended_early_counts_and_is_named(self, kind):
    for seed in range(3):
      write(self.root, seed, golden=[evaluation(0.9, seed + 10)],
            unfiltered=[evaluation(0.5, seed + 20)])
    write(self.root, 3, golden=[], unfiltered=[], ended=kind)
    text = self.text()
    self.assertIn(', over 4 seeds', text)
    self.assertIn(f'seed 3, golden ended after 0 rounds ({kind.replace("_", " ")})', text)
    claim = claims.test(report.read(self.root))
    self.assertAlmostEqual(claim.parts[0].estimate.value, 0.3, delta=0.05)  # A quarter of it is 0.

  def test_each_arm_is_compared_after_as_many_rounds(self):
    write(self.root, 0, golden=[evaluation(0.9)], unfiltered=[evaluation(0.5), evaluation(1.0)])
    claim = claims.test(report.read(self.root))
    self.assertGreater(claim.parts[0].estimate.value, 0.3)

  def test_an_arm_with_fewer_rounds_than_golden_waits_for_them(self):
    write(self.root, 0, golden=[evaluation(0.9), evaluation(1.0)], unfiltered=[evaluation(0.5)])
    self.assertIsNone(claims.test(report.read(self.root)))

  def test_problems_about_one_object_count_as_one(self):
    def claim(size, objects):
      golden, other = evaluation(0.8, objects=objects), evaluation(0.5, objects=objects)
      if size > 1:  # Each object's problems are all solved, or none.
        wins = np.random.default_rng(1).random(objects) < 0.3
        solved = {depth: wins[golden.objects[depth]].tolist() for depth in golden.greedy}
        golden = golden._replace(greedy=solved)
        other = other._replace(greedy={depth: [False] * PROMPTS for depth in solved})
      ended = {arm: {0: outcomes.Outcome('completed', 1)} for arm in (GOLDEN, UNFILTERED)}
      return claims.test(claims.Found(
          {GOLDEN: {0: [golden, golden]}, UNFILTERED: {0: [other, other]}}, ended))

    few = claim(50, 8)
    self.assertEqual((few.problems, few.objects), (2 * PROMPTS, 8))
    width = few.parts[0].estimate.high - few.parts[0].estimate.low
    # The standard error of a share of 8 is more than 0.1, that of 400 would be 0.02.
    self.assertGreater(width, 0.3)
    self.assertEqual(claim(1, None).objects, 2 * PROMPTS)
    one = claim(1, 1)
    self.assertIsNone(one.parts[0].estimate.low)
    self.assertIn('no interval from one object', claims.text(one))

  def test_objects_are_numbered_over_all_depths(self):
    problems = [stand_ins.Doubling().problem(number, depth) for number, depth in (
        (5, 1), (7, 1), (5, 1), (7, 2), (8, 2))]
    self.assertEqual(evaluations.number_objects(problems), {'1': [0, 1, 0], '2': [1, 2]})

  def test_where_all_depths_have_labels_the_deep_ones_are_hard(self):
    some = evaluation(0.5)
    self.assertEqual((some.easy, some.hard), (['1', '2'], ['3', '4']))
    every = some._replace(labelled_depth=4)
    self.assertEqual((every.easy, every.hard), (['1', '2'], ['3', '4']))
    few = some._replace(labelled_depth=1)
    self.assertEqual((few.easy, few.hard), (['1'], ['2', '3', '4']))

  @parameterized.parameters('evaluation.json', 'outcome.json')
  def test_a_file_of_another_version_is_told(self, name):
    write(self.root, 0, golden=[])
    path = next((self.root / 'seed_0').rglob(name))
    row = json.loads(path.read_text())
    del row['objects' if 'objects' in row else 'kind']
    for text in (json.dumps(row), '[' * 100_000, '3'):
      path.write_text(text)
      with self.assertRaisesRegex(ValueError, f'{path} is damaged or of another version .*remove'):
        report.read(self.root)

  def test_lost_breadth_fails(self):
    claim = self.seeds(3, lambda seed: evaluation(0.9, seed + 100, luck=0))
    self.assertEqual([part.holds for part in claim.parts], [True, False, True])
    self.assertEqual(claim.parts[1].estimate, (-1.0, -1.0, -1.0))
    self.assertFalse(claim.holds)

  def test_an_arm_that_has_not_ended_is_shown_and_not_judged(self):
    write(self.root, 0, golden=[evaluation(0.9)], unfiltered=[evaluation(0.5)], ended='')
    text = self.text()
    self.assertStartsWith(text, 'NOT TESTED: "the loop improves the model" needs the arms golden')
    self.assertRegex(text, r'golden, round 1 +0 .* +3\.000')

  def test_rounds_are_in_the_order_of_their_numbers(self):
    write(self.root, 0, golden=[evaluation(0.5, bits=float(number)) for number in range(1, 12)])
    read = report.read(self.root).evaluations[GOLDEN][0]
    self.assertEqual([one.bits_per_byte for one in read[1:]], list(map(float, range(1, 12))))

  def test_nothing_measured_yet(self):
    with self.assertRaisesRegex(FileNotFoundError, 'no measured model'):
      report.read(self.root)


if __name__ == '__main__':
  absltest.main()
