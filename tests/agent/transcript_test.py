"""A transcript that was cut anywhere goes on; a line that was on the disk is never lost."""

import errno
import json
import os
import pathlib
import subprocess
import sys
from unittest import mock

import hypothesis
import hypothesis.strategies as st
from absl.testing import absltest, parameterized

from haiku_spectral.agent.transcript import Event, Transcript, decode, encode
from tests.fixed_examples import fixed_examples

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
      st.binary(max_size=20),
      st.dictionaries(st.text('ab_', min_size=1, max_size=3), st.none() | st.binary()),
      st.dictionaries(st.text('ab.-', min_size=1, max_size=3), st.text(
          st.characters(codec='utf-8', exclude_characters='\n'), max_size=200)),
      st.booleans(), st.integers(0, 99))
  @fixed_examples(200)
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
      torn = data[:size][data[:size].rfind(b'\n') + 1:]
      only_end = data[size:size + 1] == b'\n'  # All of the event is there.
      whole = data[:size].count(b'\n') + only_end
      self.assertSequenceEqual(found.events, EVENTS[:whole])
      self.assertEqual(found.digests, written.digests[:whole + 1])
      self.assertEqual(found.cut, 0 if only_end else len(torn))
      self.assertEqual(bool(found.kept_in), found.cut > 0)
      if found.cut:
        self.assertEqual(pathlib.Path(found.kept_in).read_bytes(), torn)
        os.unlink(found.kept_in)
      # It goes on as if the rest had never been.
      transcript = Transcript(self.path)
      self.assertEqual(transcript.cut, 0)
      for event in EVENTS[whole:]:
        transcript.append(event)
      transcript.close()
      self.assertEqual(pathlib.Path(self.path).read_bytes(), data)

  def test_a_last_event_without_its_line_end_is_kept(self):
    _, data = self._write()
    pathlib.Path(self.path).write_bytes(data.removesuffix(b'\n'))
    self.assertSequenceEqual(self._open().events, EVENTS)
    self.assertEqual(pathlib.Path(self.path).read_bytes(), data)

  def test_what_is_cut_off_is_kept_beside_each_time(self):
    _, data = self._write(EVENTS[:1])
    for number, torn in enumerate((b'{"kind": "tu', b'{"kind": "turn", "text": "", "new": 1}'), 1):
      pathlib.Path(self.path).write_bytes(data + torn)
      found = self._open()
      self.assertEqual((found.cut, found.kept_in), (len(torn), f'{self.path}.torn-{number}'))
      self.assertEqual(pathlib.Path(found.kept_in).read_bytes(), torn)
      self.assertEqual(pathlib.Path(self.path).read_bytes(), data)

  def test_line_ends_of_other_systems_lose_nothing(self):
    _, data = self._write()
    pathlib.Path(self.path).write_bytes(data.replace(b'\n', b'\r\n'))
    self.assertSequenceEqual(self._open().events, EVENTS)
    old = data.replace(b'\n', b'\r')
    pathlib.Path(self.path).write_bytes(old)
    with self.assertRaisesRegex(ValueError, 'end with CR, as on old systems: change them to LF'):
      self._open()
    self.assertEqual(pathlib.Path(self.path).read_bytes(), old)

  def test_a_pipe_is_refused_at_once(self):
    os.mkfifo(self.path)
    with self.assertRaisesRegex(ValueError, 'transcript.jsonl is not a regular file'):
      self._open()

  @parameterized.parameters(
      ({'files': {'../../x': 'a'}}, "files .*'../../x' cannot be the name of a file"),
      ({'files': {'/abs/x': None}}, "files .*'/abs/x' cannot be the name of a file"),
      ({'files': {'': None}}, 'files .*cannot be the name'),
      ({'files': {'a': 3}}, "files has a value that is not allowed: 'a' is neither text nor null"),
      ({'files': {'a': '\ud800'}}, 'surrogates not allowed'),
      ({'files': ['a']}, 'files is no dict'), ({'memory': ['a']}, 'memory is no dict'),
      ({'memory': {'a b': 'c'}}, 'memory .*REMEMBER needs key=value'),
      ({'memory': {'a': 'b\nDONE'}}, 'memory .*several lines'),
      ({'memory': {'a': None}}, 'memory has a value that is not allowed'),
      ({'executed': 1}, 'executed is no bool'), ({'seconds': True}, 'seconds is no float'),
      ({'seconds': '1'}, 'seconds is no float'), ({'seconds': 10**40}, 'seconds has a value'),
      ({'seconds': float('nan')}, 'NaN is not a JSON number'),
      ({'seconds': float('inf')}, 'Infinity is not a JSON number'),
      ({'text': '\udfff'}, 'surrogates not allowed'), ({'text': None}, 'text is no str'),
      ({'kind': 'end', 'text': 'so\x1b[2J'}, 'text has a value'),
      ({'kind': ['turn']}, 'kind is no str'))
  def test_every_field_is_checked(self, fields, message):
    line = json.dumps({'kind': 'turn', 'text': '', **fields}).encode() + b'\n'
    pathlib.Path(self.path).write_bytes(encode(EVENTS[0]) + line)
    with self.assertRaisesRegex(
        ValueError, f'transcript.jsonl is damaged in line 2 .*{message}.*: restore it from a copy'):
      self._open()

  def test_what_is_too_large_or_deep_is_told_by_file_and_line(self):
    turn = b'{"kind": "turn", "text": "", %s}'
    for line, message in (
        (b'[' * 100_000, 'nested too deeply'), (turn % (b'"seconds": 1e400'), 'seconds has'),
        (turn % (b'"seconds": ' + b'9' * 400), 'seconds has a value'),
        (turn % (b'"seconds": ' + b'9' * 5000), 'integer string'),
        (turn % (b'"memory": {"a": "' + b'b' * 1025 + b'"}'), 'more than 1024 bytes'),
        (turn % (b'"files": {"a": "' + b'b' * 70_000 + b'"}'), 'files .*70,000 bytes'),
        (turn % (b'"files": {%s}' % b', '.join(b'"%d": ""' % n for n in range(33))), '33 files')):
      pathlib.Path(self.path).write_bytes(encode(EVENTS[0]) + line + b'\n')
      with self.assertRaisesRegex(ValueError, f'transcript.jsonl is damaged in line 2 .*{message}'):
        self._open()

  def test_no_event_is_added_that_could_not_be_loaded(self):
    transcript = Transcript(self.path)
    for event in (Event('goal', b'', {'../x': b''}), Event('goal', b'', seconds=float('nan')),
                  Event('goal', b'', memory={'a': 'b\nc'}), Event('shout', b'')):
      with self.assertRaisesRegex(ValueError, 'has a value that is not allowed'):
        transcript.append(event)
    transcript.close()
    self.assertEqual(pathlib.Path(self.path).read_bytes(), b'')

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
