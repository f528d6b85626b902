"""The most probable next bytes, and the most probable of several texts.

Shapes: B rows, V the 260 ids of the vocabulary.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.decoding import sampling
from haiku_spectral.requirement import require


class Candidate(NamedTuple):
  """A byte that could come next."""

  shown: str  # In quotes, as Python writes it, or END.
  log_prob: float  # Nats.


END = 'end'  # Of the document.
MAX_CANDIDATES = 257  # The bytes and the end of a document.


def top_candidates(logits: jax.Array, k: int) -> list[Candidate]:  # [V]
  """The k most probable next bytes, the most probable first; among equals the lower byte."""
  require(1 <= k <= MAX_CANDIDATES, 'k', k,
          f'1 to {MAX_CANDIDATES}, the bytes and the end of a document')
  row = np.asarray(sampling.log_probs(logits[None])[0])
  return [Candidate(_show(id_), float(row[id_])) for id_ in np.argsort(-row, stable=True)[:k]]


def _show(id_: int) -> str:
  return END if id_ == vocab.BOUNDARY else repr(bytes([id_]))[1:]


def best_of(texts: Sequence[bytes], totals: Sequence[float]) -> int:
  """Which text has the greatest mean log-probability per byte; the first of equals.

  `totals` are sums over the bytes of each text. An empty text has no mean and loses to any other.
  """
  if not texts or len(texts) != len(totals):
    raise ValueError(f'{len(texts)} texts and {len(totals)} totals: give as many, and some.')
  means = [total / len(text) if text else float('-inf')
           for text, total in zip(texts, totals, strict=True)]
  return max(range(len(texts)), key=lambda i: (means[i], bool(texts[i])))
