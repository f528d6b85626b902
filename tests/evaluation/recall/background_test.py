"""Backgrounds are endless, and any piece of one is the same however it is asked for."""

import collections

import hypothesis
import hypothesis.strategies as st
from absl.testing import absltest

from haiku_spectral.evaluation.recall import background
from tests.evaluation.recall import paragraphs
from tests.fixed_examples import fixed_examples

MAKE = (paragraphs.filler().shuffled, background.Noise)


class BackgroundTest(absltest.TestCase):

  @hypothesis.given(
      start=st.integers(0, 20_000), count=st.integers(0, 9000), make=st.sampled_from(MAKE))
  @fixed_examples(40)
  def test_a_piece_is_the_same_however_it_is_asked_for(self, start, count, make):
    whole = make((1, 2)).take(0, start + count)
    self.assertEqual(whole.size, start + count)
    self.assertEqual(make((1, 2)).take(start, count).tobytes(), whole[start:].tobytes())

  def test_seeds_differ(self):
    for make in MAKE:
      self.assertNotEqual(make((1, 2)).take(0, 500).tobytes(), make((1, 3)).take(0, 500).tobytes())

  def test_each_pass_holds_every_paragraph_once_in_another_order(self):
    filler = paragraphs.filler()
    size = sum(len(paragraph) + 2 for paragraph in filler.paragraphs)
    both = filler.shuffled((7,)).take(0, 2 * size).tobytes()
    first, second = both[:size], both[size:]
    self.assertNotEqual(first, second)
    for data in (first, second):
      found = collections.Counter(data.removesuffix(b'\n\n').split(b'\n\n'))
      self.assertEqual(found, collections.Counter(filler.paragraphs))

  def test_characters_that_are_cut(self):
    filler = background.Filler('aé麺🍞'.encode()).shuffled((0,))  # Of 1, 2, 3 and 4 bytes.
    self.assertEqual([background.cut_before(filler, stop) for stop in range(12)],
                     [0, 0, 1, 0, 1, 2, 0, 1, 2, 3, 0, 0])
    self.assertEqual([background.cut_after(filler, start) for start in range(12)],
                     [0, 0, 1, 0, 2, 1, 0, 3, 2, 1, 0, 0])

  def test_long_paragraphs_are_cut_at_lines(self):
    lines = [b'line %d' % number for number in range(1000)]
    self.assertEqual(background.Filler(b'\n'.join(lines)).paragraphs, lines)

  def test_text_without_a_paragraph(self):
    with self.assertRaisesRegex(ValueError, 'give a text with at least one paragraph'):
      background.Filler(b' \n\n \n')


if __name__ == '__main__':
  absltest.main()
