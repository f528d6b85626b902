"""Whatever is chosen under a constraint is allowed by it, complete, and fits in the bytes left."""

import functools
import itertools
import re
from unittest import mock

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import automaton as automata
from haiku_spectral.decoding import constraint, regex_compiler
from tests.fixed_examples import fixed_examples

V = vocab.SIZE
SETTINGS = fixed_examples(100)
UTF8 = automata.utf8()
# Bytes at every border of RFC 3629's table, from both sides.
BORDERS = bytes.fromhex('00 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 ff')

regex = functools.cache(automata.regex)


def accepts(automaton, data):
  return np.asarray(automaton.min_bytes)[automata.state_after(automaton, data)] == 0


def decodes(data):
  try:
    data.decode()
  except UnicodeDecodeError:
    return False
  return True


@functools.partial(jax.jit, static_argnums=3)
def generate(automaton, key, num_bytes, steps, scale):
  """[64, S] ids of 64 rows that choose among random logits."""
  def step(states, inputs):
    number, key = inputs
    logits = scale * jax.random.normal(key, (64, V))
    logits = constraint.mask(automaton, states, logits, num_bytes - number)
    ids = jax.random.categorical(jax.random.fold_in(key, 1), logits)
    return constraint.advance(automaton, states, ids), ids
  _, ids = jax.lax.scan(
      step, jnp.zeros(64, jnp.int32), (jnp.arange(steps), jax.random.split(key, steps)))
  return ids.T


def texts(automaton, num_bytes, seed=0, scale=3.0):
  """What 64 rows generate, each up to the end it chose or was left with."""
  ids = np.asarray(generate(automaton, jax.random.key(seed), num_bytes, 14, scale))
  ends = (ids == vocab.BOUNDARY).argmax(axis=1)
  assert (ids[np.arange(64), ends] == vocab.BOUNDARY).all()
  return [vocab.decode(row[:end]) for row, end in zip(ids, ends, strict=True)]


class Utf8Test(parameterized.TestCase):

  @parameterized.parameters(1, 2, 3, 4)
  def test_accepts_what_decodes_and_nothing_else(self, length):
    every = np.array(list(itertools.product(BORDERS, repeat=length)), np.uint8)
    table, states = np.asarray(UTF8.next), np.zeros(len(every), np.int32)
    for column in every.T:
      states = table[states, column]
    np.testing.assert_array_equal(
        np.asarray(UTF8.accepting)[states], [decodes(row.tobytes()) for row in every])

  @hypothesis.given(st.text(max_size=5), st.binary(max_size=3))
  @SETTINGS
  def test_any_text_and_any_bytes_behind_it(self, text, data):
    self.assertTrue(accepts(UTF8, text.encode()))
    self.assertEqual(accepts(UTF8, text.encode() + data), decodes(data))

  def test_bytes_that_complete_a_character(self):
    for data, missing in ((b'', 0), (b'\xc3', 1), (b'\xe0', 2), (b'\xe2\x82', 1), (b'\xed', 2),
                          (b'\xf0', 3), (b'\xf1\x80', 2), (b'\xf4', 3), (b'\xc0', automata.FAR)):
      self.assertEqual(UTF8.min_bytes[automata.state_after(UTF8, data)], missing, data)

  def test_goes_on_inside_a_character_of_the_prompt(self):
    whole = 'aé€😀b'.encode()
    for size in range(len(whole) + 1):
      self.assertEqual(
          constraint.state_behind(UTF8, whole[:size]), automata.state_after(UTF8, whole[:size]),
          size)
    # What was no text before the last bytes does not matter.
    for junk in (b'\xff', b'\x80\x80', b'\xf0\x9f', b'\xc3'):
      self.assertEqual(constraint.state_behind(UTF8, junk + b'a'), 0)
      self.assertEqual(constraint.state_behind(UTF8, junk + b'\xe2\x82'),
                       automata.state_after(UTF8, b'\xe2\x82'))
    self.assertEqual(constraint.state_behind(UTF8, b'ab\xff'), 0)

  def test_each_row_begins_behind_its_own_context(self):
    recent = np.stack([vocab.encode(data) for data in (b'abcd', 'ab€'.encode()[:4], b'ab\xff\xc3')])
    recent[0, 0] = vocab.BOUNDARY
    begin = [constraint.state_behind(UTF8, data) for data in (b'bcd', b'b\xe2\x82', b'\xff\xc3')]
    self.assertEqual(constraint.start_states(UTF8, recent).tolist(), begin)
    self.assertGreater(begin[1], 0)
    self.assertEqual(constraint.start_states(regex('a|é'), recent).tolist(), [0, 0, 0])


