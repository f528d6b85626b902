"""A text for tests to fill backgrounds with."""

import numpy as np

from haiku_spectral.evaluation.recall import background

_WORDS = ('bread', 'river', 'of', 'the', 'under', 'table', 'and', 'light', 'was', 'then')
TEXT = '\n\n'.join(
    ' '.join(np.random.default_rng(number).choice(_WORDS, 5 + number)) for number in range(20))


def filler():
  """Twenty paragraphs of random words."""
  return background.Filler(TEXT.encode())
