"""The match memory against a written-out reference, in any cut, bitwise identical."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.ops import block_lines, match_cache, match_memory, ngram_contexts
from tests import chunk_law
from tests.fixed_examples import fixed_examples
from tests.ops import repeating_text

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
          if check == hashed & 0x3FF and (t - place) % RING and (t - place) % RING <= 3 * RING // 4:
            distance = (t - place) % RING
          table[slot] = hashed & 0x3FF, t
      distances[b, t], streaks[b, t] = distance, streak
  return distances, streaks


@functools.cache
def reader(with_starts=False):
  def read(ids, state, starts=None):
    return match_memory.read(ids, state, length=LENGTH, starts=starts)

  return jax.jit(read) if with_starts else jax.jit(lambda ids, state: read(ids, state))


def empty(rows=2, slots=SLOTS):
  return match_memory.initial_state(rows, RING, slots)


class ReadTest(parameterized.TestCase):

  @parameterized.parameters(False, True)
  def test_equals_the_reference(self, with_starts):
    ids = text(900)  # Longer than the ring.
    begin = np.random.default_rng(1).random(ids.shape) < 0.01 if with_starts else None
    given = (ids, empty(), begin) if with_starts else (ids, empty())
    reads, _ = reader(with_starts)(*given)
    distances, streaks = reference(ids, begin, SLOTS)
    self.assertGreater((distances > 0).mean(), 0.2)
    np.testing.assert_array_equal(reads.counts[..., 0], distances > 0)
    np.testing.assert_array_equal(reads.streak[..., 0], match_memory.level(streaks))
    for b, row in enumerate(np.minimum(ids, 255)):
      wanted = [row[t + 1 - d] for t, d in enumerate(distances[b]) if d]
      np.testing.assert_array_equal(
          np.asarray(reads.followers)[b, distances[b] > 0, 0, 0], wanted)

  @hypothesis.given(lengths=chunk_law.cuts, seed=st.integers(0, 3))
  @SETTINGS
  def test_any_cut_gives_the_same_bits(self, lengths, seed):
    ids = text(chunk_law.TOTAL, seed=seed)
    begin = np.random.default_rng(seed).random(ids.shape) < 0.02
    state = empty()
    want, end = reader(True)(ids, state, begin)
    at, found = 0, []
    for length in lengths:
      cut = slice(at, at + length)
      reads, state = reader(True)(ids[:, cut], state, begin[:, cut])
      found.append(reads)
      at += length
    got = jax.tree.map(lambda *x: np.concatenate(x, axis=1), *found)
    jax.tree.map(np.testing.assert_array_equal, (got, state), (want, end))


@functools.cache
def jitted(function, **how):
  return jax.jit(functools.partial(function, **how))


class CacheTest(absltest.TestCase):

  @hypothesis.given(
      lengths=st.lists(st.sampled_from([1, 1, 4]), min_size=1, max_size=12),
      filled=st.integers(0, 16), back=st.integers(0, 10), before=st.sampled_from([2, 90, 600]))
  @SETTINGS
  def test_steps_and_roll_backs_give_the_bits_of_the_chunk_call(
      self, lengths, filled, back, before):
    ids = text(700, seed=2)
    _, state = reader()(ids[:, :before], empty())
    want, _ = reader()(ids[:, before : before + 64], state)
    block, done = jitted(match_cache.to_cache, length=LENGTH)(state, np.int32(filled)), 0
    for length in (*lengths, -back, 1):
      if length <= 0:
        done -= min(back, done)
        block = block._replace(filled=np.int32(filled + done))
        continue
      if filled + done + length > 64:
        break
      now = slice(before + done, before + done + length)
      reads, entries = jitted(match_cache.read, length=LENGTH)(ids[:, now], block)
      jax.tree.map(lambda got, want, now=slice(done, done + length):
                   np.testing.assert_array_equal(got, want[:, now]), reads, want)
      block = jitted(block_lines.append)(block, entries)
      done += length
    for number in range(before, before + done):  # One by one: each length were another program.
      _, state = reader()(ids[:, number : number + 1], state)
    jax.tree.map(np.testing.assert_array_equal, jitted(match_cache.from_cache)(block), state)


if __name__ == '__main__':
  absltest.main()
