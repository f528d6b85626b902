"""The tables of the exact memory against a written-out reference, in any cut, bitwise identical."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.ops import ngram_cache, ngram_contexts, ngram_memory
from tests import chunk_law
from tests.fixed_examples import fixed_examples
from tests.ops import memory_law, repeating_text

CONTEXTS, SLOTS = ngram_contexts.Contexts((1, 2, 3, 5, 8), words=(0, 1, 2)), 1 << 12
HOW = {'contexts': CONTEXTS, 'followers': 3}
WORDS = (b'the ', b'The ', b'cat ', b'sat, ', b'on. ', 'ağaç '.encode(), b'a_7 ', b'unreasonably')
SETTINGS = fixed_examples(10)


text = functools.partial(repeating_text.ids, WORDS)


def words_of(recent, most):
  """The last `most` words, the beginning of the next one, and what stands after the last word."""
  found, inside = [[]], True
  for one in reversed(recent[-32:]):
    is_word = one < 256 and (one >= 128 or chr(one).isalnum() or chr(one) == '_')
    if is_word and not inside:
      found.append([])
    if is_word:
      found[-1].append(ord(chr(one).lower()) if one < 128 else one)
    inside = is_word
  last = recent[-1] if not found[0] else None
  return last, tuple(tuple(word) for word in found[:most + 1])


def contexts_of(recent):
  """The contexts that end with an id; None: not there."""
  orders = [tuple(recent[-n:]) if len(recent) >= n else None for n in CONTEXTS.orders]
  return orders + [words_of(recent, most) for most in CONTEXTS.words]


def reference(ids, starts, followers=3):
  """Dictionaries that forget nothing: no context replaces another."""
  shape = (*ids.shape, CONTEXTS.size)
  found = np.zeros((*shape, followers), int)
  count, streaks = np.zeros(shape, int), np.zeros(shape, int)
  for b, row in enumerate(ids):
    for j in range(CONTEXTS.size):
      table, recent, context, newest, streak = {}, [], None, None, 0
      for t, one in enumerate(row):
        if starts is not None and starts[b, t]:
          table, recent, context, newest, streak = {}, [], None, None, 0
        byte = min(int(one), 255)
        if context is not None:
          table[context] = [byte, *table.get(context, [])][:followers]
          streak = min(streak + 1, 15) if newest == byte else 0
        recent = [*recent, int(one)][-64:]
        context = contexts_of(recent)[j]
        known = table.get(context, []) if context else []
        newest = known[0] if known else None
        found[b, t, j, :len(known)] = known
        count[b, t, j], streaks[b, t, j] = len(known), streak
  return found, count, streaks


def read(ids, state, starts=None, **how):
  return jitted(ngram_memory.read, **(HOW | how))(ids, state, starts=starts)


@functools.cache
def jitted(function, **how):
  return jax.jit(functools.partial(function, **how))


def known(reads):
  """The reads without what is beyond the count."""
  valid = np.arange(reads.followers.shape[-1]) < np.asarray(reads.counts)[..., None]
  return np.where(valid, reads.followers, 0), np.asarray(reads.counts), np.asarray(reads.streak)


def empty(rows=2, slots=SLOTS):
  return ngram_memory.initial_state(rows, CONTEXTS, slots)


MEMORY = memory_law.Memory(
    read, functools.partial(ngram_cache.to_cache, **HOW),
    functools.partial(ngram_cache.read, **HOW), functools.partial(ngram_cache.from_cache, **HOW),
    known)


class ReadTest(parameterized.TestCase):

  @parameterized.product(starts=(False, True), followers=(1, 3))
  def test_equals_the_reference(self, starts, followers):
    ids = text(500)
    begin = np.random.default_rng(1).random(ids.shape) < 0.01 if starts else None
    reads, _ = read(ids, empty(slots=1 << 20), begin, followers=followers)
    for got, want in zip(known(reads), reference(ids, begin, followers), strict=True):
      np.testing.assert_array_equal(got, want)

  @hypothesis.given(lengths=chunk_law.cuts, seed=st.integers(0, 3))
  @SETTINGS
  def test_any_cut_gives_the_same_bits(self, lengths, seed):
    ids = text(chunk_law.TOTAL, seed=seed)
    begin = np.random.default_rng(seed).random(ids.shape) < 0.03
    # So few slots that contexts replace one another all the time.
    memory_law.assert_any_cut_is_equal(MEMORY, ids, begin, empty(slots=64), lengths)

  def test_long_chunks_are_read_in_pieces(self):
    ids = text(600, rows=1)
    small, large = (read(ids, empty(1, slots=slots))[0] for slots in (1 << 20, 1 << 22))
    self.assertLess((1 << 31) // (1 << 22), 600)
    for got, want in zip(known(large), known(small), strict=True):
      np.testing.assert_array_equal(got, want)

  def test_rows_are_independent(self):
    ids = text(chunk_law.TOTAL)
    other = ids.copy()
    other[1] = text(chunk_law.TOTAL, seed=9)[0]
    first, second = (read(each, empty(slots=64))[0] for each in (ids, other))
    jax.tree.map(lambda *x: np.testing.assert_array_equal(*(np.asarray(each)[0] for each in x)),
                 first, second)

  def test_what_was_seen_once_is_recalled_from_far_away(self):
    needle = b'The code of the vault is 7351.'
    noise = bytes(np.random.default_rng(0).integers(97, 123, 20_000, np.uint8))
    ids = vocab.encode(needle + noise + needle)[None]
    five = ngram_contexts.Contexts((5,))
    reads, _ = jax.jit(functools.partial(ngram_memory.read, contexts=five))(
        ids, ngram_memory.initial_state(1, five, 1 << 18))
    follower = np.asarray(reads.followers[0, :, 0, 0])
    last = len(ids[0]) - len(needle)
    np.testing.assert_array_equal(follower[last + 4 : -1], ids[0, last + 5:])

  def test_words_are_recalled_with_other_punctuation_and_case(self):
    ids = vocab.encode(b'The key of Ada = 73. And later: (the KEY, of ada) ')[None]
    reads, _ = read(ids, empty(1, slots=1 << 18))
    two_words = CONTEXTS.size - 1
    self.assertIn(ord('7'), np.asarray(reads.followers)[0, -1, two_words])
    self.assertEqual(np.asarray(reads.counts)[0, -1, CONTEXTS.orders.index(3)], 0)

  def test_a_new_stream_recalls_nothing_and_a_boundary_everything(self):
    one = vocab.encode(b'abcdefgh')
    ids = np.concatenate([one, [vocab.BOUNDARY], one])[None].astype(np.int32)
    start = (ids == vocab.BOUNDARY)
    kept, reset = (np.asarray(read(ids, empty(1), begin)[0].counts[0])
                   for begin in (np.zeros_like(start), start))
    self.assertTrue((kept[9:].max(axis=0)[:4] > 0).all())
    self.assertEqual(reset.max(), 0)


class CacheTest(absltest.TestCase):

  @hypothesis.given(**memory_law.STEPS)
  @SETTINGS
  def test_steps_and_roll_backs_give_the_bits_of_the_chunk_call(self, lengths, filled, back):
    memory_law.assert_steps_equal_the_chunk_call(
        MEMORY, text(200, seed=2), empty(), lengths, filled, back)


if __name__ == '__main__':
  absltest.main()