class RegexTest(parameterized.TestCase):

  @parameterized.parameters(
      '', 'a|ab', 'a*?b?', '(ab|c)+', '[^a]b', '^ab$', r'a\$', r'a\\$', '^a|b$', 'é+b?', r'\d{1,2}',
      r'(?i)AÉ', '.', r'[\s\S]{2}', 'b|a*[b&&c]', '((a|b)c){2}|aa')
  def test_accepts_what_matches_as_a_whole_and_nothing_else(self, pattern):
    automaton = regex(pattern)
    pattern = pattern.replace('[b&&c]', '[^\\s\\S]')  # Nothing, as Python writes it.
    found = 0
    for length in range(5):
      for letters in itertools.product('abcé1$\\\n', repeat=length):
        text = ''.join(letters)
        matches = re.fullmatch(pattern, text) is not None
        found += matches
        if accepts(automaton, text.encode()) != matches:
          self.fail(f'{text!r}: {matches}')
    self.assertGreater(found, 0)

  def test_only_utf8_and_all_of_it(self):
    for pattern in (r'(?s).*', r'(\w|[^a-z]){1,2}', r'\W*'):
      automaton, seen, todo = regex(pattern), set(), [(0, 0)]
      table, distance, whole = map(
          np.asarray, (automaton.next, automaton.min_bytes, UTF8.min_bytes))
      while todo:
        pair = todo.pop()
        if pair not in seen and distance[pair[0]] < automata.FAR:
          seen.add(pair)
          self.assertLess(whole[pair[1]], automata.FAR)
          if distance[pair[0]] == 0 or pattern == r'(?s).*':
            self.assertEqual(distance[pair[0]], whole[pair[1]])
          todo += set(zip(table[pair[0]].tolist(), np.asarray(UTF8.next)[pair[1]].tolist(),
                          strict=True))
      self.assertContainsSubset(range(len(UTF8.next) - 1), {pair[1] for pair in seen})

  def test_shortest_way_to_an_end(self):
    automaton = regex('[0-9]{4}|ab(cd)?')
    for data, least in ((b'', 2), (b'1', 3), (b'123', 1), (b'1234', 0), (b'a', 1), (b'ab', 0),
                        (b'abc', 1), (b'x', automata.FAR)):
      self.assertEqual(automaton.min_bytes[automata.state_after(automaton, data)], least, data)
    np.testing.assert_array_equal(
        np.flatnonzero(automaton.allowed[0]), [*range(ord('0'), ord('9') + 1), ord('a')])
    constraint.check_num_bytes(automaton, 2)
    with self.assertRaisesRegex(
        ValueError, 'num_bytes=1 is not allowed: the shortest allowed text has 2 byte'):
      constraint.check_num_bytes(automaton, 1)

  @parameterized.parameters(
      ('(a', r"regex='\(a' cannot be used: .*close every bracket.*Python says: missing \), unt"),
      ('a)(b', 'unbalanced parenthesis at position 1'),
      (r'\p{Greek})|(x', 'unbalanced parenthesis'), ('*', 'nothing to repeat at position 0'),
      (r'a\b', r'\\b is not supported: write what may stand there instead'),
      ('(?=a)a', 'no look-around'), (r'(a)\1', 'no back-references'),
      ('[a&&b]', 'no text matches it'), ('a*[b&&c]', 'no text matches it'),
      ('a^b', 'Leave out . and . inside of it'), ('a$b', 'Leave out . and . inside of it'),
      ('\udcff', 'is no UTF-8: write such bytes as characters'),
      ('(a|b)*a(a|b){14}', '20,000 states, or takes too long: give smaller repetition'))
  def test_patterns_that_cannot_be_used(self, pattern, message):
    with self.assertRaisesRegex(ValueError, message):
      automata.regex(pattern)

  def test_a_pattern_that_would_take_all_memory(self):
    hurry = mock.patch.object(regex_compiler, '_SECONDS', 0.2)
    with hurry, self.assertRaisesRegex(ValueError, '20,000 states, or takes too long'):
      automata.regex('(a|b)*a(a|b){30}')


