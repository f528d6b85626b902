"""A row of a ragged batch is what it would be alone."""

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.agent import ragged
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import prefill
from tests.decoding import tiny_model


class RaggedTest(parameterized.TestCase):

  @parameterized.parameters(((5, 0, 37),), ((16, 4, 1),), ((0, 0, 0),))
  def test_rows_of_any_lengths(self, sizes):
    decoder = tiny_model.decoder()
    generator = np.random.default_rng(0)
    first, second = ([generator.integers(0, 256, size).astype(np.int32) for size in order]
                     for order in (sizes, sizes[::-1]))
    context = prefill.begin(decoder.model, decoder.params, 3)
    for ids in (first, second):
      context = ragged.read(decoder, context, ids)
    for place, ids in enumerate(zip(first, second, strict=True)):
      alone = prefill.read(
          decoder.model, decoder.params, prefill.begin(decoder.model, decoder.params),
          np.concatenate(ids)[np.newaxis])
      row = context_lib.row(context, place)
      np.testing.assert_array_equal(row.position, alone.position)
      np.testing.assert_array_equal(row.recent, alone.recent)
      jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), row[:2], alone[:2])


if __name__ == '__main__':
  absltest.main()
