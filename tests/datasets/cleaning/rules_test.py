"""The steps together: each can be switched off, and says what it did."""

from absl.testing import absltest, parameterized

from datasets.cleaning import contamination, rules
from tests.datasets import corpora

TURKISH = 'Kuşlar ağaçların üstünde ötmeye başladı ve herkes uyandı.'


class RulesTest(parameterized.TestCase):

  @parameterized.parameters(
      (rules.NONE, 'e\u0301\r\n', 'e\u0301\r\n', ()),
      (rules.Rules(), 'e\u0301\r\n', 'é\n', ('control', 'nfc')),
      (rules.Rules(nfc=False), 'e\u0301\x07', 'e\u0301', ('control',)),
      (rules.Rules(control=False), 'e\u0301\x07', 'é\x07', ('nfc',)),
      (rules.Rules(), 'plain\n', 'plain\n', ()))
  def test_changes(self, chosen, text, expected, changed):
    cleaned = rules.Cleaner(chosen)(text.encode())
    self.assertEqual(cleaned, rules.Cleaned(expected.encode(), changed))

  @parameterized.parameters(
      (rules.Rules(minimal_bytes=8), 'şşş\n\x07', rules.TOO_SHORT, '7 bytes'),
      (rules.Rules(), '\x07\x08', rules.TOO_SHORT, '0 bytes'),
      (rules.NONE, '', rules.TOO_SHORT, '0 bytes'),
      (rules.Rules(minimal_bytes=8, control=False), 'şşş\n\x07', '', ''),
      (rules.Rules(language='tr'), 'The birds began to sing.', rules.OTHER_LANGUAGE, 'en'),
      (rules.Rules(language='tr'), TURKISH, '', ''),
      (rules.Rules(language='en'), TURKISH, rules.OTHER_LANGUAGE, 'tr'))
  def test_reasons(self, chosen, text, reason, detail):
    cleaned = rules.Cleaner(chosen)(text.encode())
    self.assertEqual((cleaned.reason, cleaned.detail), (reason, detail))

  def test_contamination_is_looked_for_in_what_was_cleaned(self):
    folder = corpora.temporary_folder(type(self))
    text = corpora.letters(0, 100)
    contamination.write(folder, [text])
    clean = rules.Cleaner(rules.Rules(), contamination.EvaluationText(folder))
    cleaned = clean(b'xx' + text[:50] + b'\0' + text[50:])
    self.assertEqual((cleaned.reason, cleaned.detail), (rules.CONTAMINATED, 'at byte 2'))

  def test_contamination_is_found_whatever_the_rules_leave_as_it_is(self):
    folder = corpora.temporary_folder(type(self))
    text = corpora.letters(0, 60) + 'é\n'.encode() + corpora.letters(1, 60)
    contamination.write(folder, [contamination.normal(text)])
    clean = rules.Cleaner(rules.NONE, contamination.EvaluationText(folder))
    other = text.replace(b'\n', b'\r\n').replace('é'.encode(), 'e\u0301'.encode())
    cleaned = clean(other)
    self.assertEqual((cleaned.text, cleaned.reason), (other, rules.CONTAMINATED))

  def test_rules_that_are_not_allowed(self):
    with self.assertRaisesRegex(ValueError, 'minimal_bytes=0 is not allowed: give 1 or more'):
      rules.Rules(minimal_bytes=0)
    chosen = rules.Rules(language='turkish')
    with self.assertRaisesRegex(
        ValueError, "language='turkish' is not allowed: give one of .*de.*tr"):
      chosen.check_language()
    rules.Rules(language='tr').check_language()
    rules.Rules().check_language()


if __name__ == '__main__':
  absltest.main()
