"""Sums against Python's, and the machine against all programs that are not the right one."""

import itertools
import re

import hypothesis
import hypothesis.strategies as st
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.tasks import arithmetic
from haiku_spectral.tasks.column_addition import add
from tests.fixed_examples import fixed_examples
from tests.tasks import trusted

FAMILY = arithmetic.Arithmetic()


def written(a, b, program):
  try:
    return add(a, b, program)
  except ValueError:
    return None


def carries(a, b):
  """For each column of the sum whether it carries: by remainders, without adding columns."""
  places = [10**place for place in range(1, len(str(a + b)) + 1)]
  return [a % place + b % place >= place for place in places]


class ArithmeticTest(parameterized.TestCase):

  @parameterized.parameters(
      (347, 589, '6c3c9'), (0, 0, '0'), (7, 9, '6c1'), (1, 2, '3'), (999, 999, '8c9c9c1'),
      (500, 500, '000c1'), (10, 90, '00c1'), (123456, 654321, '777777'),
      (999999, 100001, '0c0c0c0c0c1c1'), (25, 25, '0c5'))
  def test_checked_by_hand(self, a, b, program):
    self.assertEqual(add(a, b, program), a + b)

  @hypothesis.given(st.integers(1, 6), st.sampled_from(('train', 'heldout')), st.integers(0))
  @fixed_examples(300)
  def test_answers_are_the_sum_and_its_carries(self, depth, split, seed):
    problem = FAMILY.propose(np.random.default_rng(seed), depth, split)
    a, b = map(int, re.fullmatch(r'(\d+)\+(\d+)=', problem.prompt).groups())
    self.assertEqual((len(str(a)), len(str(b))), (depth, depth))
    columns = re.findall('([0-9])(c?)', problem.answer)
    self.assertEqual(''.join(digit for digit, _ in reversed(columns)), str(a + b))
    self.assertEqual([mark == 'c' for _, mark in columns], carries(a, b))

  def test_one_program_of_all_is_right(self):
    columns = [digit + mark for digit in '0123456789' for mark in ('', 'c')]
    programs = [''.join(each) for size in (1, 2)
                for each in itertools.product(columns, repeat=size)]
    for a, b in itertools.product(range(10), repeat=2):
      right = [program for program in programs if written(a, b, program) is not None]
      self.assertLen(right, 1)
      self.assertEqual(add(a, b, right[0]), a + b)

  @hypothesis.given(st.integers(1, 6), st.integers(0))
  @fixed_examples(100)
  def test_every_small_change_is_rejected(self, depth, seed):
    problem = FAMILY.propose(np.random.default_rng(seed), depth, 'train')
    right = problem.answer
    self.assertTrue(trusted.accepts(FAMILY, problem, right))
    changed = {right[:place] + new + right[place + size:] for place in range(len(right) + 1)
               for size in (0, 1) for new in ('', *'0123456789c')} - {right}
    for completion in changed:
      self.assertFalse(trusted.accepts(FAMILY, problem, completion), completion)

  def test_other_types_and_numbers_are_rejected(self):
    problem = arithmetic.Problem('arithmetic', 1, '0+1', '0+1=', '1', (((0, 1), 1),))
    self.assertTrue(FAMILY.check(problem, trusted.outcome(value=1)))
    for value in (True, 1.0, '1', [1], None, 2, 10, np.int64(1)):
      self.assertFalse(FAMILY.check(problem, trusted.outcome(value=value)), value)

  @parameterized.parameters(
      ('347', '3c', 'the column of 1 is 16, not 3'),
      ('347', '6c3c', 'the column of 100 is missing'),
      ('347', '6c3c90', 'nothing is left to add at the column of 1000'),
      ('347', '63c9', 'the column of 1 is 16, not 6 with a carry of 0'))
  def test_the_machine_says_which_column_is_wrong(self, a, program, message):
    with self.assertRaisesRegex(ValueError, message):
      add(int(a), 589, program)

  @parameterized.parameters('c', 'c6', '6cc', '936 ', '-1', '6C3', '٣', '1' * 8, '9_3', '0x1')
  def test_what_is_no_program(self, completion):
    problem = FAMILY.propose(np.random.default_rng(0), 3, 'train')
    self.assertIsNone(FAMILY.job(problem, completion))

  def test_a_pair_is_the_same_object_in_either_order(self):
    rng = np.random.default_rng(0)
    seen = {}
    for _ in range(300):
      problem = FAMILY.propose(rng, 1, 'heldout')
      seen.setdefault(problem.key, set()).add(problem.prompt)
    self.assertTrue(any(len(prompts) == 2 for prompts in seen.values()))
    for key, prompts in seen.items():
      a, b = key.split('+')
      self.assertLessEqual(prompts, {f'{a}+{b}=', f'{b}+{a}='})

  def test_the_sandbox_gets_a_text_that_needs_nothing(self):
    self.assertNotRegex(arithmetic.MACHINE, r'(?m)^\s*(import|from) ')


if __name__ == '__main__':
  absltest.main()
