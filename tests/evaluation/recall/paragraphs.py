"""A text for tests to fill backgrounds with."""

import numpy as np

from haiku_spectral.evaluation.recall import background

_WORDS = ('bread', 'ırmak', 'of', 'güneş', '麺麭', 'table', '🍞', 'light', 'был', 'then')
TEXT = '\n\n'.join(
    ' '.join(np.random.default_rng(number).choice(_WORDS, 5 + number)) for number in range(20))


def filler():
  """Twenty paragraphs of random words, with characters of 1 to 4 bytes."""
  return background.Filler(TEXT.encode())