class WritingTest(parameterized.TestCase):

  @parameterized.parameters(
      ('[0-9]{2,4}(,[0-9]{2})*', 2), (r'(é|€|😀)+x?', 2), (r'"[^"]{1,3}": (true|false|[1-9])', 6))
  def test_generated_texts_match_and_fit(self, pattern, least):
    different = set()
    for num_bytes in (least, least + 1, 13):
      for text in texts(regex(pattern), num_bytes):
        self.assertRegex(text.decode(), re.compile(rf'\A(?:{pattern})\Z'))
        self.assertLessEqual(len(text), num_bytes)
        different.add(text)
    self.assertGreater(len(different), 30)

  def test_characters_are_never_cut(self):
    for num_bytes in range(6):
      generated = texts(UTF8, num_bytes, scale=0.0)
      self.assertTrue(all(map(decodes, generated)))
      self.assertLessEqual(max(map(len, generated)), num_bytes)
      # Every byte is used, unless the end was chosen.
      self.assertIn(num_bytes, map(len, generated))
    self.assertGreater(len({text for text in generated if not text.isascii()}), 10)

  def test_each_row_has_its_own_state_and_bytes_left(self):
    automaton = regex('a|bcd|éé')
    states = jnp.array([automata.state_after(automaton, data) for data in (b'', b'', b'b', b'a')])
    for left, want in ((jnp.array([3, 1, 2, 9]), ['ab', 'a', 'c', '$']),
                       (4, ['abÃ', 'abÃ', 'c', '$']), (automata.FAR, ['abÃ', 'abÃ', 'c', '$'])):
      kept = np.isfinite(constraint.mask(automaton, states, jnp.zeros((4, V)), left))
      kept[:, ord('$')] |= kept[:, vocab.BOUNDARY]
      self.assertEqual(
          [''.join(chr(i) for i in np.flatnonzero(row[:256])) for row in kept], want)

  def test_end_where_the_text_is_complete_and_certain_where_nothing_else_is_left(self):
    automaton = regex('ab*')
    logits = jnp.asarray(np.random.default_rng(0).normal(size=(1, V)), jnp.float32)
    forbidden = logits.at[:, vocab.BOUNDARY].set(-jnp.inf)

    def kept(text, logits=logits, left=automata.FAR, **kwargs):
      states = jnp.array([automata.state_after(automaton, text)])
      masked = np.asarray(constraint.mask(automaton, states, logits, left, **kwargs)[0])
      left = np.flatnonzero(np.isfinite(masked))
      np.testing.assert_array_equal(masked[left[left < 256]], logits[0, left[left < 256]])
      return left.tolist()

    self.assertEqual(kept(b''), [ord('a')])
    self.assertEqual(kept(b'a'), [ord('b'), vocab.BOUNDARY])
    self.assertEqual(kept(b'a', end_of_document=False), [ord('b')])
    for given in (logits, forbidden):
      self.assertEqual(kept(b'a', given, 0), [vocab.BOUNDARY])
      self.assertEqual(kept(b'a', given, 0, end_of_document=False), [vocab.BOUNDARY])

  def test_specials_are_no_part_of_the_text(self):
    ids = jnp.array([vocab.PAD, vocab.BOUNDARY, vocab.TURN, vocab.RESULT, 0xC3, 0xFF, 65])
    states = constraint.advance(UTF8, jnp.full(7, 2), ids)
    np.testing.assert_array_equal(states[:4], 2)
    np.testing.assert_array_equal(states[4:], UTF8.next[2, ids[4:]])
    self.assertEqual(states.dtype, jnp.int32)


if __name__ == '__main__':
  absltest.main()
