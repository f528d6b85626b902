"""Reading and writing do not depend on how they are cut into calls."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import generate, prefill, sampling
from tests.decoding import tiny_model
from tests.evaluation import toy_models

TOY = toy_models.windowed(5)
TOY_PARAMS = TOY.init(jax.random.key(0))
CONFIG = sampling.SamplingConfig(repetition_penalty=1.2, repetition_window=7)
SETTINGS = hypothesis.settings(max_examples=8, deadline=None, derandomize=True, database=None)


def read(data, model=TOY, params=TOY_PARAMS, rows=1, **kwargs):
  ids = np.tile(vocab.encode(data), (rows, 1))
  return prefill.read(model, params, prefill.begin(model, params, rows), ids, **kwargs)


def write(context, num_bytes, model=TOY, params=TOY_PARAMS, rules=CONFIG, seed=3, **kwargs):
  return generate.generate(
      model, params, context, num_bytes=num_bytes, config=rules, key=jax.random.key(seed), **kwargs)


def assert_same(left, right):
  jax.tree.map(np.testing.assert_array_equal, left, right)


class PrefillTest(parameterized.TestCase):

  @hypothesis.given(data=st.binary(max_size=700), chunk=st.sampled_from([1, 8, 50, 512]))
  @SETTINGS
  def test_any_chunk_reads_the_same(self, data, chunk):
    got = read(data, chunk=chunk)
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
      read(b'x' * length, model=model, on_progress=told.append)
    self.assertEqual(shapes, {(1, 1), (1, 8), (1, 64), (1, 512)})
    self.assertEqual(sum(told), 9 + 585)

  def test_chunk_is_checked(self):
    with self.assertRaisesRegex(ValueError, 'chunk=0 is not allowed: give 1 or more'):
      read(b'x', chunk=0)


class GenerateTest(parameterized.TestCase):

  def test_same_seed_gives_the_same_bytes_however_many_steps_a_call_has(self):
    want = write(read(b'abc'), 50)
    got = write(read(b'abc'), 50, steps=1)
    self.assertLen(want.texts[0], 50)
    self.assertEqual(got.texts, want.texts)
    assert_same(got.context, want.context)

  def test_another_seed_gives_other_bytes(self):
    self.assertNotEqual(write(read(b''), 20, seed=1).texts, write(read(b''), 20, seed=2).texts)

  def test_is_one_byte_after_the_other_written_out(self):
    text, past = b'', b'abc'
    key = jax.random.fold_in(jax.random.key(3), 0)
    choose = jax.jit(functools.partial(sampling.choose, config=CONFIG))
    for position in range(4, 24):
      context = read(past + text)
      keys = jax.random.fold_in(key, position)[None]
      chosen = choose(keys, context.logits, context.recent)
      text += bytes([int(chosen[0])])
    self.assertEqual(write(read(past), 20).texts, [text])

  @hypothesis.given(cut=st.integers(0, 40))
  @SETTINGS
  def test_pausing_changes_nothing(self, cut):
    whole = write(read(b'abc'), 40)
    first = write(read(b'abc'), cut)
    second = write(first.context, 40 - cut)
    self.assertEqual(first.texts[0] + second.texts[0], whole.texts[0])
    assert_same(second.context, whole.context)

  def test_context_has_read_what_was_written(self):
    written = write(read(b'abc'), 30)
    again = read(b'abc' + written.texts[0])
    np.testing.assert_allclose(written.context.logits, again.logits, atol=1e-5)
    assert_same(written.context.state, again.state)
    assert_same(written.context.recent, again.recent)

  def test_rows_are_different_and_the_first_is_what_it_is_alone(self):
    alone = write(read(b'abc'), 30)
    several = write(context_lib.repeat(read(b'abc'), 3), 30)
    self.assertLen(set(several.texts), 3)
    self.assertEqual(several.texts[0], alone.texts[0])
    self.assertEqual(several.context.logits.shape[0], 3)

  def test_callback_gets_all_bytes_in_order(self):
    told = [b'', b'', b'']
    def on_bytes(row, data):
      self.assertNotEmpty(data)
      told[row] += data
    written = write(read(b'abc', rows=3), 33, stops=[b'zzz'], on_bytes=on_bytes)
    self.assertEqual(told, written.texts)

  @parameterized.product(steps=(1, 16), start=(0, 13, 15, 16, 29), size=(1, 2, 8))
  def test_stop_string(self, steps, start, size):
    free = write(read(b'abc'), 40).texts[0]
    stop = free[start:start + size]
    want = free[:free.index(stop)]
    shown = []
    got = write(read(b'abc'), 40, stops=[stop, b'never'], steps=steps,
                on_bytes=lambda row, data: shown.append(data))
    self.assertEqual(got.texts, [want])
    self.assertEqual(b''.join(shown), want)
    # The context ends where the text does: the stop string was never read.
    assert_same(got.context, write(read(b'abc'), len(want)).context)

  def test_end_of_the_document(self):
    def apply(params, tokens, state):
      logits, state = TOY.apply(params, tokens, state)
      return logits.at[:, :, vocab.BOUNDARY].set(2.5), state

    model = TOY._replace(apply=apply)
    ending = sampling.SamplingConfig(end_of_document=True)
    rows = 3
    written = write(read(b'abc', model=model, rows=rows), 300, model=model, rules=ending)
    self.assertLess(min(map(len, written.texts)), 300)
    self.assertLen(set(map(len, written.texts)), rows)
    one = write(read(b'abc', model=model), 300, model=model, rules=ending)
    self.assertEqual(one.texts[0], written.texts[0])
    self.assertEqual(one.context.position, 4 + len(one.texts[0]) + 1)
    self.assertEqual(one.context.recent[0, -1], vocab.BOUNDARY)
    # Going on with the same key begins a new document, and does not end at once for ever.
    following = [one]
    for _ in range(3):
      following.append(write(following[-1].context, 300, model=model, rules=ending))
    self.assertGreater(max(len(further.texts[0]) for further in following[1:]), 0)

  def test_asked_to_stop(self):
    told = []
    written = write(read(b'abc'), 100, steps=1, on_bytes=lambda row, data: told.append(data),
                    should_stop=lambda: len(told) == 3)
    self.assertEqual(written.texts, [write(read(b'abc'), 3).texts[0]])
    self.assertEqual(written.context.position, 4 + 3)

  def test_nothing_to_write(self):
    context = read(b'abc')
    written = write(context, 0)
    self.assertEqual(written.texts, [b''])
    assert_same(written.context, context)

  def test_what_cannot_be_written(self):
    with self.assertRaisesRegex(ValueError, 'num_bytes=-1 is not allowed: give 0 or more'):
      write(read(b''), -1)
    broken = jax.tree.map(lambda x: x * jnp.nan, TOY_PARAMS)
    with self.assertRaisesRegex(ValueError, 'logits that are not finite after 5 bytes.*float32'):
      write(read(b'', params=broken), 5, params=broken)


class SpectralGPTTest(absltest.TestCase):
  """The real model, small: in its own layers chunks are not the same to the last bit."""

  def test_reads_and_writes(self):
    model, params = tiny_model.MODEL, tiny_model.params()
    data = b'The quick brown fox jumps. ' * 3
    left = read(data[:64], model, params, chunk=8)
    whole = write(left, 40, model, params)
    first = write(left, 13, model, params)
    second = write(first.context, 27, model, params)
    self.assertEqual(first.texts[0] + second.texts[0], whole.texts[0])
    assert_same(second.context, whole.context)
    again = read(data[:64] + whole.texts[0], model, params, chunk=8)
    np.testing.assert_allclose(whole.context.logits, again.logits, atol=1e-4)


if __name__ == '__main__':
  absltest.main()
