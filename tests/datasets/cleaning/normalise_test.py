"""One form for one text: the reference is Python's own, on the whole text at once."""

import unicodedata

import hypothesis
from absl.testing import absltest
from hypothesis import strategies

from datasets.cleaning import normalise

texts = strategies.text(
    strategies.sampled_from('aşei\u0301\u0308\u0327\u1100\u1161\u11a8\n\r\t\0\x85é'))


class NormaliseTest(absltest.TestCase):

  @hypothesis.given(texts, strategies.integers(1, 8))
  def test_nfc_of_pieces_is_that_of_the_text(self, text, size):
    with absltest.mock.patch.object(normalise.pieces, '__defaults__', (size,)):
      self.assertEqual(normalise.nfc(text.encode()).decode(), unicodedata.normalize('NFC', text))

  @hypothesis.given(strategies.binary(), strategies.integers(1, 8))
  def test_pieces_end_with_line_feeds_and_lose_nothing(self, text, size):
    pieces = list(normalise.pieces(text, size))
    self.assertEqual(b''.join(pieces), text)
    for piece in pieces[:-1]:
      self.assertGreaterEqual(len(piece), size)
      self.assertEqual(piece[-1:], b'\n')
      self.assertNotIn(b'\n', piece[size - 1:-1])

  @hypothesis.given(texts)
  def test_no_control_character_is_left(self, text):
    expected = ''.join(
        character for character in text.replace('\r\n', '\n').replace('\r', '\n')
        if character in '\t\n' or unicodedata.category(character) != 'Cc')
    self.assertEqual(normalise.without_control(text.encode()).decode(), expected)

  def test_letters_that_share_bytes_with_control_characters_stay(self):
    text = 'Å ç ÿ ā 中 \U0001f642 \xa0'.encode()
    self.assertEqual(normalise.without_control(text), text)


if __name__ == '__main__':
  absltest.main()
