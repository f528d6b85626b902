"""The match memory against a written-out reference, in any cut, bitwise identical."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.ops import match_cache, match_memory, ngram_contexts
from tests import chunk_law
from tests.fixed_examples import fixed_examples
from tests.ops import memory_law, repeating_text

LENGTH, RING, SLOTS = 4, 1 << 9, 1 << 7
WORDS = (b'the ', b'cat ', b'sat on ', b'a mat. ', b'and then it went ', b'away from here ')
SETTINGS = fixed_examples(10)


text = functools.partial(repeating_text.ids, WORDS)


@functools.cache
def _hash(data):
  line = np.frombuffer(data, np.uint8).astype(np.int32)[None]
  hashed, _ = ngram_contexts.hashes(
      line, np.full((1, 1), LENGTH), ngram_contexts.Contexts((LENGTH,)))
  return int(hashed[0, 0, 0])


def reference(ids, starts, slots):
  """Byte by byte, with the whole text at hand."""
  distances, streaks = np.zeros(ids.shape, int), np.zeros(ids.shape, int)
  for b, row in enumerate(np.minimum(ids, 255)):
    table, begin, distance, streak = {}, 0, 0, 0
    for t, one in enumerate(row):
      if starts is not None and starts[b, t]:
        table, begin, distance, streak = {}, t, 0, 0
      came = distance > 0 and row[t - distance] == one
      streak, distance = (streak + 1, distance) if came else (0, 0)
      if t + 1 - begin >= LENGTH:
        hashed = _hash(row[t + 1 - LENGTH : t + 1].astype(np.uint8).tobytes())
        if hashed >> 11 & 1 == 0:
          slot = hashed // ((1 << 32) // slots)
          check, place = table.get(slot, (None, 0))
          back = (t - place) % RING
          if check == hashed & 0x3FF and 0 < back <= 3 * RING // 4 and np.array_equal(
              row[t - back + 1 - LENGTH : t - back + 1], row[t + 1 - LENGTH : t + 1]):
            distance = back
          table[slot] = hashed & 0x3FF, t
      distances[b, t], streaks[b, t] = distance, streak
  return distances, streaks


@functools.cache
def reader():
  return jax.jit(functools.partial(match_memory.read, length=LENGTH))


def read(ids, state, starts=None):
  return reader()(ids, state, starts=starts)


def empty(rows=2, slots=SLOTS):
  return match_memory.initial_state(rows, RING, slots)


MEMORY = memory_law.Memory(
    read, functools.partial(match_cache.to_cache, length=LENGTH),
    functools.partial(match_cache.read, length=LENGTH), match_cache.from_cache)


class ReadTest(parameterized.TestCase):

  @parameterized.parameters(False, True)
  def test_equals_the_reference(self, with_starts):
    ids = text(900)  # Longer than the ring.
    begin = np.random.default_rng(1).random(ids.shape) < 0.01 if with_starts else None
    reads, _ = read(ids, empty(), begin)
    distances, streaks = reference(ids, begin, SLOTS)
    self.assertGreater((distances > 0).mean(), 0.2)
    np.testing.assert_array_equal(reads.counts[..., 0], distances > 0)
    np.testing.assert_array_equal(reads.streak[..., 0], match_memory.level(streaks))
    for b, row in enumerate(np.minimum(ids, 255)):
      wanted = [row[t + 1 - d] for t, d in enumerate(distances[b]) if d]
      np.testing.assert_array_equal(
          np.asarray(reads.followers)[b, distances[b] > 0, 0, 0], wanted)

  def test_what_is_new_repeats_nothing(self):
    ids = np.random.default_rng(0).integers(0, 256, (2, 6000))  # Some share a slot and its check.
    distances, _ = reference(ids, None, SLOTS)
    self.assertFalse(distances.any())
    reads, _ = read(ids, empty())
    self.assertFalse(np.any(reads.counts))

  @hypothesis.given(lengths=chunk_law.cuts, seed=st.integers(0, 3))
  @SETTINGS
  def test_any_cut_gives_the_same_bits(self, lengths, seed):
    ids = text(chunk_law.TOTAL, seed=seed)
    begin = np.random.default_rng(seed).random(ids.shape) < 0.02
    memory_law.assert_any_cut_is_equal(MEMORY, ids, begin, empty(), lengths)


class CacheTest(absltest.TestCase):

  @hypothesis.given(**memory_law.STEPS, before=st.sampled_from([2, 90, 600]))
  @SETTINGS
  def test_steps_and_roll_backs_give_the_bits_of_the_chunk_call(
      self, lengths, filled, back, before):
    memory_law.assert_steps_equal_the_chunk_call(
        MEMORY, text(700, seed=2), empty(), lengths, filled, back, before)


if __name__ == '__main__':
  absltest.main()
