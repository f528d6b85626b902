"""Bytes to ids and back, and text from bytes that come in pieces."""

import itertools

import hypothesis
import hypothesis.strategies as st
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from tests.fixed_examples import fixed_examples

SETTINGS = fixed_examples()
# Random bytes hit few sequences of UTF-8: mix in whole characters and broken ones.
BYTES = st.lists(
    st.one_of(
        st.binary(max_size=4), st.text(max_size=4).map(str.encode),
        st.sampled_from(
            [b'\xf0\x9f\x98', b'\xe2\x82', b'\xc3', b'\xed\xa0\x80', b'\xf5', b'\x80'])),
    max_size=12).map(b''.join)


def in_pieces(data, cuts):
  """Cuts `data` at positions (modulo its length)."""
  places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
  return [data[a:b] for a, b in itertools.pairwise(places)]


class VocabTest(parameterized.TestCase):

  @hypothesis.given(st.binary())
  @SETTINGS
  def test_any_bytes_come_back(self, data):
    ids = vocab.encode(data)
    self.assertEqual(ids.dtype, np.int32)
    self.assertEqual(ids.tolist(), list(data))
    self.assertEqual(vocab.decode(ids), data)

  @hypothesis.given(st.lists(st.integers(0, vocab.SIZE - 1)))
  @SETTINGS
  def test_specials_stand_for_no_byte(self, ids):
    self.assertEqual(vocab.decode(np.array(ids, np.int32)), bytes(i for i in ids if i < 256))

  def test_ids_are_fixed(self):
    # They are part of every checkpoint.
    self.assertEqual((vocab.PAD, vocab.BOUNDARY, vocab.TURN, vocab.RESULT, vocab.SIZE),
                     (256, 257, 258, 259, 260))

  @parameterized.parameters(-1, 260)
  def test_what_is_no_id(self, wrong):
    with self.assertRaisesRegex(ValueError, r'ids must lie in \[0, 260\), got'):
      vocab.decode(np.array([5, wrong]))


class TextStreamTest(absltest.TestCase):

  @hypothesis.given(data=BYTES, cuts=st.lists(st.integers(0, 100)))
  @SETTINGS
  def test_pieces_give_the_text_of_the_whole(self, data, cuts):
    stream = vocab.TextStream()
    shown = ''.join(stream.feed(piece) for piece in in_pieces(data, cuts)) + stream.close()
    self.assertEqual(shown, data.decode(errors='replace'))

  @hypothesis.given(text=st.text(), cuts=st.lists(st.integers(0, 100)))
  @SETTINGS
  def test_characters_come_whole_and_at_once(self, text, cuts):
    stream, seen, shown = vocab.TextStream(), b'', ''
    for piece in in_pieces(text.encode(), cuts):
      seen += piece
      shown += stream.feed(piece)
      # Everything that is complete is there, and nothing else.
      self.assertEqual(shown, seen.decode(errors='ignore'))
    self.assertEqual(stream.close(), '')

  def test_one_byte_at_a_time(self):
    stream = vocab.TextStream()
    self.assertEqual([stream.feed(bytes([byte])) for byte in 'ağ€😀'.encode()],
                     ['a', '', 'ğ', '', '', '€', '', '', '', '😀'])

  def test_invalid_bytes_show_at_once_and_the_rest_at_the_end(self):
    stream = vocab.TextStream()
    self.assertEqual(stream.feed(b'a\xffb\xe2\x82'), 'a�b')
    self.assertEqual(stream.close(), '�')
    self.assertEqual(stream.feed(b'c'), 'c')


if __name__ == '__main__':
  absltest.main()
