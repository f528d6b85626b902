"""What a reader sees: whole characters, no commands to the terminal, samples in order."""

import io
import os

from absl.testing import absltest

from haiku_spectral.decoding import display


class Terminal(io.StringIO):

  def isatty(self):
    return True


class DisplayTest(absltest.TestCase):

  def test_first_sample_comes_as_it_is_written_others_follow(self):
    stream = io.StringIO()
    screen = display.Display(stream)
    screen.show(b'> ')
    screen.feed(0, b'\xe2\x82')
    self.assertEqual(stream.getvalue(), '> ')
    screen.feed(1, b'zwei')
    screen.feed(0, b'\xac!\xc3')
    self.assertEqual(stream.getvalue(), '> €!')
    screen.close([b'\xe2\x82\xac!\xc3', b'zwei', b'\xff'])
    self.assertEqual(
        stream.getvalue(),
        '> €!�\n\n--- sample 2 of 3 ---\nzwei\n\n--- sample 3 of 3 ---\n�\n')

  def test_terminal_gets_pictures_of_control_characters(self):
    stream = Terminal()
    display.Display(stream).feed(0, 'a\x1b[2J\x07\n\tb\x7f\x9b'.encode())
    self.assertEqual(stream.getvalue(), 'a␛[2J␇\n\tb␡�')

  def test_file_gets_what_was_written(self):
    stream = io.StringIO()
    display.Display(stream).feed(0, b'a\x1b[2J')
    self.assertEqual(stream.getvalue(), 'a\x1b[2J')

  def test_a_terminal_without_these_characters(self):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding='ascii')
    display.Display(stream).feed(0, 'ağ'.encode())
    self.assertEqual(raw.getvalue(), b'a?')

  def test_reader_that_goes_away(self):
    reading, writing = os.pipe()
    with os.fdopen(writing, 'w') as stream:
      screen = display.Display(stream)
      screen.feed(0, b'a')
      os.close(reading)
      self.assertFalse(screen.closed)
      screen.feed(0, b'b')
      self.assertTrue(screen.closed)
      screen.close([b'ab'])

  def test_speed(self):
    screen = display.Display(io.StringIO())
    self.assertEqual(screen.speed(), '0 bytes')
    screen.feed(0, b'abc')
    self.assertEqual(screen.speed(), '3 bytes')
    screen.feed(1, b'abc')
    self.assertRegex(screen.speed(), r'^6 bytes, [\d,]+ bytes/s$')


if __name__ == '__main__':
  absltest.main()
