"""Generation does not depend on how it is cut into calls."""

import functools
import re

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import automaton, one_by_one, prefill, sampling
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding.generation import Generation, Request
from tests import chunk_law
from tests.decoding import tiny_model

CONFIG = sampling.SamplingConfig(repetition_penalty=1.2, repetition_window=7)
DECODER = tiny_model.decoder()


@functools.cache
def prefilled(data, rows=1):
  model, params = DECODER.model, DECODER.params
  context = prefill.extend(
      model, params, prefill.begin(model, params), vocab.encode(data)[None], chunk=8)
  return context_lib.repeat(context, rows)


def generate(
    context, num_bytes, config=CONFIG, seed=3, decoder=DECODER, stops=(), steps=one_by_one.STEPS,
    constraint=None, **callbacks):
  request = Request(num_bytes, jax.random.key(seed), stops)
  return Generation(
      decoder, context, request, config, constraint=constraint,
      decode=one_by_one.OneByOne(steps)).run(**callbacks)


@functools.cache
def generated(num_bytes):
  """What comes behind 'abc'."""
  return generate(prefilled(b'abc'), num_bytes)


def assert_same(left, right):
  jax.tree.map(np.testing.assert_array_equal, left, right)


def assert_close(got, want):
  assert_same((got.position, got.recent), (want.position, want.recent))
  chunk_law.assert_close((got.logits, got.state), (want.logits, want.state), 2e-5)


