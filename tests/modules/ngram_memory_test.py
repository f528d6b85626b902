"""What the model sees of the exact memory."""

import numpy as np
from absl.testing import absltest

from haiku_spectral.config import NgramConfig
from haiku_spectral.modules import ngram_memory
from haiku_spectral.ops.ngram_memory import NgramReads


class HideLongTest(absltest.TestCase):

  def test_long_contexts_of_the_chosen_rows_are_as_if_they_were_new(self):
    # Contexts of 2, 4 and 5 bytes, of a word, and of another memory.
    random = np.random.default_rng(0)
    counts, streak = random.integers(1, 3, (2, 2, 3, 5))
    reads = NgramReads(random.integers(0, 256, (2, 3, 5, 3)), counts, streak)
    found = ngram_memory.hide_long(
        reads, NgramConfig(orders='2,4,5', words='1'), np.array([True, False]))
    for before, after in ((counts, found.counts), (streak, found.streak)):
      np.testing.assert_array_equal(after[1], before[1])
      np.testing.assert_array_equal(after[0][:, [0, 1, 4]], before[0][:, [0, 1, 4]])
      np.testing.assert_array_equal(after[0][:, [2, 3]], 0)
    levels = ngram_memory.trust(found)
    np.testing.assert_array_equal(levels[0][:, [2, 3]], 0)


if __name__ == '__main__':
  absltest.main()
