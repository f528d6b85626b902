"""Names: shown as they are where that is safe, and never a byte that a terminal would obey."""

import pathlib

import hypothesis
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from haiku_spectral.storage import file_name


class FileNameTest(parameterized.TestCase):

  @parameterized.parameters(
      ('çalışma/ş 1 (kopya).txt', 'çalışma/ş 1 (kopya).txt'), ('日本 🌱.txt', '日本 🌱.txt'),
      ('\x1b]0;title\x07x', r'\x1b]0;title\x07x'), ('a\nerror: b\r\tc', r'a\nerror: b\r\tc'),
      ('c1 \x9b31m', r'c1 \x9b31m'), ('txt.\u202eexe', r'txt.\u202eexe'),
      ('not utf-8 \udcff', r'not utf-8 \xff'), ('half \ud83d', r'half \ud83d'),
      ('\udcc5\udc9f', 'ş'))  # As Python reads the name ş in a locale of ASCII.
  def test_what_is_shown(self, name, shown):
    self.assertEqual(file_name.printable(name), shown)
    self.assertEqual(file_name.printable(pathlib.PurePosixPath(name)), shown)

  @hypothesis.given(st.text(st.characters(codec=None)))
  def test_one_printable_line_whatever_the_name(self, name):
    shown = file_name.printable(name)
    self.assertTrue(shown.isprintable())
    self.assertEqual(shown.encode().decode(), shown)
    self.assertEqual(file_name.printable(shown), shown)


if __name__ == '__main__':
  absltest.main()
