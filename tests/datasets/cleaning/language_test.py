"""Languages of plain sentences; README.md beside the module says how often it errs on real text."""

from absl.testing import absltest, parameterized

from datasets.cleaning import language


class LanguageTest(parameterized.TestCase):

  @parameterized.parameters(
      ('tr', 'Kuşlar sabahın erken saatlerinde ağaçların üstünde ötmeye başladı.'),
      ('en', 'The birds began to sing in the trees early in the morning.'),
      ('de', 'Die Vögel begannen früh am Morgen in den Bäumen zu singen.'))
  def test_sentences(self, expected, text):
    self.assertEqual(language.of(text.encode()), expected)
    self.assertEqual(language.of(text.encode() * 500), expected)

  def test_what_most_of_a_long_text_is_in(self):
    turkish = 'Kuşlar ağaçların üstünde ötmeye başladı ve herkes uyandı. '.encode() * 200
    self.assertEqual(language.of(b'All rights reserved by us. ' * 20 + turkish), 'tr')

  def test_a_sample_is_small_and_never_half_a_character(self):
    text = 'ş' * 100_000
    sample = language.sample(b'x' + text.encode())
    self.assertEqual(set(sample), {'x', 'ş', '\n'})
    self.assertLess(len(sample.encode()), 1000)
    self.assertEqual(language.sample('kısa'.encode()), 'kısa')


if __name__ == '__main__':
  absltest.main()
