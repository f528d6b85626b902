"""Splits: fixed, disjoint, complete, never without validation."""

import hashlib
import itertools
import os

import hypothesis
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from datasets import splits
from tests.fixed_examples import fixed_examples

names_of_files = st.lists(st.text(min_size=1), min_size=2, max_size=60, unique=True)


def different(names):
  """Contents of which no two are equal."""
  return {name: name.encode('utf-8', 'surrogatepass') for name in names}


class SplitsTest(parameterized.TestCase):

  @fixed_examples()
  @hypothesis.given(names_of_files, st.sampled_from(((0.05, 0.05), (0.5, 0.4), (0.9, 0.0))))
  def test_every_document_once_and_none_without_validation(self, names, fractions):
    validation, test = fractions
    assigned = splits.assign(different(names), validation=validation, test=test)
    self.assertCountEqual([name for part in assigned.values() for name in part], names)
    self.assertContainsSubset({'train', 'validation'}, assigned)
    self.assertTrue(all(assigned.values()))

  @fixed_examples()
  @hypothesis.given(names_of_files)
  def test_independent_of_the_order_in_which_files_are_found(self, names):
    self.assertEqual(splits.assign(different(names)), splits.assign(different(names[::-1])))

  def test_shares_are_those_asked_for(self):
    names = [f'folder/{i}.txt' for i in range(10_000)]
    assigned = splits.assign(different(names), validation=0.2, test=0.1)
    self.assertAlmostEqual(len(assigned['validation']) / 10_000, 0.2, delta=0.015)
    self.assertAlmostEqual(len(assigned['test']) / 10_000, 0.1, delta=0.015)

  def test_more_files_move_no_file(self):
    few = splits.assign(different(f'{i}.txt' for i in range(500)))
    many = splits.assign(different(f'{i}.txt' for i in range(2000)))
    for split, part in few.items():
      self.assertContainsSubset(part, many[split])

  def test_order_mixes_neighbours_and_is_fixed(self):
    part = splits.assign(different(f'{i:03}.txt' for i in range(300)))['train']
    self.assertNotEqual(part, sorted(part))
    self.assertEqual(part[:3], ['294.txt', '241.txt', '059.txt'])  # Data on disk depends on this.

  def test_ids_are_fixed_distinct_and_fit_int64(self):
    ids = [splits.document_id(f'{i}.txt') for i in range(10_000)]
    self.assertLen(set(ids), 10_000)
    self.assertLess(max(ids), 2**63)
    self.assertEqual(splits.document_id('0.txt'), ids[0])

  def test_names_that_are_not_text_have_ids(self):
    name = os.fsdecode(b'\xff.txt')
    self.assertEqual(splits.document_id(name), 6139318281863008431)
    self.assertNotEqual(splits.document_id(name), splits.document_id('\xff.txt'))

  @parameterized.parameters(
      (0, 'found 0 document: training'), (1, 'found 1 document: training needs at least 2'),
      (2, 'found 1 document and a copy of it: training needs at least 2 different ones'),
      (4, 'found 1 document and 3 copies of it: training'))
  def test_too_few_texts(self, count, message):
    with self.assertRaisesRegex(ValueError, message):
      splits.assign({f'{i}': b'the same' for i in range(count)})

  @fixed_examples()
  @hypothesis.given(
      st.dictionaries(st.text(min_size=1), st.integers(0, 20), min_size=2, max_size=60),
      st.sampled_from(((0.05, 0.05), (0.5, 0.4), (0.9, 0.0))))
  def test_copies_are_in_one_split(self, numbers, fractions):
    contents = {name: bytes([number]) for name, number in numbers.items()}
    hypothesis.assume(len(set(contents.values())) >= 2)
    assigned = splits.assign(contents, validation=fractions[0], test=fractions[1])
    self.assertCountEqual([name for part in assigned.values() for name in part], contents)
    self.assertContainsSubset({'train', 'validation'}, assigned)
    texts = [{contents[name] for name in part} for part in assigned.values()]
    self.assertLen(set().union(*texts), sum(map(len, texts)))

  def test_a_copy_moves_no_document(self):
    names = [f'{i}.txt' for i in range(500)]
    without = splits.assign(different(names))
    contents = different(names) | {f'{name} (copy)': name.encode() for name in names}
    self.assertEqual(splits.count_copies(contents), 500)
    for split, part in splits.assign(contents).items():
      self.assertEqual([name for name in part if name in names], without[split])
      self.assertCountEqual(part, without[split] + [f'{name} (copy)' for name in without[split]])

  @fixed_examples()
  @hypothesis.given(st.text('ab\r\n\ufeff'), st.lists(st.integers(0, 40)), st.booleans())
  def test_content_is_told_without_mark_and_line_ends_however_it_is_fed(self, text, cuts, mark):
    data = ('\ufeff' * mark + text).encode()
    content, places = splits.ContentDigest(), sorted({0, *cuts, len(data)})
    for start, stop in itertools.pairwise(places):
      content.update(data[start:stop])
    plain = text if mark else text.removeprefix('\ufeff')
    plain = plain.replace('\r\n', '\n').replace('\r', '\n').encode()
    expected = hashlib.blake2b(plain, digest_size=16).digest()
    self.assertEqual(content.digest(), expected)
    self.assertEqual(splits.content_digest(data), expected)

  @parameterized.parameters((0.0, 0.1), (-0.1, 0.1), (0.5, 0.5), (0.1, -0.1), (float('nan'), 0.1))
  def test_fractions_that_leave_a_split_empty(self, validation, test):
    with self.assertRaisesRegex(ValueError, 'are not allowed: give a validation above 0'):
      splits.assign(different('ab'), validation=validation, test=test)


if __name__ == '__main__':
  absltest.main()
