"""A session that is loaded, and one that is prefilled again: bitwise identical contexts."""

import json
import os
import pathlib
import shutil

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.agent import document, folder
from haiku_spectral.agent.transcript import Event
from haiku_spectral.decoding import session
from tests.agent import scripted
from tests.decoding import tiny_model

HISTORY = (
    Event('goal', b'count \xff', {'a.txt': b'1'}),
    Event('turn', b'```\nfiles["b"] = "2"\n```\n'),
    Event('observation', b'ok', {'b': b'2', 'a.txt': None}, executed=True),
    Event('turn', 'REMEMBER ad=ğ\nREMEMBER x=1\n'.encode()),
    Event('observation', b'remembered', memory={'ad': 'ğ', 'x': '1'}),
    Event('turn', b'noise \x00\xfe'),
    Event('observation', b'mistake: nothing to do'),
    Event('end', b'repeats'),
)


def assert_bitwise(left, right):
  jax.tree.map(np.testing.assert_array_equal, left, right)


class FolderTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.path = pathlib.Path(self.create_tempdir().full_path, 'session')
    self.lines = []

  def _open(self, writer=None, owner=scripted.OWNER):
    self.lines.clear()
    place = folder.Folder(self.path, writer or scripted.model_sampler(), owner, self.lines.append)
    place.close()
    return place

  def _make(self, events=HISTORY):
    place = folder.Folder(self.path, scripted.model_sampler(), scripted.OWNER)
    for event in events:
      place.add(event)
    place.close()
    return place

  @parameterized.parameters(range(1, len(HISTORY) + 1))
  def test_loading_is_reading_again(self, count):
    live = self._make(HISTORY[:count])
    loaded = self._open()
    had_state = count > 2
    self.assertRegex(
        self.lines[0], 'bytes of context were loaded' if had_state
        else 'There is no session .*/state: the transcript is prefilled again')
    if had_state:
      (self.path / folder.STATE).unlink()
    replayed = self._open()
    self.assertIn('There is no session', self.lines[0])
    np.testing.assert_allclose(loaded.context.logits, replayed.context.logits, atol=1e-5)
    assert_bitwise(loaded.context, replayed.context)
    assert_bitwise(loaded.context, live.context)
    self.assertEqual(loaded.history, replayed.history)
    self.assertEqual(loaded.history, live.history)

  def test_what_the_model_has_read(self):
    self._make([*HISTORY, Event('goal', b'again', memory={'ad': 'ğ', 'x': '1'})])
    whole = self._open().context
    end, tool = vocab.TURN, vocab.RESULT
    ids = [
        *b'count \xff', end, *HISTORY[1].text, tool, *b'ok', end, *HISTORY[3].text, tool,
        *b'remembered', end, *HISTORY[5].text, tool, *HISTORY[6].text, end,
        *'REMEMBER ad=ğ\nREMEMBER x=1\nagain'.encode(), end]
    writer = scripted.model_sampler()
    once = writer.extend(writer.begin(), np.array(ids, np.int32))
    self.assertEqual(whole.position, 1 + len(ids))
    np.testing.assert_array_equal(whole.recent, once.recent)
    np.testing.assert_allclose(whole.logits, once.logits, atol=1e-4)

  def test_a_goal_behind_an_unanswered_turn_begins_with_a_mark(self):
    np.testing.assert_array_equal(
        document.ids(Event('goal', b'a'), last=ord('x')), [vocab.TURN, ord('a'), vocab.TURN])

  def test_the_state_may_be_older_than_the_transcript(self):
    self._make(HISTORY[:3])
    old = (self.path / folder.STATE).read_bytes()
    live = self._make_more(HISTORY[3:])
    (self.path / folder.STATE).write_bytes(old)
    assert_bitwise(self._open().context, live.context)
    self.assertLen(self.lines, 1)
    self.assertIn('bytes of context were loaded', self.lines[0])

  def _make_more(self, events):
    place = folder.Folder(self.path, scripted.model_sampler(), scripted.OWNER)
    for event in events:
      place.add(event)
    place.close()
    return place

  def test_another_checkpoint_reads_the_transcript_again(self):
    self._make()
    other = session.owner(tiny_model.CONFIG, tiny_model.params(1))
    found = self._open(scripted.model_sampler(1), other)
    self.assertRegex(
        self.lines[0], 'belongs to other parameters .*: the transcript is prefilled again')
    shutil.rmtree(self.path)
    fresh = folder.Folder(self.path, scripted.model_sampler(1), other)
    for event in HISTORY:
      fresh.add(event)
    fresh.close()
    assert_bitwise(found.context, fresh.context)

  def test_damage_to_the_state_is_told_and_the_transcript_read_again(self):
    live = self._make()
    data = bytearray((self.path / folder.STATE).read_bytes())
    for damaged, message in (
        (data[:100], 'is cut short'), (b'', 'is cut short'), (b'novel', 'is not a session'),
        (data[:-1] + bytes([data[-1] ^ 1]), 'is damaged')):
      (self.path / folder.STATE).write_bytes(damaged)
      assert_bitwise(self._open().context, live.context)
      self.assertRegex(self.lines[0], f'{message}.*: the transcript is prefilled again$')

  def test_the_state_of_another_transcript(self):
    self._make([Event('goal', b'another'), *HISTORY[1:]])
    state = (self.path / folder.STATE).read_bytes()
    shutil.rmtree(self.path)
    live = self._make()
    (self.path / folder.STATE).write_bytes(state)
    assert_bitwise(self._open().context, live.context)
    self.assertRegex(self.lines[0], 'is of another transcript: the transcript is prefilled again')

  def test_a_half_written_line_is_cut_off_and_told(self):
    self._make(HISTORY[:3])
    live = self._make_more(HISTORY[3:4])
    with open(self.path / folder.TRANSCRIPT, 'ab') as file:
      file.write(b'{"kind": "observ')
    assert_bitwise(self._open().context, live.context)
    kept = self.path / 'transcript.jsonl.torn-1'
    self.assertEqual(self.lines[0], 'transcript: 16 bytes of an unfinished line were cut off and '
                     f'are kept in {kept}')
    self.assertEqual(kept.read_bytes(), b'{"kind": "observ')

  @parameterized.parameters('../../escaped', '/tmp/haiku_spectral_escaped', '../memory.json')
  def test_an_edited_transcript_changes_nothing_outside_the_workspace(self, name):
    self._make(HISTORY[:3])
    target = (self.path / 'workspace' / name).resolve()
    before = target.read_bytes() if target.exists() else None
    place = self.path / folder.TRANSCRIPT
    lines = place.read_bytes().splitlines(keepends=True)
    for data in ('x', None):
      row = {**json.loads(lines[2]), 'files': {name: data}}
      place.write_bytes(b''.join(lines[:2]) + json.dumps(row).encode() + b'\n')
      with self.assertRaisesRegex(ValueError, 'damaged in line 3 .*cannot be the name of a file'):
        self._open()
      self.assertEqual(target.read_bytes() if target.exists() else None, before)

  @parameterized.parameters(
      ('memory', 'the memory holds 64 keys at most'), ('files', 'the files have 66,001 bytes'))
  def test_events_that_are_too_much_together_are_told_by_their_line(self, field, message):
    fields = {field: {
        'memory': {f'k{n}': 'v' for n in range(64)}, 'files': {'b': 'x' * 65_000}}[field]}
    events = [*HISTORY[:2], Event('observation', b'ok', {'c': b'y' * 1000}, {'l': 'v'})]
    self._make(events)
    with open(self.path / folder.TRANSCRIPT, 'ab') as file:
      file.write(json.dumps({'kind': 'turn', 'text': '', **fields}).encode() + b'\n')
    with self.assertRaisesRegex(
        ValueError, f'transcript.jsonl is damaged in line 4 .*{message}.*restore it from a copy'):
      self._open()
    # And it is free for the next.
    with self.assertRaisesRegex(ValueError, 'is damaged in line 4'):
      self._open()

  @parameterized.parameters('transcript.jsonl', 'transcript.jsonl.lock', 'memory.json', 'state',
                            'workspace')
  def test_links_and_pipes_in_the_place_of_its_files_are_refused(self, name):
    self._make(HISTORY[:3])
    entry, outside = self.path / name, self.path.with_name('outside')
    entry.rename(outside)
    entry.symlink_to(outside)
    with self.assertRaisesRegex(ValueError, f'{entry} is no .* of the session.s own: move it away'):
      self._open()
    entry.unlink()
    os.mkfifo(entry)
    with self.assertRaisesRegex(ValueError, f'{entry} is no .* of the session.s own: move it away'):
      self._open()

  def test_memory_and_files_are_those_of_the_transcript(self):
    self._make()
    work, memory = self.path / folder.WORKSPACE, self.path / folder.MEMORY
    for _ in range(2):
      self.assertEqual([(path.name, path.read_bytes()) for path in work.iterdir()], [('b', b'2')])
      self.assertEqual(json.loads(memory.read_text()), {'ad': 'ğ', 'x': '1'})
      # As a kill before they were up to date would leave them.
      (work / 'b').write_bytes(b'old')
      (work / 'a.txt').write_bytes(b'1')
      memory.unlink()
      self._open()
      self.assertEqual(self.lines[:2], [
          f'workspace: {name} was not what the transcript says; now it is'
          for name in ('b', 'a.txt')])

  def test_a_goal_takes_over_the_files_of_people(self):
    place = folder.Folder(self.path, scripted.model_sampler(), scripted.OWNER)
    work = self.path / folder.WORKSPACE
    (work / 'in.txt').write_bytes(b'\xff')
    place.set_goal(b'count')
    self.assertEqual(place.history.files, {'in.txt': b'\xff'})
    place.set_goal(b'count')
    place.set_goal(b'')
    with self.assertRaisesRegex(ValueError, "still at another goal \\('count'\\): leave --goal"):
      place.set_goal(b'dance')
    (work / 'in.txt').unlink()
    (work / 'more').write_bytes(b'1')
    place.add(Event('end', b'done'))
    place.set_goal(b'dance')
    self.assertEqual(place.history.files, {'more': b'1'})
    self.assertEqual(place.history.goal, b'dance')
    place.close()

  def test_no_goal(self):
    place = folder.Folder(self.path, scripted.model_sampler(), scripted.OWNER)
    with self.assertRaisesRegex(ValueError, 'session has no goal yet: give --goal'):
      place.set_goal(b'')
    place.close()
    self.assertEqual((self.path / folder.TRANSCRIPT).read_bytes(), b'')

  def test_a_folder_that_cannot_be(self):
    self.path.write_bytes(b'novel')
    with self.assertRaises(OSError):
      self._open()
    self.assertEqual(os.listdir(self.path.parent), ['session'])


if __name__ == '__main__':
  absltest.main()
