"""The loop by script and with the real model: what a turn does, what ends it, what a kill loses."""

import dataclasses
import pathlib
import shutil

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.agent import folder, loop
from haiku_spectral.agent.transcript import Transcript, encode
from haiku_spectral.sandbox.result import Unavailable
from tests.agent import scripted
from tests.agent.scripted import code

WORK = (
    code('files["n"] = "1"', 'print("one")'),
    b'REMEMBER step=2\nREMEMBER gone=soon\n',
    b'hm\nREMEMBER gone=\n' + code('print(sorted(memory.items()), files)', 'del files["n"]'),
    code('1 / 0', ''),
    b'what now?',
    b'REMEMBER end=yes\nDONE\n',
)


class LoopTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.path = pathlib.Path(self.create_tempdir().full_path, 'session')

  def _events(self):
    transcript = Transcript(self.path / folder.TRANSCRIPT)
    transcript.close()
    return transcript.events

  def _observed(self):
    return [event.text for event in self._events() if event.kind == 'observation']

  def test_what_each_turn_does(self):
    reason, history, _ = scripted.go(self.path, scripted.scripted(*WORK))
    self.assertEqual(reason, loop.DONE)
    self.assertEqual(self._observed(), [
        b'ok\none', b'remembered', b"ok\n[('step', '2')] {'n': b'1'}",
        b'exception: ZeroDivisionError: division by zero',
        b'mistake: nothing to do: write a block of code between lines ```, REMEMBER key=value or '
        b'DONE', b'done'])
    self.assertEqual(history.memory, {'step': '2', 'end': 'yes'})
    self.assertEqual(history.files, {})
    self.assertEqual((history.turns, history.executions, history.ended), (6, 3, 'done'))
    kinds = [event.kind for event in self._events()]
    self.assertEqual(kinds, ['goal', *['turn', 'observation'] * 6, 'end'])

  @parameterized.parameters(
      (code('files["../x"] = "1"'), b"ok: mistake: '../x' cannot be the name"),
      (code('files = None'), b'mistake: files is of type NoneType'),
      (code('del files'), b'mistake: files is of type NoneType'),
      (code('files["a"] = "x" * 70000'), b'mistake: the files have 70,000 bytes'),
      (code('files["a"] = "x"', 'raise SystemError("so")'), b'exception: SystemError: so'),
      (code('def'), b'exception: SyntaxError'),
      (code('print("x" * 9999)'), b'ok\nxxx'),
      (b'```\n\xff\n```\n', b'mistake: the block of code is not UTF-8'),
      (b'REMEMBER a=1\nREMEMBER a:b\n', b'mistake: REMEMBER needs key=value'),
      (b'\n'.join(b'REMEMBER %d=1' % n for n in range(65)), b'mistake: the memory holds 64 keys'),
      (b'', b'mistake: nothing to do'),
  )
  def test_a_mistake_is_observed_and_changes_nothing(self, turn, observed):
    reason, history, _ = scripted.go(self.path, scripted.scripted(turn, b'DONE'))
    self.assertEqual(reason, loop.DONE)
    self.assertStartsWith(self._observed()[0], observed.removeprefix(b'ok: '))
    self.assertLessEqual(len(self._observed()[0]), 2048 + 8)
    self.assertEqual((history.files, history.memory), ({}, {}))

  def test_nothing_is_read_behind_the_end_of_a_turn(self):
    scripted.go(self.path, scripted.scripted(code('1') + b'DONE\n', b'DONE\nmore'))
    self.assertEqual(
        [event.text for event in self._events() if event.kind == 'turn'],
        [code('1'), b'DONE\n'])

  @parameterized.parameters(
      ({'turns': 2}, 'turns', 2), ({'executions': 1}, 'executions', 3),
      ({'executions': 0}, 'executions', 1), ({'repeats': 2}, 'repeats', 5))
  def test_limits(self, limits, reason, turns):
    work = (*WORK[:4], code('1 / 0', ''), b'DONE')
    got, history, _ = scripted.go(self.path, scripted.scripted(*work), **limits)
    self.assertEqual((got, history.ended, history.turns), (reason, reason, turns))
    self.assertLessEqual(history.executions, limits.get('executions', 99))
    # With more of it the session goes on.
    got, history, _ = scripted.go(self.path, scripted.scripted(*work[turns:]))
    self.assertEqual((got, history.turns), (loop.DONE, 6))

  def test_minutes(self):
    ticks = iter(range(0, 9999, 20))  # A turn and what comes of it take 20 seconds each.
    place = folder.Folder(self.path, scripted.scripted(*WORK), scripted.OWNER)
    place.set_goal(b'count')
    got = loop.run(place, scripted.scripted(*WORK), scripted.Here(), loop.Limits(minutes=1),
                   clock=lambda: next(ticks))
    place.close()
    self.assertEqual((got, place.history.turns, place.history.seconds), ('minutes', 2, 80))

  @parameterized.parameters(
      ({'turns': 0}, 'turns=0 is not allowed: give more than 0'),
      ({'minutes': float('nan')}, 'minutes=nan is not allowed'),
      ({'executions': -1}, 'executions=-1 is not allowed: give 0 or more'),
      ({'repeats': 0}, 'repeats=0 is not allowed'))
  def test_limits_that_are_none(self, limits, message):
    with self.assertRaisesRegex(ValueError, message):
      loop.Limits(**limits)

  def test_limits_are_for_one_goal_and_memory_for_all(self):
    scripted.go(self.path, scripted.scripted(*WORK))
    seen = scripted.scripted(code('print(memory)'), b'DONE')
    reason, history, _ = scripted.go(self.path, seen, goal=b'again', turns=2)
    self.assertEqual((reason, history.turns, history.executions), (loop.DONE, 2, 1))
    self.assertEqual(self._observed()[-2], b"ok\n{'step': '2', 'end': 'yes'}")
    # The same goal once more is reached already.
    self.assertEqual(scripted.go(self.path, scripted.scripted(), goal=b'again')[0], loop.DONE)

  def test_a_failing_sandbox_is_no_observation(self):
    box = scripted.Here(failures=2)
    self.assertEqual(scripted.go(self.path, scripted.scripted(*WORK), box)[0], loop.DONE)
    self.assertEqual(box.runs, 3 + 2)
    want = self._observed()
    shutil.rmtree(self.path)
    with self.assertRaisesRegex(Unavailable, r'failed 3 times at the same code \(the pipe broke\)'):
      scripted.go(self.path, scripted.scripted(*WORK), scripted.Here(failures=3))
    self.assertEqual([event.kind for event in self._events()], ['goal', 'turn'])
    scripted.go(self.path, scripted.scripted(*WORK[1:]))
    self.assertEqual(self._observed(), want)

  def test_a_turn_that_was_interrupted_is_written_again(self):
    stop = []
    writer = scripted.scripted(WORK[0], lambda: stop.append(1) or b'half a tu')
    place = folder.Folder(self.path, writer, scripted.OWNER)
    place.set_goal(b'count')
    got = loop.run(place, writer, scripted.Here(), loop.Limits(), should_stop=lambda: bool(stop))
    place.close()
    self.assertEqual(got, '')
    self.assertEqual([event.kind for event in self._events()], ['goal', 'turn', 'observation'])
    self.assertEqual(scripted.go(self.path, scripted.scripted(*WORK[1:]))[0], loop.DONE)

  def _killed(self, source, count):
    """The session as a kill may leave it: some events, half a line, and files of before."""
    shutil.rmtree(self.path, ignore_errors=True)
    shutil.copytree(source, self.path)
    lines = (self.path / folder.TRANSCRIPT).read_bytes().splitlines(keepends=True)
    (self.path / folder.TRANSCRIPT).write_bytes(b''.join(lines[:count]) + lines[count][:9])

  def _check_kills(self, make):
    """A session killed behind any event and gone on with is the one that was not."""
    source = self.path.with_name('uninterrupted')
    reason, history, context = scripted.go(source, make(0), turns=5, repeats=9)
    whole = Transcript(source / folder.TRANSCRIPT)
    whole.close()
    same = lambda events: [encode(dataclasses.replace(event, seconds=0)) for event in events]
    for count in range(1, len(whole.events)):
      self._killed(source, count)
      written = sum(event.kind == 'turn' for event in whole.events[:count])
      got = scripted.go(self.path, make(written), turns=5, repeats=9)
      self.assertEqual(got[0], reason)
      self.assertEqual(same(self._events()), same(whole.events))
      self.assertEqual(dataclasses.replace(got[1], latest=None, seconds=0),
                       dataclasses.replace(history, latest=None, seconds=0))
      jax.tree.map(np.testing.assert_array_equal, got[2], context)
      found = {path.name: path.read_bytes() for path in (self.path / 'workspace').iterdir()}
      self.assertEqual(found, history.files)

  def test_killed_anywhere_by_script(self):
    work = (*WORK[:4], WORK[-1])
    self._check_kills(lambda written: scripted.scripted(*work[written:]))

  def test_killed_anywhere_with_the_real_model(self):
    self._check_kills(lambda written: scripted.model_sampler())


if __name__ == '__main__':
  absltest.main()
