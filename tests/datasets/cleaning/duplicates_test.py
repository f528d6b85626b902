"""Duplicates: equal texts always, texts alike as often as the theory says, in any grouping."""

import random

import hypothesis
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies

from datasets.cleaning import duplicates


def words(seed, count):
  letters = random.Random(seed)
  return [''.join(letters.choices('abcdefgh', k=6)) for _ in range(count)]


def changed(text, share, seed):
  """The words with a share of them replaced."""
  rng = random.Random(seed)
  places = set(rng.sample(range(len(text)), round(share * len(text))))
  return [f'new{seed}x{i}' if i in places else word for i, word in enumerate(text)]


def overlap(one, other):
  """How much the sets of five-word shingles overlap."""
  sets = [{tuple(text[i:i + 5]) for i in range(len(text) - 4)} for text in (one, other)]
  return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def alike(one, other):
  hashes = [duplicates.bands(' '.join(text).encode()) for text in (one, other)]
  return bool((hashes[0] == hashes[1]).any())


class DuplicatesTest(parameterized.TestCase):

  @parameterized.parameters((0.005, 0.99), (0.03, 0.6), (0.05, 0.25), (0.2, 0.0))
  def test_similar_texts_are_found_as_often_as_the_theory_says(self, share, least):
    found, expected = [], []
    for seed in range(60):
      text = words(seed, 300)
      other = changed(text, share, seed)
      found.append(alike(text, other))
      expected.append(1 - (1 - overlap(text, other)**duplicates.ROWS)**duplicates.BANDS)
    self.assertGreaterEqual(np.mean(expected), least)
    spread = np.sqrt(np.mean(np.multiply(expected, np.subtract(1, expected))) / len(found))
    self.assertAlmostEqual(np.mean(found), np.mean(expected), delta=4 * spread + 0.02)

  def test_other_texts_share_nothing(self):
    hashes = np.concatenate([duplicates.bands(' '.join(words(i, 200)).encode()) for i in range(99)])
    self.assertLen(set(hashes.tolist()), len(hashes))

  def test_layout_and_case_do_not_matter_but_order_does(self):
    text = words(1, 100)
    plain = duplicates.bands(' '.join(text).encode())
    np.testing.assert_array_equal(plain, duplicates.bands('\n\t '.join(text).upper().encode()))
    self.assertFalse(alike(text, text[::-1]))

  @parameterized.parameters('', '   ', 'one', 'one two three')
  def test_texts_of_few_words(self, text):
    self.assertEqual(duplicates.bands(text.encode()).shape, (duplicates.BANDS,))
    self.assertFalse((duplicates.bands(text.encode()) == duplicates.bands(b'other')).any())

  def test_large_texts_are_read_in_pieces(self):
    text = words(3, 30_000)
    with absltest.mock.patch.object(duplicates, 'PIECE_BYTES', 20_000):
      self.assertTrue(alike(text, ['new', *text]))
      self.assertFalse(alike(text, words(4, 30_000)))

  def test_digests_are_those_of_the_text_alone(self):
    np.testing.assert_array_equal(duplicates.digest(b'a'), duplicates.digest(b'a'))
    self.assertTrue((duplicates.digest(b'a') != duplicates.digest(b'b')).all())

  @hypothesis.given(
      strategies.lists(strategies.lists(strategies.integers(0, 9), max_size=8), max_size=5),
      strategies.integers(1, 9))
  def test_repeats_do_not_depend_on_the_grouping(self, files, group):
    seen, expected = set(), []
    for key in (key for file in files for key in file):
      expected.append(key in seen)
      seen.add(key)
    total = len(expected)
    narrow = [np.array(file, np.uint64) for file in files]
    for arrays in (narrow, [np.stack([keys % 3, keys], axis=1) for keys in narrow]):
      keys = [lambda array=array: array for array in arrays]
      with absltest.mock.patch.object(duplicates, 'GROUP_KEYS', group):
        self.assertEqual(duplicates.repeats(keys, total).tolist(), expected)


if __name__ == '__main__':
  absltest.main()
