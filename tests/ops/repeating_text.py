"""Text that repeats itself, for the memories that find what was there before."""

from collections.abc import Sequence

import numpy as np

from haiku_spectral import vocab


def ids(words: Sequence[bytes], length: int, rows: int = 2, seed: int = 0) -> np.ndarray:
  """Rows of random words, with a special id here and there: [rows, length] int32."""
  random = np.random.default_rng(seed)
  found = np.stack([
      vocab.encode(b''.join(words[i] for i in random.integers(0, len(words), length)))[:length]
      for _ in range(rows)])
  return np.where(random.random(found.shape) < 0.01, vocab.TURN, found).astype(np.int32)
