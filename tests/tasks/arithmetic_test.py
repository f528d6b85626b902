"""Sums against Python's, and the machine against all programs that are not the right one."""

import itertools
import re

import hypothesis
import hypothesis.strategies as st
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.tasks import arithmetic, named_columns
from haiku_spectral.tasks.column_addition import add
from tests.fixed_examples import fixed_examples
from tests.tasks import trusted

FAMILY = arithmetic.Arithmetic()
COLUMNS = arithmetic.ColumnAddition()


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

  @hypothesis.given(st.integers(1, 40), st.sampled_from(('train', 'heldout')), st.integers(0))
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

  @parameterized.parameters('c', 'c6', '6cc', '936 ', '-1', '6C3', '٣', '1' * 42, '9_3', '0x1')
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

  @parameterized.parameters(
      (347, 589, 'PCX', 'P7p9gC4c8dX3x59+'), (0, 0, 'D', 'D0d00+'),
      (999, 1, 'ABC', 'A9a1aB9b0aC9c0a+'), (99, 99, 'ZA', 'Z9z9iA9a9j+'), (7, 9, 'Z', 'Z7z9g+'),
      (15, 25, 'AB', 'A5a5aB1b24+'))
  def test_named_columns_checked_by_hand(self, a, b, names, program):
    self.assertEqual(named_columns.add(a, b, names, program), a + b)

  @hypothesis.given(st.integers(1, 26), st.sampled_from(('train', 'gate', 'heldout')),
                    st.integers(0))
  @fixed_examples(200)
  def test_named_columns_spell_the_sum(self, depth, split, seed):
    problem = COLUMNS.propose(np.random.default_rng(seed), depth, split)
    numbers = [re.findall('([A-Za-z])([0-9])', part) for part in problem.prompt[1:-1].split('+')]
    self.assertEqual([name.lower() for name, _ in numbers[0]], [name for name, _ in numbers[1]])
    a, b = (int(''.join(digit for _, digit in reversed(part))) for part in numbers)
    self.assertEqual((len(str(a)), len(str(b)), len(numbers[0])), (depth, depth, depth))
    results = problem.answer[4::5]
    digits = [str('abcdefghij'.index(each)) if each in 'abcdefghij' else each for each in results]
    last = '1' * (results[-1] in 'abcdefghij')
    self.assertEqual(int(last + ''.join(reversed(digits))), a + b)
    self.assertEqual([each in 'abcdefghij' for each in results], carries(a, b)[:depth])
    self.assertLen(set(problem.answer[0::5]), depth + 1)  # No name comes twice, + is behind them.

  @hypothesis.given(st.integers(1, 8), st.integers(0))
  @fixed_examples(40)
  def test_every_small_change_of_named_columns_is_rejected(self, depth, seed):
    problem = COLUMNS.propose(np.random.default_rng(seed), depth, 'train')
    right = problem.answer
    self.assertTrue(trusted.accepts(COLUMNS, problem, right))
    changed = {right[:place] + new + right[place + size:] for place in range(len(right) + 1)
               for size in (0, 1, 5) for new in ('', *'0123456789ab+P')} - {right}
    for completion in changed:
      self.assertFalse(trusted.accepts(COLUMNS, problem, completion), completion)

  @parameterized.parameters(
      ('P7p9gC4c8d', "column X is not ''"), ('P7p9gC4c8d+', r"column X is not '\+'"),
      ('P7p9gC4c8dX3x59S0s00+', 'missing behind the last'),
      ('P7p9gC4c8dX3x59', 'missing behind the last'), ('P7p96', "column P is not 'P7p96'"))
  def test_the_machine_of_named_columns_says_what_is_wrong(self, program, message):
    with self.assertRaisesRegex(ValueError, message):
      named_columns.add(347, 589, 'PCX', program)

  @parameterized.parameters(arithmetic.MACHINE, arithmetic.NAMED_MACHINE)
  def test_the_sandbox_gets_a_text_that_needs_nothing(self, machine):
    self.assertNotRegex(machine, r'(?m)^\s*(import|from) ')


if __name__ == '__main__':
  absltest.main()
