"""Stop strings are found wherever the stream is cut, and never shown."""

import itertools

import hypothesis
import hypothesis.strategies as st
from absl.testing import absltest

from haiku_spectral.decoding import stopping
from tests.fixed_examples import fixed_examples

LETTERS = st.lists(st.sampled_from(b'ab'), max_size=12).map(bytes)
STOPS = st.lists(LETTERS.filter(bool).filter(lambda stop: len(stop) <= 4), max_size=3)


def written_out(stops, data):
  """What comes before the stop string that ends first (the longest of those), and that string."""
  for end in range(1, len(data) + 1):
    matches = [stop for stop in stops if data[:end].endswith(stop)]
    if matches:
      longest = max(matches, key=len)
      return data[:end - len(longest)], longest
  return data, None


class StoppingTest(absltest.TestCase):

  @hypothesis.given(STOPS, LETTERS, st.lists(st.integers(0, 12)))
  @fixed_examples(300)
  def test_any_cut_of_the_stream_stops_at_the_same_place(self, stops, data, cuts):
    matcher = stopping.StopMatcher(stops)
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    shown = b''
    for start, end in itertools.pairwise(places):
      shown += matcher.feed(data[start:end])
      self.assertTrue(data.startswith(shown))
    shown += matcher.close()
    self.assertEqual((shown, matcher.matched), written_out(stops, data))

  def test_holds_back_no_more_than_it_must(self):
    matcher = stopping.StopMatcher([b'END'])
    self.assertEqual([matcher.feed(bytes([byte])) for byte in b'aENbEENDx'],
                     [b'a', b'', b'', b'ENb', b'', b'E', b'', b'', b''])
    self.assertEqual(matcher.close(), b'')

  def test_bytes_that_are_no_text(self):
    matcher = stopping.StopMatcher([b'\xff\x00'])
    self.assertEqual(matcher.feed(b'\xfe\xff') + matcher.feed(b'\x00\xfe'), b'\xfe')

  def test_empty_stop_string(self):
    with self.assertRaisesRegex(ValueError, "stop='' is not allowed: give a stop string of at"):
      stopping.StopMatcher([b'a', b''])


if __name__ == '__main__':
  absltest.main()
