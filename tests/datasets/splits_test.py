"""Splits: fixed, disjoint, complete, never without validation."""

import hypothesis
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from datasets import splits

names_of_files = st.lists(st.text(min_size=1), min_size=2, max_size=60, unique=True)


class SplitsTest(parameterized.TestCase):

  @hypothesis.settings(deadline=None)
  @hypothesis.given(names_of_files, st.sampled_from(((0.05, 0.05), (0.5, 0.4), (0.9, 0.0))))
  def test_every_document_once_and_none_without_validation(self, names, fractions):
    validation, test = fractions
    assigned = splits.assign(names, validation=validation, test=test)
    self.assertCountEqual([name for part in assigned.values() for name in part], names)
    self.assertContainsSubset({'train', 'validation'}, assigned)
    self.assertTrue(all(assigned.values()))

  @hypothesis.settings(deadline=None)
  @hypothesis.given(names_of_files)
  def test_independent_of_the_order_in_which_files_are_found(self, names):
    self.assertEqual(splits.assign(names), splits.assign(names[::-1]))

  def test_shares_are_those_asked_for(self):
    names = [f'folder/{i}.txt' for i in range(10_000)]
    assigned = splits.assign(names, validation=0.2, test=0.1)
    self.assertAlmostEqual(len(assigned['validation']) / 10_000, 0.2, delta=0.015)
    self.assertAlmostEqual(len(assigned['test']) / 10_000, 0.1, delta=0.015)

  def test_more_files_move_no_file(self):
    few = splits.assign([f'{i}.txt' for i in range(500)])
    many = splits.assign([f'{i}.txt' for i in range(2000)])
    for split, part in few.items():
      self.assertContainsSubset(part, many[split])

  def test_order_mixes_neighbours_and_is_fixed(self):
    part = splits.assign([f'{i:03}.txt' for i in range(300)])['train']
    self.assertNotEqual(part, sorted(part))
    self.assertEqual(part[:3], ['294.txt', '241.txt', '059.txt'])  # Data on disk depends on this.

  def test_ids_are_fixed_distinct_and_fit_int64(self):
    ids = [splits.document_id(f'{i}.txt') for i in range(10_000)]
    self.assertLen(set(ids), 10_000)
    self.assertLess(max(ids), 2**63)
    self.assertEqual(splits.document_id('0.txt'), ids[0])

  @parameterized.parameters(0, 1)
  def test_too_few_documents(self, count):
    with self.assertRaisesRegex(ValueError, f'found {count} document: training needs at least 2'):
      splits.assign([f'{i}' for i in range(count)])

  @parameterized.parameters((0.0, 0.1), (-0.1, 0.1), (0.5, 0.5), (0.1, -0.1), (float('nan'), 0.1))
  def test_fractions_that_leave_a_split_empty(self, validation, test):
    with self.assertRaisesRegex(ValueError, 'are not allowed: give a validation above 0'):
      splits.assign(['a', 'b'], validation=validation, test=test)


if __name__ == '__main__':
  absltest.main()
