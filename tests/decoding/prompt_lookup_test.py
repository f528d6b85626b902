"""Draft tokens are what followed the same bytes before."""

from absl.testing import absltest

from haiku_spectral.decoding import prompt_lookup


class PromptLookupTest(absltest.TestCase):

  def test_drafts_what_followed_the_last_time(self):
    lookup = prompt_lookup.PromptLookup(orders=(3, 2))
    lookup.feed(b'abcdef abcxyz ab')
    self.assertEqual(lookup.draft(ord('c'), 3), b'xyz')
    self.assertEqual(lookup.draft(ord('q'), 3), b'')

  def test_a_precedent_that_runs_into_the_present_repeats(self):
    lookup = prompt_lookup.PromptLookup(orders=(2,))
    lookup.feed(b'xyxy')
    self.assertEqual(lookup.draft(ord('x'), 5), b'yxyxy')

  def test_more_agreement_comes_first(self):
    lookup = prompt_lookup.PromptLookup(orders=(4, 2))
    lookup.feed(b'1abc-X 2abc-Y abc.Z 1ab')
    self.assertEqual(lookup.draft(ord('c'), 2), b'-X')

  def test_cutting_the_text_changes_nothing(self):
    whole, parts = prompt_lookup.PromptLookup(), prompt_lookup.PromptLookup()
    data = b'one two three one two ' * 3
    whole.feed(data)
    for byte in data:
      parts.feed(bytes([byte]))
    for byte in range(256):
      self.assertEqual(whole.draft(byte, 9), parts.draft(byte, 9))

  def test_no_text(self):
    self.assertEqual(prompt_lookup.PromptLookup().draft(65, 4), b'')


if __name__ == '__main__':
  absltest.main()
