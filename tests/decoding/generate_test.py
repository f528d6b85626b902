"""Reading and writing do not depend on how they are cut into calls."""

import functools
import re

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import candidates, constraint, generate, prefill, sampling
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from tests import chunk_law
from tests.decoding import tiny_model
from tests.evaluation import toy_models

TOY = toy_models.windowed(5)
TOY_PARAMS = TOY.init(jax.random.key(0))
CONFIG = sampling.SamplingConfig(repetition_penalty=1.2, repetition_window=7)
SETTINGS = hypothesis.settings(max_examples=8, deadline=None, derandomize=True, database=None)
DECODER = tiny_model.decoder()


def read_toy(data, model=TOY, **kwargs):
  return prefill.read(
      model, TOY_PARAMS, prefill.begin(model, TOY_PARAMS), vocab.encode(data)[None], **kwargs)


@functools.cache
def read(data, rows=1):
  model, params = DECODER.model, DECODER.params
  context = prefill.read(
      model, params, prefill.begin(model, params), vocab.encode(data)[None], chunk=8)
  return context_lib.repeat(context, rows)


def write(context, num_bytes, rules=CONFIG, seed=3, decoder=DECODER, **kwargs):
  return generate.generate(
      decoder, context, num_bytes=num_bytes, config=rules, key=jax.random.key(seed), **kwargs)


@functools.cache
def written(num_bytes):
  """What is written behind 'abc'."""
  return write(read(b'abc'), num_bytes)


def assert_same(left, right):
  jax.tree.map(np.testing.assert_array_equal, left, right)


def assert_close(got, want):
  assert_same((got.position, got.recent), (want.position, want.recent))
  chunk_law.assert_close((got.logits, got.state), (want.logits, want.state), 1e-5)


class PrefillTest(parameterized.TestCase):

  @hypothesis.given(data=st.binary(max_size=700), chunk=st.sampled_from([1, 8, 50, 512]))
  @SETTINGS
  def test_any_chunk_reads_the_same(self, data, chunk):
    got = read_toy(data, chunk=chunk)
    logits, state = TOY.apply(
        TOY_PARAMS, jnp.asarray([[vocab.BOUNDARY, *data]]), TOY.initial_state(1, jnp.float32))
    np.testing.assert_allclose(got.logits, logits[:, -1], atol=1e-5)
    assert_same(got.state, state)
    self.assertEqual(got.position, len(data) + 1)
    past = [vocab.PAD] * context_lib.RECENT + [vocab.BOUNDARY, *data]
    self.assertEqual(got.recent[0].tolist(), past[-context_lib.RECENT:])

  def test_few_shapes_whatever_the_lengths(self):
    shapes = set()

    def apply(params, tokens, state):
      shapes.add(tokens.shape)
      return TOY.apply(params, tokens, state)

    model = TOY._replace(apply=apply)
    told = []
    for length in (0, 9, 585):
      read_toy(b'x' * length, model=model, on_progress=told.append)
    self.assertEqual(shapes, {(1, 1), (1, 8), (1, 64), (1, 512)})
    self.assertEqual(sum(told), 9 + 585)

  def test_chunk_is_checked(self):
    with self.assertRaisesRegex(ValueError, 'chunk=0 is not allowed: give 1 or more'):
      read_toy(b'x', chunk=0)


