"""The count memory against a written-out reference, in any cut, bitwise identical."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.ops import count_cache, count_memory, ngram_contexts
from tests import chunk_law
from tests.fixed_examples import fixed_examples
from tests.ops import memory_law, repeating_text

CONTEXTS, FOLLOWERS = ngram_contexts.Contexts((1, 2, 4)), 5
WORDS = (b'the ', b'cat ', b'sat ', b'on ', b'a', b'tacit ')
SETTINGS = fixed_examples(10)

text = functools.partial(repeating_text.ids, WORDS)


def reference(ids, starts, followers=FOLLOWERS):
  """Lists that forget nothing: no context replaces another. [B, T, O] lists, newest first."""
  found = []
  for row, begins in zip(ids, starts, strict=True):
    found.append([])
    for one, begin in zip(row, begins, strict=True):
      if begin or not found[-1]:
        tables, recent, contexts = [{} for _ in CONTEXTS.orders], (), []
      for table, context in zip(tables, contexts, strict=False):
        table.setdefault(context, []).insert(0, min(int(one), 255))
      recent = (*recent, int(one))[-CONTEXTS.reach:]
      # One that is not there is never asked for again.
      contexts = [recent[-n:] if len(recent) >= n else object() for n in CONTEXTS.orders]
      found[-1].append([table.get(context, [])[:followers]
                        for table, context in zip(tables, contexts, strict=True)])
  return found


@functools.cache
def jitted(function):
  return jax.jit(functools.partial(function, contexts=CONTEXTS))


def read(ids, state, starts=None):
  return jitted(count_memory.read)(ids, state, starts=starts)


def known(reads):
  """The reads without what is beyond the count."""
  valid = np.arange(reads.followers.shape[-1]) < np.asarray(reads.counts)[..., None]
  return np.where(valid, reads.followers, -1), np.asarray(reads.counts)


def empty(slots=64, rows=2):
  return count_memory.initial_state(rows, CONTEXTS, slots, FOLLOWERS)


MEMORY = memory_law.Memory(read, *(
    functools.partial(function, contexts=CONTEXTS)
    for function in (count_cache.to_cache, count_cache.read, count_cache.from_cache)), known)


class ReadTest(parameterized.TestCase):

  @parameterized.parameters(False, True)
  def test_equals_the_reference(self, starts):
    ids = text(400)
    begin = np.random.default_rng(1).random(ids.shape) < (0.01 if starts else 0)
    reads, _ = read(ids, empty(1 << 20), begin)
    followers, counts = known(reads)
    self.assertEqual(counts.max(), FOLLOWERS)
    for b, row in enumerate(reference(ids, begin)):
      for t, lists in enumerate(row):
        self.assertEqual([[int(f) for f in each if f >= 0] for each in followers[b, t]], lists)

  @hypothesis.given(lengths=chunk_law.cuts, seed=st.integers(0, 3))
  @SETTINGS
  def test_any_cut_gives_the_same_bits(self, lengths, seed):
    ids = text(chunk_law.TOTAL, seed=seed)
    begin = np.random.default_rng(seed).random(ids.shape) < 0.03
    # So few slots that contexts replace one another all the time.
    memory_law.assert_any_cut_is_equal(MEMORY, ids, begin, empty(16), lengths)

  def test_a_head_goes_on_counting_when_the_ring_is_full(self):
    ids = np.full((1, 300), 97, np.int32)
    ids[0, 1::2] = np.arange(150) % 90 + 100
    reads, state = read(ids, empty(1 << 10, rows=1))
    of_a = np.asarray(reads.followers)[0, -2, 0]
    np.testing.assert_array_equal(of_a, ids[0, 297:287:-2])
    self.assertLess(int((np.asarray(state.table) & 255).max()), 2 * FOLLOWERS)


class CacheTest(absltest.TestCase):

  @hypothesis.given(**memory_law.STEPS)
  @SETTINGS
  def test_steps_and_roll_backs_give_the_bits_of_the_chunk_call(self, lengths, filled, back):
    memory_law.assert_steps_equal_the_chunk_call(
        MEMORY, text(200, seed=2), empty(), lengths, filled, back)


if __name__ == '__main__':
  absltest.main()
