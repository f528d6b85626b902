"""A conversation by script: its context, what is shown and kept, and what ends it."""

import io
import os
import signal
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import chat, prefill, sampling, session
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding.generation import Generation, Request
from tests.decoding import tiny_model

MODEL = tiny_model.MODEL
OWNER = session.Owner('m' * 16, 'p' * 16)
T, B = [vocab.TURN], [vocab.BOUNDARY]


def script(*lines):
  """An `ask` that gives these lines, then the end; raises those that are exceptions."""
  left = iter(lines)

  def ask():
    line = next(left, EOFError())
    if isinstance(line, BaseException):
      raise line
    return line
  return ask


class ScriptedAnswer:
  """An answer that is known; what it gets to know is whether it should stop."""

  def __init__(self, model, context, answer):
    self._model, self._before, self._answer = model, context, answer

  def run(self, on_bytes, should_stop):
    if callable(self._answer):
      self._answer = self._answer(should_stop)
    on_bytes(0, self._answer)
    return self

  def context(self):
    ids = np.array([[*self._answer, *self._model.end]], np.int32)
    return self._model.read(self._before, ids)


class Scripted:
  """A model that answers with a given script; its context holds no more than ids."""

  def __init__(self, *answers, end=()):
    self._answers = iter(answers)
    self.end = list(end)
    self.heard = []

  def conversation(self, **kwargs):
    context = context_lib.Context(
        (), jnp.zeros((1, vocab.SIZE)), jnp.array([1]),
        jnp.full((1, context_lib.RECENT), vocab.PAD).at[0, -1].set(vocab.BOUNDARY))
    return chat.Conversation(context, self.read, self.answer, **kwargs)

  def read(self, context, ids):
    self.heard.append(ids[0].tolist())
    return context._replace(
        position=context.position + ids.shape[1],
        recent=context_lib.remember(context.recent, jnp.asarray(ids)))

  def answer(self, context):
    return ScriptedAnswer(self, context, next(self._answers))


def run(conversation, *lines):
  """(answers, notes)."""
  stream, notes = io.StringIO(), io.StringIO()
  chat.run(conversation, script(*lines), stream, notes)
  return stream.getvalue(), notes.getvalue()


class ChatTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.path = os.path.join(self.folder, 'talk')

  def _position(self, path=None):
    return session.info(path or self.path).position

  @parameterized.parameters(([], T), (B, []), (T, []))
  def test_turn_marks_stand_where_the_speaker_changes(self, end, between):
    model = Scripted(b'hello', b'fine', end=end)
    shown, notes = run(model.conversation(), 'Hi ğ', '', '   ', 'How?', '/quit', 'unheard')
    self.assertEqual(shown, 'hello\nfine\n')
    self.assertEqual(notes, '')
    self.assertEqual(model.heard, [
        [*'Hi ğ'.encode(), *T], [*b'hello', *end], [*between, *b'How?', *T], [*b'fine', *end]])

  def test_saved_after_every_turn(self):
    positions = []
    look = lambda should_stop: positions.append(self._position()) or b'xyz'
    conversation = Scripted(b'ab', look, look).conversation(path=self.path, owner=OWNER)
    run(conversation, '1', '2', '3')
    # The boundary; 1, its mark and two bytes; then a mark, a line, a mark and three bytes.
    self.assertEqual(positions, [5, 11])
    self.assertEqual(self._position(), 17)

  @parameterized.parameters(EOFError, KeyboardInterrupt)
  def test_control_d_and_control_c_at_the_prompt_end_it_with_the_session_saved(self, end):
    conversation = Scripted(b'ab').conversation(path=self.path, owner=OWNER)
    shown, notes = run(conversation, '1', end(), 'unheard')
    self.assertEqual((shown, notes), ('ab\n', '\n'))
    self.assertEqual(self._position(), 5)

  def test_control_c_ends_an_answer_and_nothing_else(self):
    def interrupted(should_stop):
      self.assertFalse(should_stop())
      os.kill(os.getpid(), signal.SIGINT)
      return b'stopped' if should_stop() else b'deaf'

    conversation = Scripted(interrupted, b'more').conversation(path=self.path, owner=OWNER)
    shown, notes = run(conversation, '1', '2')
    self.assertEqual(shown, 'stopped\nmore\n')
    self.assertNotIn('forgotten', notes)
    self.assertEqual(self._position(), 1 + 2 + 7 + 3 + 4)
    self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)

  def test_sigterm_ends_the_conversation_with_the_session_saved(self):
    def interrupted(should_stop):
      os.kill(os.getpid(), signal.SIGTERM)
      return b'stopped' if should_stop() else b'deaf'

    conversation = Scripted(interrupted, b'never').conversation(path=self.path, owner=OWNER)
    self.assertEqual(run(conversation, '1', '2')[0], 'stopped\n')
    self.assertEqual(self._position(), 1 + 2 + 7)

  def test_control_c_twice_forgets_the_turn(self):
    def impatient(should_stop):
      os.kill(os.getpid(), signal.SIGINT)
      os.kill(os.getpid(), signal.SIGINT)
      return b'deaf'

    model = Scripted(b'ab', impatient, b'cd')
    conversation = model.conversation(path=self.path, owner=OWNER)
    shown, notes = run(conversation, '1', '2', '3')
    self.assertEqual(shown, 'ab\n\ncd\n')
    self.assertIn('the turn is forgotten', notes)
    self.assertEqual(self._position(), 5 + 3 + 2)

  def test_a_failing_answer_leaves_the_turns_before(self):
    def broken(should_stop):
      raise ValueError('logits that are not finite')

    conversation = Scripted(b'ab', broken).conversation(path=self.path, owner=OWNER)
    with self.assertRaisesRegex(ValueError, 'not finite'):
      run(conversation, '1', '2')
    self.assertEqual(self._position(), 5)

  def test_a_full_disk_is_told_and_tried_again(self):
    conversation = Scripted(b'ab', b'cd').conversation(path=self.path, owner=OWNER)
    full = mock.patch.object(session, 'save', side_effect=[OSError('disk full'), None])
    with full as save:
      shown, notes = run(conversation, '1', '2')
    self.assertEqual((shown, notes), ('ab\ncd\n', 'error: disk full\n\n'))
    self.assertEqual([call.args[1].position for call in save.call_args_list], [5, 10])
    conversation = Scripted(b'ab').conversation(path=self.path, owner=OWNER)
    full = mock.patch.object(session, 'save', side_effect=OSError('disk full'))
    with full, self.assertRaisesRegex(OSError, 'disk full'):
      run(conversation, '1')

  def test_without_a_session(self):
    _, notes = run(Scripted(b'ab').conversation(), '1', '/info', '/fork x')
    self.assertEqual(
        notes, 'error: this conversation is not kept: start with --session=PATH.\n' * 2 + '\n')
    self.assertEqual(os.listdir(self.folder), [])

  def test_commands(self):
    model = Scripted(b'ab', b'cd')
    conversation = model.conversation(path=self.path, owner=OWNER)
    fork = os.path.join(self.folder, 'a fork')
    shown, notes = run(
        conversation, '/info', '1', f'/fork {fork}', f'/fork {fork}', '/fork', '/help', '/qiut',
        '//etc', '/quit')
    self.assertEqual(shown, 'ab\ncd\n')
    self.assertEqual((self._position(fork), self._position()), (5, 5 + 6 + 2))
    self.assertEqual(model.heard[2], [*T, *b'/etc', *T])
    reported = notes.splitlines()
    state = session.info(self.path).state_bytes
    self.assertEqual(reported[0], f'{self.path}: 1 bytes so far, a state of {state:,} bytes in '
                     'float32, model mmmmmmmmmmmmmmmm, parameters pppppppppppppppp')
    self.assertEqual(reported[1], f'{fork}: goes on from here')
    self.assertEqual(reported[2], f'error: {fork} exists already: give a path where nothing is.')
    self.assertEqual(reported[3], 'error: /fork needs a path: give one where nothing is.')
    self.assertEqual('\n'.join(reported[4:-1]), chat.HELP)
    self.assertEqual(
        reported[-1], 'error: there is no command /qiut: /help lists them, and //… says /…')

  def test_a_reader_that_goes_away_ends_it(self):
    reading, writing = os.pipe()
    os.close(reading)
    conversation = Scripted(b'ab').conversation(path=self.path, owner=OWNER)
    with os.fdopen(writing, 'w') as stream:
      chat.run(conversation, script('1', '2'), stream, io.StringIO())
    self.assertEqual(self._position(), 5)

  def test_the_real_model_and_a_conversation_that_goes_on_tomorrow(self):
    params = tiny_model.params()

    def read(context, ids):
      return prefill.extend(MODEL, params, context, ids)

    def answer(context):
      return Generation(
          tiny_model.decoder(), context, Request(5, jax.random.key(0)), sampling.SamplingConfig())

    owner = session.owner(tiny_model.CONFIG, params)
    start = prefill.begin(MODEL, params)
    today = run(chat.Conversation(start, read, answer, self.path, owner), 'ab')
    restored = session.load(self.path, start, owner)
    tomorrow = run(chat.Conversation(restored, read, answer, self.path, owner), 'c')
    # The same by hand.
    context, want = start, ''
    for ids in ([*b'ab', *T], [*T, *b'c', *T]):
      answered = answer(read(context, np.array([ids], np.int32))).run()
      context = answered.context()
      want += answered.texts[0].decode(errors='replace') + '\n'
    self.assertEqual(today[0] + tomorrow[0], want)
    jax.tree.map(np.testing.assert_array_equal, session.load(self.path, start, owner), context)


if __name__ == '__main__':
  absltest.main()
