"""What holds for every family: its problems, its reference answers, its split, its refusals."""

import dataclasses
import itertools

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.sandbox.result import Status
from haiku_spectral.tasks import problem, registry
from tests.tasks import trusted

CASES = [(f'{name}_{depth}_{split}', name, depth, split) for name, family in
         registry.FAMILIES.items() for split in problem.SPLITS
         for depth in sorted({1, 2, 3, 4, 6, 7, family.depths[-1]})]
SAMPLED = 12  # Problems of each.


def draw(name, depth, split, count=SAMPLED, seed=0):
  rng = np.random.default_rng((seed, depth))
  return [registry.family(name).propose(rng, depth, split) for _ in range(count)]


class FamiliesTest(parameterized.TestCase):

  @parameterized.named_parameters(CASES)
  def test_reference_answers_are_right_and_others_are_not(self, name, depth, split):
    family, problems = registry.family(name), draw(name, depth, split)
    for each, other in itertools.pairwise(problems):
      self.assertTrue(trusted.accepts(family, each, each.answer), each)
      if [expected for _, expected in each.hidden] != [expected for _, expected in other.hidden]:
        result = trusted.run(family.job(other, other.answer))
        self.assertFalse(family.check(each, result), (each, other))

  @parameterized.named_parameters(CASES)
  def test_problems_are_as_asked(self, name, depth, split):
    family = registry.family(name)
    for each in draw(name, depth, split):
      self.assertEqual((each.family, each.depth, family.split(each.key)), (name, depth, split))
      self.assertLessEqual(len((each.answer + problem.STOP).encode()), family.max_bytes)
      self.assertLessEqual(len(each.prompt.encode()), 192)
      self.assertNotIn(problem.STOP, each.prompt + each.answer)

  @parameterized.named_parameters(CASES)
  def test_the_same_generator_draws_the_same_problems(self, name, depth, split):
    first = draw(name, depth, split, count=5)
    self.assertEqual(first, draw(name, depth, split, count=5))
    self.assertNotEqual(first, draw(name, depth, split, count=5, seed=1))

  @parameterized.parameters(*registry.FAMILIES)
  def test_no_two_sides_have_an_object_in_common(self, name):
    sides = [{each.key for depth in (1, 2, 3, 7)
              for each in draw(name, depth, split)} for split in problem.SPLITS]
    for one, other in itertools.combinations(sides, 2):
      self.assertEmpty(one & other)
    self.assertGreater(min(map(len, sides)), 20)

  @parameterized.parameters(*registry.FAMILIES)
  def test_only_a_run_that_ended_well_can_be_right(self, name):
    family = registry.family(name)
    each = draw(name, 3, 'train', count=1)[0]
    value = trusted.run(family.job(each, each.answer)).value
    for status in Status:
      self.assertEqual(family.check(each, trusted.outcome(status, value)), status is Status.OK)

  @parameterized.parameters(*registry.FAMILIES)
  def test_what_is_expected_does_not_enter_the_sandbox(self, name):
    family = registry.family(name)
    for each, other in itertools.pairwise(draw(name, 4, 'train')):
      blind = dataclasses.replace(
          each, answer='', hidden=tuple((args, None) for args, _ in each.hidden))
      self.assertEqual(family.job(each, other.answer), family.job(blind, other.answer))

  @parameterized.product(name=tuple(registry.FAMILIES), completion=(
      '', ' ', '\n', '+pl\n', 'x\n', '1\n', 'ev\n', '\x00', '\ud800', 'x' * 500, '1' * 500,
      'e' * 500, '+pl' * 100))
  def test_malformed(self, name, completion):
    each = draw(name, 2, 'train', count=1)[0]
    self.assertIsNone(registry.family(name).job(each, completion))

  @parameterized.parameters(*registry.FAMILIES)
  def test_jobs_are_literals_and_name_their_function(self, name):
    for each in draw(name, 2, 'heldout', count=5):
      job = registry.family(name).job(each, each.answer)
      self.assertIn(f'def {job.function}(', job.source)
      self.assertTrue(problem.identical(eval(repr(job.args), {}), job.args))

  @parameterized.product(name=tuple(registry.FAMILIES), depth=(0, 41, -1))
  def test_depth_out_of_range(self, name, depth):
    family = registry.family(name)
    with self.assertRaisesRegex(
        ValueError,
        f'depth={depth} is not allowed: {name} has the depths 1 to {family.depths[-1]}'):
      family.propose(np.random.default_rng(0), depth, 'train')

  @parameterized.parameters(*registry.FAMILIES)
  def test_unknown_split(self, name):
    with self.assertRaisesRegex(
        ValueError, "split='test' is not allowed: choose one of train, gate, heldout"):
      draw(name, 1, 'test')

  def test_unknown_family(self):
    with self.assertRaisesRegex(ValueError, "family='sums' does not exist: .*turkish_suffixes, "):
      registry.family('sums')

  def test_registered_under_their_names(self):
    self.assertEqual(list(registry.FAMILIES),
                     ['turkish_suffixes', 'turkish_steps', 'turkish_synthesis', 'column_addition',
                      'arithmetic', 'functions'])
    for name, family in registry.FAMILIES.items():
      self.assertEqual(family.name, name)


if __name__ == '__main__':
  absltest.main()
