"""Prompts from flags, files and pipes."""

import io
import os

from absl.testing import absltest

from haiku_spectral.decoding import prompt


class Terminal(io.BytesIO):

  def isatty(self):
    return True

  def read(self, size=-1):
    raise AssertionError('a terminal is not read: the user would wait for nothing')


class PromptTest(absltest.TestCase):

  def test_flag(self):
    self.assertEqual(prompt.read_prompt('çay', None, Terminal()), 'çay'.encode())
    self.assertEqual(prompt.read_prompt('', None, Terminal()), b'')

  def test_flag_with_bytes_that_are_no_utf8(self):
    self.assertEqual(prompt.read_prompt(os.fsdecode(b'a\xff'), None, Terminal()), b'a\xff')

  def test_file_of_any_bytes(self):
    file = self.create_tempfile('prompt', b'\xff\x00\r\nx')
    self.assertEqual(prompt.read_prompt(None, file.full_path, Terminal()), b'\xff\x00\r\nx')

  def test_pipe(self):
    self.assertEqual(prompt.read_prompt(None, None, io.BytesIO(b'piped')), b'piped')
    self.assertEqual(prompt.read_prompt(None, '-', io.BytesIO(b'piped')), b'piped')

  def test_flag_leaves_the_pipe_alone(self):
    piped = io.BytesIO(b'piped')
    self.assertEqual(prompt.read_prompt('flag', None, piped), b'flag')
    self.assertEqual(piped.read(), b'piped')

  def test_nothing_is_the_start_of_a_document(self):
    self.assertEqual(prompt.read_prompt(None, None, Terminal()), b'')

  def test_a_pipe_in_place_of_a_file(self):
    reading, writing = os.pipe()
    os.write(writing, b'from a process')
    os.close(writing)
    self.assertEqual(
        prompt.read_prompt(None, f'/proc/self/fd/{reading}', Terminal()), b'from a process')
    os.close(reading)

  def test_a_closed_standard_input_is_empty(self):
    self.assertEqual(prompt.read_prompt(None, None, None), b'')
    self.assertEqual(prompt.read_prompt(None, '-', None), b'')

  def test_mistakes(self):
    with self.assertRaisesRegex(ValueError, '--prompt and --prompt_file are both given: give one'):
      prompt.read_prompt('', 'file', Terminal())
    with self.assertRaisesRegex(FileNotFoundError, '--prompt_file=/none is not a file: give an ex'):
      prompt.read_prompt(None, '/none', Terminal())
    with self.assertRaisesRegex(FileNotFoundError, '--prompt_file=/ is not a file'):
      prompt.read_prompt(None, '/', Terminal())


if __name__ == '__main__':
  absltest.main()