class GenerateTest(parameterized.TestCase):

  def test_same_seed_gives_the_same_bytes_however_many_steps_a_call_has(self):
    want = written(150)
    got = write(read(b'abc'), 150, steps=5)
    self.assertLen(want.texts[0], 150)
    self.assertEqual(got.texts, want.texts)
    assert_same(got.context, want.context)

  def test_another_seed_gives_other_bytes(self):
    self.assertNotEqual(write(read(b'abc'), 20, seed=1).texts, write(read(b'abc'), 20).texts)

  def test_is_one_byte_after_the_other_written_out(self):
    text, context = b'', read(b'abc')
    key = jax.random.fold_in(jax.random.key(3), 0)
    choose = jax.jit(functools.partial(sampling.choose, config=CONFIG))
    for position in range(4, 84):
      keys = jax.random.fold_in(key, position)[None]
      byte = np.asarray(choose(keys, context.logits, context.recent))[None]
      context = prefill.read(DECODER.model, DECODER.params, context, byte)
      text += bytes([int(byte[0, 0])])
    self.assertEqual(written(150).texts[0][:80], text)

  @parameterized.parameters(0, 1, 63, 64, 65, 130)
  def test_pausing_changes_nothing(self, cut):
    first = write(read(b'abc'), cut)
    second = write(first.context, 150 - cut)
    self.assertEqual(first.texts[0] + second.texts[0], written(150).texts[0])
    assert_close(second.context, written(150).context)

  def test_context_has_read_what_was_written(self):
    assert_close(written(150).context, read(b'abc' + written(150).texts[0]))

  def test_log_probabilities_are_those_of_the_model(self):
    text, context = written(150).texts[0][:9], read(b'abc')
    for i, byte in enumerate(text):
      want = candidates.log_probs(context.logits)[0, byte]
      self.assertAlmostEqual(written(150).log_probs[0][i], float(want), places=4)
      context = read(b'abc' + text[:i + 1])
    self.assertEqual([len(scores) for scores in written(150).log_probs], [150])

  def test_rows_are_different_and_the_first_is_what_it_is_alone(self):
    several = write(read(b'abc', rows=3), 30)
    self.assertLen(set(several.texts), 3)
    self.assertEqual(several.texts[0], written(150).texts[0][:30])
    self.assertEqual(several.context.logits.shape[0], 3)

  def test_callback_gets_all_bytes_in_order(self):
    told = [b'', b'', b'']
    def on_bytes(row, data):
      self.assertNotEmpty(data)
      told[row] += data
    got = write(read(b'abc', rows=3), 33, stops=[b'zzz'], on_bytes=on_bytes)
    self.assertEqual(told, got.texts)

  @parameterized.product(start=(0, 60, 64, 100), size=(1, 8, 70))
  def test_stop_string(self, start, size):
    free = written(150).texts[0]
    stop = free[start:start + size]
    want = free[:free.index(stop)]
    shown = []
    got = write(read(b'abc'), 200, stops=[stop, b'never'], steps=5 if size == 8 else 16,
                on_bytes=lambda row, data: shown.append(data))
    self.assertEqual(got.texts, [want])
    self.assertEqual(b''.join(shown), want)
    self.assertLen(got.log_probs[0], len(want))
    # The context ends where the text does: the stop string was never read.
    assert_close(got.context, read(b'abc' + want))

  def test_what_might_become_a_stop_string_is_shown_at_the_end(self):
    text = written(150).texts[0]
    got = write(read(b'abc'), 150, stops=[text[60:] + b'!'])
    self.assertEqual(got.texts, [text])
    assert_close(got.context, written(150).context)

  def test_end_of_the_document(self):
    ending = sampling.SamplingConfig(end_of_document=True)
    rows = 3
    several = write(read(b'abc', rows=rows), 2000, rules=ending)
    self.assertLess(min(map(len, several.texts)), 2000)
    self.assertLen(set(map(len, several.texts)), rows)
    one = write(read(b'abc'), 2000, rules=ending)
    self.assertEqual(one.texts[0], several.texts[0])
    self.assertEqual(one.context.position, 4 + len(one.texts[0]) + 1)
    self.assertEqual(one.context.recent[0, -1], vocab.BOUNDARY)
    # Going on with the same key begins a new document, and does not end at once for ever.
    following = [one]
    for _ in range(3):
      following.append(write(following[-1].context, 300, rules=ending))
    self.assertGreater(max(len(further.texts[0]) for further in following[1:]), 0)

  def test_asked_to_stop(self):
    told = []
    got = write(read(b'abc'), 100, steps=5, on_bytes=lambda row, data: told.append(data),
                should_stop=lambda: len(told) == 3)
    self.assertEqual(got.texts, [written(150).texts[0][:15]])
    self.assertEqual(got.context.position, 4 + 15)

  def test_nothing_to_write(self):
    got = write(read(b'abc'), 0)
    self.assertEqual(got.texts, [b''])
    assert_same(got.context, read(b'abc'))

  def test_what_cannot_be_written(self):
    with self.assertRaisesRegex(ValueError, 'num_bytes=-1 is not allowed: give 0 or more'):
      write(read(b'abc'), -1)
    broken = jax.tree.map(lambda x: np.full_like(x, np.nan), tiny_model.params())
    with self.assertRaisesRegex(ValueError, 'logits that are not finite after 5 bytes.*float32'):
      write(read(b'abc'), 5, decoder=decoder_lib.Decoder(tiny_model.CONFIG, broken))


class ConstraintTest(parameterized.TestCase):

  @parameterized.parameters(5, 100)
  def test_utf8_is_never_cut(self, num_bytes):
    got = write(read(b'abc', rows=3), num_bytes, constraint=constraint.utf8())
    for text in got.texts:
      self.assertLen(text, num_bytes)
      text.decode()

  def test_regex_ends_the_text_whatever_the_rules_say(self):
    pattern = '[a-c]{5}x?(, [0-9]+)*'
    automaton = constraint.regex(pattern)
    for rules in (CONFIG, sampling.SamplingConfig(end_of_document=True, top_k=3)):
      got = write(read(b'abc', rows=3), 40, rules, constraint=automaton)
      for text in got.texts:
        self.assertRegex(text.decode(), re.compile(f'^({pattern})$'))
    got = write(read(b'abc'), 100, constraint=constraint.regex('[a-c]{70}'))
    self.assertLen(got.texts[0], 70)
    # The end that the pattern forces begins no new document.
    assert_close(got.context, read(b'abc' + got.texts[0]))


if __name__ == '__main__':
  absltest.main()
