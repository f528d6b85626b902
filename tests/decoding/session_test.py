"""A session goes on exactly where it ended, in another process too; anything else is refused."""

import dataclasses
import functools
import hashlib
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
from unittest import mock

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy
from absl.testing import absltest, parameterized

from haiku_spectral import config, vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import prefill, sampling, session, session_file
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.modules import precision, spectral_gpt
from tests.decoding import tiny_model
from tests.fixed_examples import fixed_examples

MODEL, CONFIG = tiny_model.MODEL, tiny_model.CONFIG
FACTS = b'The key is under the third stone. '

# What another process does: it goes on from the session and saves what it came to.
GO_ON = '''
import sys
from tests.decoding import session_test
session_test.go_on(sys.argv[1], sys.argv[2])
'''


# And another one, which has the session until its standard input ends.
HOLD = '''
import sys
from haiku_spectral.decoding import session
with session.locked(sys.argv[1]):
  print('held', flush=True)
  sys.stdin.read()
'''


def like(dtype=jnp.float32):
  return context_lib.empty(MODEL, 1, dtype)


@functools.cache
def owner(seed=0):
  return session.owner(CONFIG, tiny_model.params(seed))


def continued(context, num_bytes=12):
  """The context after some more text."""
  return Generation(
      tiny_model.decoder(), context, Request(num_bytes, jax.random.key(0)),
      sampling.SamplingConfig(temperature=0.7)).run().context()


def go_on(source, target):
  context = session.load(source, like(), owner())
  session.save(target, continued(context), owner())


def some_context(seed=0):
  """A context of random numbers: saving does not ask what they mean."""
  generator = np.random.default_rng(seed)
  return jax.tree.map(
      lambda leaf: jnp.asarray(generator.normal(0, 9, leaf.shape).astype(leaf.dtype)), like())


@functools.cache
def saved():
  """The file of `some_context()`."""
  with tempfile.TemporaryDirectory() as folder:
    session.save(f'{folder}/one', some_context(), owner())
    return pathlib.Path(folder, 'one').read_bytes()


def assert_same(left, right):
  jax.tree.map(np.testing.assert_array_equal, left, right)
  jax.tree.map(lambda a, b: np.testing.assert_equal(a.dtype, b.dtype), left, right)


class SessionTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.path = os.path.join(self.folder, 'talk.session')

  def _saved(self):
    session.save(self.path, some_context(), owner())
    return pathlib.Path(self.path).read_bytes()

  def _load_bytes(self, data):
    pathlib.Path(self.path).write_bytes(data)
    return session.load(self.path, like(), owner())

  def test_exact_memory_is_kept(self):
    model = spectral_gpt.make_model(dataclasses.replace(
        CONFIG, ngram=config.NgramConfig(orders='1,3', slots=64),
        match=config.MatchConfig(length=3, slots=64, ring=512),
        counts=config.CountsConfig(orders='2', slots=64)))
    empty = context_lib.empty(model, 1, jnp.float32)
    generator = np.random.default_rng(0)
    context = jax.tree.map(
        lambda leaf: jnp.asarray(generator.integers(0, 99, leaf.shape).astype(leaf.dtype)), empty)
    self.assertIn(np.dtype('uint32'), {leaf.dtype for leaf in jax.tree.leaves(context)})
    session.save(self.path, context, owner())
    assert_same(session.load(self.path, empty, owner()), context)
    found = session.info(self.path)
    self.assertEqual(found.precision, 'float32')
    shares = [np.mean(np.asarray(reader.table) > 0) for reader in context.state.readers]
    self.assertEqual(list(found.tables_full.values()), shares)
    self.assertIn(', '.join(f'{share:.1%}' for share in shares), session.describe(self.path))

  def test_goes_on_in_another_process_as_if_it_had_never_stopped(self):
    params = tiny_model.params()
    context = prefill.extend(
        MODEL, params, prefill.begin(MODEL, params), vocab.encode(FACTS)[np.newaxis])
    session.save(self.path, context, owner())
    end = os.path.join(self.folder, 'end.session')
    subprocess.run([sys.executable, '-c', GO_ON, self.path, end], check=True)
    restored = session.load(end, like(), owner())
    assert_same(restored, continued(context))
    self.assertEqual(restored.position, 1 + len(FACTS) + 12)

  def test_what_is_saved_comes_back(self):
    self._saved()
    assert_same(session.load(self.path, like(), owner()), some_context())
    self.assertEqual(os.listdir(self.folder), ['talk.session'])

  def test_half_precision_comes_back(self):
    context = prefill.begin(
        MODEL, precision.cast_params(tiny_model.params(), jnp.bfloat16), dtype=jnp.bfloat16)
    session.save(self.path, context, owner())
    assert_same(session.load(self.path, like(jnp.bfloat16), owner()), context)
    with self.assertRaisesRegex(
        ValueError, 'was made in bfloat16, this program runs in float32: give --precision=bfloat'):
      session.load(self.path, like(), owner())

  def test_size_does_not_depend_on_what_was_read(self):
    sizes = set()
    context = prefill.begin(MODEL, tiny_model.params())
    for count in (1, 9):
      ids = np.full((1, count), 65, np.int32)
      context = prefill.extend(MODEL, tiny_model.params(), context, ids, chunk=1)
      session.save(self.path, context, owner())
      sizes.add(os.path.getsize(self.path))
    self.assertLen(sizes, 1)

  @hypothesis.given(st.integers(0, 10**9), st.integers(0, 7))
  @fixed_examples(60)
  def test_a_flipped_bit_anywhere_is_noticed(self, place, bit):
    data = bytearray(saved())
    data[place % len(data)] ^= 1 << bit
    with self.assertRaisesRegex(ValueError, 'damaged|cut short|not a session|version'):
      self._load_bytes(bytes(data))

  def test_flipped_bits_in_every_part(self):
    head = len(session_file.MAGIC)
    for place, message in (
        (0, 'is not a session of this program'), (head, 'has version 5'), (head + 4, 'is damaged'),
        (head + 20, 'is damaged'), (head + 50, 'is damaged'), (head + 100, 'is damaged'),
        (len(saved()) - 1, 'is damaged: its checksum is wrong. Restore it from a copy, or give')):
      data = bytearray(saved())
      data[place] ^= 1
      with self.assertRaisesRegex(ValueError, message):
        self._load_bytes(bytes(data))

  @parameterized.parameters(0, 5, 23, 40, 98, 99, 200, -1)
  def test_a_file_that_was_cut(self, size):
    with self.assertRaisesRegex(ValueError, r'is cut short: it has \d+ of (at least )?\d+ bytes'):
      self._load_bytes(saved()[:size])

  def test_a_file_with_something_after_it(self):
    with self.assertRaisesRegex(ValueError, 'is damaged'):
      self._load_bytes(saved() + b'x')

  def test_a_file_of_something_else(self):
    with self.assertRaisesRegex(ValueError, 'is not a session of this program: give another'):
      self._load_bytes(b'Dear diary,')

  def test_a_file_that_is_not_there(self):
    with self.assertRaisesRegex(FileNotFoundError, 'There is no session .*talk.session'):
      session.load(self.path, like(), owner())

  def test_a_pipe_is_refused_at_once(self):
    os.mkfifo(self.path)
    for action in (session.info, lambda path: session.load(path, like(), owner()),
                   lambda path: session.fork(path, f'{path}.new')):
      with self.assertRaisesRegex(ValueError, 'talk.session is not a regular file: give'):
        action(self.path)

  def test_another_model(self):
    self._saved()
    other = session.owner(config.ModelConfig(), tiny_model.params())
    with self.assertRaisesRegex(
        ValueError, f'belongs to another model .fingerprint {owner().model}, this one has '
        f'{other.model}.: give the run folder, --slots_times and --online_rate it was made with'):
      session.load(self.path, like(), other)

  def test_other_parameters_of_the_same_model(self):
    self._saved()
    with self.assertRaisesRegex(ValueError, 'belongs to other parameters of this model'):
      session.load(self.path, like(), owner(seed=1))
    params = tiny_model.params()
    changed = jax.tree.map(np.copy, params)
    leaf = jax.tree.leaves(changed)[-1]
    leaf.flat[0] = np.nextafter(leaf.flat[0], np.inf)
    self.assertNotEqual(session.owner(CONFIG, changed), session.owner(CONFIG, params))
    self.assertEqual(session.owner(CONFIG, jax.tree.map(jnp.asarray, params)), owner())

  def test_a_file_written_by_hand(self):
    arrays = {jax.tree_util.keystr(path): np.asarray(leaf)
              for path, leaf in jax.tree_util.tree_leaves_with_path(some_context())}
    payload = safetensors.numpy.save(arrays)
    head = b'haiku_spectral session\n' + (4).to_bytes(4, 'little')
    head += owner().model.encode() + owner().parameters.encode()
    head += len(payload).to_bytes(8, 'little')
    data = head + hashlib.sha256(head + payload).digest() + payload
    assert_same(self._load_bytes(data), some_context())
    self.assertEqual(session.info(self.path).owner, owner())

  def test_another_shape_of_context(self):
    context = some_context()
    session.save(self.path, context._replace(recent=context.recent[:, 1:]), owner())
    with self.assertRaisesRegex(ValueError, r'has no array of shape \(1, 256\) for .recent'):
      session.load(self.path, like(), owner())

  def test_another_version(self):
    with mock.patch.object(session_file, 'VERSION', session_file.VERSION + 1):
      self._saved()
    with self.assertRaisesRegex(
        ValueError, 'has version 5, this program reads version 4: use the program it was made wit'):
      session.load(self.path, like(), owner())

  def test_a_save_that_fails_leaves_the_old_session_and_nothing_else(self):
    before = self._saved()
    for step in ('fsync', 'replace'):
      full = mock.patch.object(os, step, side_effect=OSError('disk full'))
      with full, self.assertRaisesRegex(OSError, 'disk full'):
        session.save(self.path, some_context(1), owner())
      self.assertEqual(pathlib.Path(self.path).read_bytes(), before)
      self.assertEqual(os.listdir(self.folder), ['talk.session'])

  def test_places_where_nothing_can_be_saved(self):
    with self.assertRaisesRegex(ValueError, f'Session {self.folder} is a folder: give the path of'):
      session.check_place(self.folder)
    self._saved()
    inside = os.path.join(self.path, 'talk')
    with self.assertRaisesRegex(ValueError, 'could not be saved .*: give another --session path'):
      session.check_place(inside)
    locked = mock.patch.object(os, 'access', return_value=False)
    with locked, self.assertRaisesRegex(ValueError, 'its folder is read-only: give another'):
      session.check_place(self.path)

  @parameterized.parameters('float32', 'bfloat16')
  def test_info_needs_no_model(self, precision_name):
    context = like(jnp.dtype(precision_name))._replace(position=jnp.array([1234]))
    session.save(self.path, context, owner())
    info = session.info(self.path)
    self.assertEqual(info[:3], (owner(), 1234, precision_name))
    self.assertEqual(info.array_bytes['.recent'], 4 * context_lib.RECENT)
    self.assertEqual(info.state_bytes, sum(leaf.nbytes for leaf in jax.tree.leaves(context)))

  def test_a_session_may_name_its_history(self):
    self._saved()
    self.assertEqual(session.info(self.path).history, '')
    session.save(self.path, some_context(), owner(), history='the first 5 turns, ğ')
    self.assertEqual(session.info(self.path).history, 'the first 5 turns, ğ')
    assert_same(session.load(self.path, like(), owner()), some_context())

  def test_info_of_something_else(self):
    session.save(self.path, {'a': np.zeros(3, np.float32)}, owner())
    with self.assertRaisesRegex(ValueError, 'has no position: it was made by another version'):
      session.info(self.path)

  def test_a_fork_is_the_same_session_and_leaves_the_other_alone(self):
    before = self._saved()
    new = os.path.join(self.folder, 'new', 'fork')
    session.fork(self.path, new)
    self.assertEqual(pathlib.Path(new).read_bytes(), before)
    self.assertEqual(stat.S_IMODE(os.stat(new).st_mode), 0o600)
    session.save(new, some_context(1), owner())
    self.assertEqual(pathlib.Path(self.path).read_bytes(), before)

  def test_a_fork_replaces_nothing(self):
    self._saved()
    taken = self.create_tempfile('taken', b'my novel').full_path
    lost = os.path.join(self.folder, 'link')
    os.symlink('/no/such/file', lost)
    for path in (taken, self.folder, self.path, lost):
      with self.assertRaisesRegex(ValueError, f'{path} exists already: give a path where nothing'):
        session.fork(self.path, path)
    self.assertEqual(pathlib.Path(taken).read_bytes(), b'my novel')

  def test_damage_is_noticed_by_info_and_fork_too(self):
    data = bytearray(saved())
    data[-1] ^= 1
    pathlib.Path(self.path).write_bytes(data)
    new = os.path.join(self.folder, 'new')
    for action in (session.info, lambda path: session.fork(path, new)):
      with self.assertRaisesRegex(ValueError, 'is damaged: its checksum is wrong'):
        action(self.path)
      with self.assertRaisesRegex(FileNotFoundError, 'There is no session .*nothing'):
        action(os.path.join(self.folder, 'nothing'))
    self.assertFalse(os.path.exists(new))

  def test_a_session_through_a_link_is_that_of_its_target(self):
    os.mkdir(os.path.join(self.folder, 'big'))
    target = os.path.join(self.folder, 'big', 'talk')
    os.symlink('big/talk', self.path)
    for seed in range(2):  # The target is new, then there.
      session.save(self.path, some_context(seed), owner())
      self.assertTrue(os.path.islink(self.path))
      self.assertEqual(session.info(target), session.info(self.path))
      assert_same(session.load(target, like(), owner()), some_context(seed))
    self.assertEqual(os.listdir(os.path.dirname(target)), ['talk'])

  def test_speed_of_a_model_may_change(self):
    self._saved()
    fast = dataclasses.replace(
        CONFIG, remat=True, memory=dataclasses.replace(CONFIG.memory, block=4),
        attention=dataclasses.replace(CONFIG.attention, block=4))
    assert_same(
        session.load(self.path, like(), session.owner(fast, tiny_model.params())), some_context())

  def test_one_process_at_a_time_goes_on_with_a_session(self):
    os.symlink('talk.session', os.path.join(self.folder, 'link'))
    for path in (self.path, os.path.join(self.folder, 'link')):
      holder = subprocess.Popen(
          [sys.executable, '-c', HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
      self.assertEqual(holder.stdout.readline(), b'held\n')
      with self.assertRaisesRegex(
          ValueError, rf'is open in another program \(process {holder.pid}\): end that, give'):
        session.locked(self.path).__enter__()
      holder.communicate()
      with session.locked(self.path):  # It ended.
        pass

  def test_makes_the_folder(self):
    path = os.path.join(self.folder, 'new', 'talk')
    session.check_place(path)
    self.assertTrue(os.path.isdir(os.path.dirname(path)))

  def test_is_readable_by_its_owner_alone(self):
    # A conversation is private.
    self._saved()
    self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)


if __name__ == '__main__':
  absltest.main()