class GenerationTest(parameterized.TestCase):

  def test_same_seed_gives_the_same_bytes_however_many_steps_a_call_has(self):
    want = generated(150)
    got = generate(prefilled(b'abc'), 150, steps=5)
    self.assertLen(want.texts[0], 150)
    self.assertEqual(got.texts, want.texts)
    assert_same(got.context(), want.context())

  def test_another_seed_gives_other_bytes(self):
    self.assertNotEqual(
        generate(prefilled(b'abc'), 20, seed=1).texts, generate(prefilled(b'abc'), 20).texts)

  def test_is_one_byte_after_the_other_written_out(self):
    text, context = b'', prefilled(b'abc')
    key = jax.random.fold_in(jax.random.key(3), 0)
    choose = jax.jit(functools.partial(sampling.choose, config=CONFIG))
    for position in range(4, 84):
      keys = jax.random.fold_in(key, position)[None]
      byte = np.asarray(choose(keys, context.logits, context.recent))[None]
      context = prefill.extend(DECODER.model, DECODER.params, context, byte)
      text += bytes([int(byte[0, 0])])
    self.assertEqual(generated(150).texts[0][:80], text)

  @parameterized.parameters(0, 1, 63, 64, 65, 130)
  def test_pausing_changes_nothing(self, cut):
    first = generate(prefilled(b'abc'), cut)
    second = generate(first.context(), 150 - cut)
    self.assertEqual(first.texts[0] + second.texts[0], generated(150).texts[0])
    assert_close(second.context(), generated(150).context())

  def test_the_context_is_that_of_prompt_and_text(self):
    assert_close(generated(150).context(), prefilled(b'abc' + generated(150).texts[0]))

  def test_log_probabilities_are_those_of_the_model(self):
    text, context = generated(150).texts[0][:9], prefilled(b'abc')
    for i, byte in enumerate(text):
      want = sampling.log_probs(context.logits)[0, byte]
      self.assertAlmostEqual(generated(150).log_probs[0][i], float(want), places=4)
      context = prefilled(b'abc' + text[:i + 1])
    self.assertEqual([len(scores) for scores in generated(150).log_probs], [150])

  def test_rows_are_different_and_the_first_is_what_it_is_alone(self):
    several = generate(prefilled(b'abc', rows=3), 30)
    self.assertLen(set(several.texts), 3)
    self.assertEqual(several.texts[0], generated(150).texts[0][:30])
    for number, text in enumerate(several.texts):
      assert_close(several.context(number), prefilled(b'abc' + text))

  def test_callback_gets_all_bytes_in_order(self):
    reported = [b'', b'', b'']
    def on_bytes(row, data):
      self.assertNotEmpty(data)
      reported[row] += data
    got = generate(prefilled(b'abc', rows=3), 33, stops=[b'zzz'], on_bytes=on_bytes)
    self.assertEqual(reported, got.texts)

  @parameterized.product(start=(0, 60, 64, 100), size=(1, 8, 70))
  def test_stop_string(self, start, size):
    free = generated(150).texts[0]
    stop = free[start:start + size]
    want = free[:free.index(stop)]
    shown = []
    got = generate(
        prefilled(b'abc'), 200, stops=[stop, b'never'], steps=5 if size == 8 else 16,
        on_bytes=lambda row, data: shown.append(data))
    self.assertEqual(got.texts, [want])
    self.assertEqual(b''.join(shown), want)
    self.assertLen(got.log_probs[0], len(want))
    # The context ends where the text does: the stop string is no part of it.
    assert_close(got.context(), prefilled(b'abc' + want))

  def test_what_might_become_a_stop_string_is_shown_at_the_end(self):
    text = generated(150).texts[0]
    got = generate(prefilled(b'abc'), 150, stops=[text[60:] + b'!'])
    self.assertEqual(got.texts, [text])
    assert_close(got.context(), generated(150).context())

  def test_end_of_the_document_is_in_the_context(self):
    ending = sampling.SamplingConfig(end_of_document=True)
    rows = 3
    several = generate(prefilled(b'abc', rows=rows), 2000, config=ending)
    self.assertLess(min(map(len, several.texts)), 2000)
    self.assertLen(set(map(len, several.texts)), rows)
    one = generate(prefilled(b'abc'), 2000, config=ending)
    self.assertEqual(one.texts[0], several.texts[0])
    self.assertEqual(one.context().position, 4 + len(one.texts[0]) + 1)
    self.assertEqual(one.context().recent[0, -1], vocab.BOUNDARY)
    # Going on with the same key begins a new document, and does not end at once for ever.
    following = [one]
    for _ in range(3):
      following.append(generate(following[-1].context(), 300, config=ending))
    self.assertGreater(max(len(further.texts[0]) for further in following[1:]), 0)

  def test_asked_to_stop(self):
    reported = []
    got = generate(
        prefilled(b'abc'), 100, steps=5, on_bytes=lambda row, data: reported.append(data),
        should_stop=lambda: len(reported) == 3)
    self.assertEqual(got.texts, [generated(150).texts[0][:15]])
    self.assertEqual(got.context().position, 4 + 15)

  def test_zero_bytes(self):
    got = generate(prefilled(b'abc'), 0)
    self.assertEqual(got.texts, [b''])
    assert_same(got.context(), prefilled(b'abc'))

  def test_any_number_of_bytes(self):
    huge = 99999999999999999999
    got = generate(prefilled(b'abc'), huge, stops=[generated(150).texts[0][100:104]])
    self.assertEqual(got.texts, [generated(150).texts[0][:100]])
    ended = generate(prefilled(b'abc'), huge, constraint=automaton.regex('[ab]{3,}c'))
    self.assertRegex(ended.texts[0].decode(), '^[ab]{3,}c$')

  def test_values_and_logits_are_checked(self):
    with self.assertRaisesRegex(ValueError, 'num_bytes=-1 is not allowed: give 0 or more'):
      generate(prefilled(b'abc'), -1)
    broken = jax.tree.map(lambda x: np.full_like(x, np.nan), tiny_model.params())
    # After the boundary, 3 that were given, and 5 of the first call.
    with self.assertRaisesRegex(ValueError, 'logits that are not finite after 9 bytes.*float32'):
      generate(prefilled(b'abc'), 5, decoder=decoder_lib.Decoder(tiny_model.CONFIG, broken))


class ConstraintTest(parameterized.TestCase):

  @parameterized.parameters(5, 100)
  def test_utf8_is_never_cut(self, num_bytes):
    got = generate(prefilled(b'abc', rows=3), num_bytes, constraint=automaton.utf8())
    for text in got.texts:
      self.assertLen(text, num_bytes)
      text.decode()

  def test_regex_ends_the_text_whatever_the_rules_say(self):
    pattern = '[a-c]{5}x?(, [0-9]+)*'
    constraint = automaton.regex(pattern)
    for rules in (CONFIG, sampling.SamplingConfig(end_of_document=True, top_k=3)):
      got = generate(prefilled(b'abc', rows=3), 40, rules, constraint=constraint)
      for text in got.texts:
        self.assertRegex(text.decode(), re.compile(f'^({pattern})$'))
    got = generate(prefilled(b'abc'), 100, constraint=automaton.regex('[a-c]{70}'))
    self.assertLen(got.texts[0], 70)
    # The end that the pattern forces begins no new document.
    assert_close(got.context(), prefilled(b'abc' + got.texts[0]))


if __name__ == '__main__':
  absltest.main()
