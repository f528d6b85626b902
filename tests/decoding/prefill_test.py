"""Prefill does not depend on how a prompt is cut into chunks, nor on the other rows."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import prefill
from tests.decoding import tiny_model
from tests.evaluation import toy_models
from tests.fixed_examples import fixed_examples

TOY = toy_models.windowed(5)
TOY_PARAMS = TOY.init(jax.random.key(0))
SETTINGS = fixed_examples(8)


def toy_context(data, model=TOY, **kwargs):
  return prefill.extend(
      model, TOY_PARAMS, prefill.begin(model, TOY_PARAMS), vocab.encode(data)[None], **kwargs)


def assert_same(left, right):
  jax.tree.map(np.testing.assert_array_equal, left, right)


class PrefillTest(parameterized.TestCase):

  @hypothesis.given(data=st.binary(max_size=700), chunk=st.sampled_from([1, 8, 50, 512]))
  @SETTINGS
  def test_any_chunk_gives_the_same_context(self, data, chunk):
    got = toy_context(data, chunk=chunk)
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
    reported = []
    for length in (0, 9, 585):
      toy_context(b'x' * length, model=model, on_progress=reported.append)
    self.assertEqual(shapes, {(1, 1), (1, 8), (1, 64), (1, 512)})
    self.assertEqual(sum(reported), 9 + 585)

  def test_chunk_is_checked(self):
    with self.assertRaisesRegex(ValueError, 'chunk=0 is not allowed: give 1 or more'):
      toy_context(b'x', chunk=0)


class RaggedPrefillTest(parameterized.TestCase):

  @parameterized.parameters(((5, 0, 37),), ((16, 4, 1),), ((0, 0, 0),))
  def test_a_row_is_what_it_would_be_alone(self, sizes):
    decoder = tiny_model.decoder()
    generator = np.random.default_rng(0)
    first, second = ([generator.integers(0, 256, size).astype(np.int32) for size in order]
                     for order in (sizes, sizes[::-1]))
    context = prefill.begin(decoder.model, decoder.params, 3)
    for ids in (first, second):
      context = prefill.extend_rows(decoder.model, decoder.params, context, ids)
    for place, ids in enumerate(zip(first, second, strict=True)):
      alone = prefill.extend(
          decoder.model, decoder.params, prefill.begin(decoder.model, decoder.params),
          np.concatenate(ids)[np.newaxis])
      row = context_lib.row(context, place)
      np.testing.assert_array_equal(row.position, alone.position)
      np.testing.assert_array_equal(row.recent, alone.recent)
      jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), row[:2], alone[:2])


if __name__ == '__main__':
  absltest.main()
