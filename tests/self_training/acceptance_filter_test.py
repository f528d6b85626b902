"""What may become training data, and what may not."""

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.self_training import acceptance_filter
from haiku_spectral.tasks import registry
from haiku_spectral.tasks.verified_sample import ACCEPTED
from tests.self_training import stand_ins

FAMILY = stand_ins.Doubling()
TRAIN = [number for number in range(1000) if FAMILY.split(str(number)) == 'train']
HELDOUT = [number for number in range(1000) if FAMILY.split(str(number)) == 'heldout']


def candidate(number, completion='x', verdict=ACCEPTED, depth=1):
  return acceptance_filter.Candidate(FAMILY.problem(number, depth), completion, verdict)


def choose(candidates, easy=(), seen=(), heldout=()):
  return acceptance_filter.choose(candidates, family=FAMILY, easy=easy, seen=seen, heldout=heldout)


class AcceptanceFilterTest(parameterized.TestCase):

  @parameterized.parameters('wrong', 'malformed', 'failed', 'unstable')
  def test_what_is_not_right_keeps_its_verdict(self, verdict):
    self.assertEqual(choose([candidate(TRAIN[0], verdict=verdict)]), [verdict])

  def test_at_most_two_programs_for_a_prompt(self):
    self.assertEqual(choose([candidate(TRAIN[0], text) for text in 'abc']),
                     [ACCEPTED, ACCEPTED, acceptance_filter.ENOUGH])

  def test_nothing_twice_within_a_round_or_after_another(self):
    problem = FAMILY.problem(TRAIN[1])
    self.assertEqual(
        choose([candidate(TRAIN[0], 'a'), candidate(TRAIN[0], 'a'), candidate(TRAIN[1], 'b')],
               seen=[(problem.prompt, 'b')]),
        [ACCEPTED, acceptance_filter.SEEN, acceptance_filter.SEEN])

  def test_at_most_two_programs_for_a_prompt_in_all_rounds_together(self):
    one, two = FAMILY.problem(TRAIN[0]).prompt, FAMILY.problem(TRAIN[1]).prompt
    self.assertEqual(
        choose([candidate(TRAIN[0], 'c'), candidate(TRAIN[1], 'b'), candidate(TRAIN[1], 'c')],
               seen=[(one, 'a'), (one, 'b'), (two, 'a')]),
        [acceptance_filter.ENOUGH, ACCEPTED, acceptance_filter.ENOUGH])

  def test_another_spelling_is_no_other_program(self):
    family = registry.family('functions')
    generator, problems = np.random.default_rng(0), []
    while len(problems) < 2:
      problems.append(family.propose(generator, 2, 'train'))
    first, second = problems
    spellings = [(first, '[y+1 for y in x]'), (first, '[y+1  for y in  x]'),
                 (first, '[z+1 for z in x]'), (second, '([y+1 for y in x])'),
                 (second, 'list(y+1 for y in x)')]
    verdicts = acceptance_filter.choose(
        [acceptance_filter.Candidate(problem, text, ACCEPTED) for problem, text in spellings],
        family=family, easy=(), seen=[(second.prompt, '[n+1 for n in x]')], heldout=())
    self.assertEqual(verdicts, [ACCEPTED, 'seen', 'seen', 'seen', ACCEPTED])

  def test_a_wrong_sample_takes_no_place(self):
    self.assertEqual(
        choose([candidate(TRAIN[0], 'a', 'wrong'), candidate(TRAIN[0], 'b', 'wrong'),
                candidate(TRAIN[0], 'c')]), ['wrong', 'wrong', ACCEPTED])

  def test_nothing_of_the_held_out_side(self):
    self.assertEqual(choose([candidate(HELDOUT[0])]), [acceptance_filter.HELDOUT])
    prompt = FAMILY.problem(TRAIN[0]).prompt
    self.assertEqual(choose([candidate(TRAIN[0])], heldout={prompt}), [acceptance_filter.HELDOUT])

  @parameterized.parameters((8, 10), (7, 10), (0, 3), (40, 4))
  def test_at_most_a_fifth_from_below_the_frontier(self, hard, easy):
    candidates = [candidate(number, depth=1) for number in TRAIN[:easy]]
    candidates += [candidate(number, depth=3) for number in TRAIN[easy:easy + hard]]
    verdicts = choose(candidates, easy=[1])
    kept = [c.problem.depth for c, v in zip(candidates, verdicts, strict=True) if v == ACCEPTED]
    self.assertEqual(kept.count(3), hard)
    self.assertEqual(kept.count(1), min(easy, hard // 4))
    self.assertLessEqual(kept.count(1), 0.2 * len(kept))


if __name__ == '__main__':
  absltest.main()
