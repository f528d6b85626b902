"""A transcript that was cut anywhere goes on; a line that was on the disk is never lost."""

import errno
import os
import pathlib
import subprocess
import sys
from unittest import mock

import hypothesis
import hypothesis.strategies as st
from absl.testing import absltest, parameterized

from haiku_spectral.agent.transcript import Event, Transcript, decode, encode

EVENTS = (
    Event('goal', b'count', {'a.txt': b'\x00\xff', 'b': 'ğ'.encode()}, {'k': 'ğ'}),
    Event('turn', b'```\nx\n```\n\xff\xed\xa0\x80\r\x85', seconds=0.25),
    Event('observation', b'ok\n', {'a.txt': None}, {'k': ''}, executed=True, seconds=1.5),
    Event('end', b'turns'),
    Event('turn', b''),
)


class TranscriptTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.path = os.path.join(self.create_tempdir().full_path, 'transcript.jsonl')

  def _open(self):
    transcript = Transcript(self.path)
    transcript.close()
    return transcript

  def _write(self, events=EVENTS):
    transcript = Transcript(self.path)
    for event in events:
      transcript.append(event)
    transcript.close()
    return transcript, pathlib.Path(self.path).read_bytes()

  @hypothesis.given(
      st.binary(max_size=20), st.dictionaries(st.text('ab.', max_size=3), st.none() | st.binary()),
      st.dictionaries(st.text('ab', max_size=3), st.text(st.characters(codec='utf-8'))),
      st.booleans(), st.integers(0, 99))
  @hypothesis.settings(max_examples=200, deadline=None, derandomize=True, database=None)
  def test_any_bytes_come_back_from_a_line(self, text, files, memory, executed, seconds):
    event = Event('observation', text, files, memory, executed, float(seconds))
    line = encode(event)
    self.assertTrue(line.isascii())
    self.assertEqual((line.count(b'\n'), line[-1:]), (1, b'\n'))
    self.assertEqual(decode(line), event)

  def test_what_was_added_is_there(self):
    written, data = self._write()
    found = self._open()
    self.assertSequenceEqual(found.events, EVENTS)
    self.assertEqual(found.digests, written.digests)
    self.assertLen(set(found.digests), 1 + len(EVENTS))
    self.assertEqual(pathlib.Path(self.path).read_bytes(), data)
    self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

  def test_cut_at_every_byte(self):
    written, data = self._write()
    for size in range(len(data)):
      pathlib.Path(self.path).write_bytes(data[:size])
      found = self._open()
      whole = data[:size].count(b'\n')
      self.assertSequenceEqual(found.events, EVENTS[:whole])
      self.assertEqual(found.digests, written.digests[:whole + 1])
      self.assertEqual(found.cut, size - 1 - data[:size].rfind(b'\n'))
      # It goes on as if the rest had never been.
      transcript = Transcript(self.path)
      self.assertEqual(transcript.cut, 0)
      for event in EVENTS[whole:]:
        transcript.append(event)
      transcript.close()
      self.assertEqual(pathlib.Path(self.path).read_bytes(), data)

  @parameterized.parameters(
      (b'{"kind": "turn"}\n', 'a field is missing, unknown or of another type'),
      (b'{"kind": "turn", "text": 3}\n', 'a field is missing'),
      (b'{"kind": "turn", "text": "", "new": 1}\n', 'a field is missing, unknown'),
      (b'{"kind": "shout", "text": ""}\n', 'a value that is not allowed'),
      (b'{"kind": "turn", "text": "", "memory": {"a": 1}}\n', 'a value that is not allowed'),
      (b'{"kind": "turn", "text": "", "seconds": -1}\n', 'a value that is not allowed'),
      (b'[]\n', 'a field is missing'),
      (b'\xff\n', "can't decode"),
      (b'\n', 'Expecting value'),
      (encode(EVENTS[0]), "'goal' after 'goal'"),
  )
  def test_damage_inside_is_told_and_left_alone(self, line, message):
    _, data = self._write(EVENTS[:1])
    damaged = data + line + encode(EVENTS[1])
    pathlib.Path(self.path).write_bytes(damaged)
    with self.assertRaisesRegex(ValueError, f'is damaged in line 2 .*{message}.*restore it from'):
      self._open()
    self.assertEqual(pathlib.Path(self.path).read_bytes(), damaged)

  def test_order(self):
    transcript, _ = self._write(EVENTS[:2])
    with self.assertRaisesRegex(ValueError, "'turn' after 'turn'"):
      transcript.append(EVENTS[1])

  def test_a_full_disk_leaves_what_was_there(self):
    _, data = self._write(EVENTS[:2])
    transcript = Transcript(self.path)
    really = os.write

    def full(file, line):
      if len(line) < 30:
        raise OSError(errno.ENOSPC, 'No space left on device')
      return really(file, line[:30])

    with mock.patch.object(os, 'write', full), self.assertRaisesRegex(OSError, 'No space left'):
      transcript.append(EVENTS[2])
    self.assertEqual(pathlib.Path(self.path).read_bytes(), data)
    transcript.append(EVENTS[2])
    transcript.close()
    self.assertSequenceEqual(self._open().events, EVENTS[:3])

  def test_two_processes_cannot_have_it(self):
    transcript = Transcript(self.path)
    other = ('import sys\nfrom haiku_spectral.agent.transcript import Transcript\n'
             'Transcript(sys.argv[1])')
    command = [sys.executable, '-c', other, self.path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    self.assertRegex(done.stderr, 'ValueError: Another process goes on with .*transcript.jsonl')
    transcript.close()
    self.assertEqual(subprocess.run(command, check=False).returncode, 0)


if __name__ == '__main__':
  absltest.main()
