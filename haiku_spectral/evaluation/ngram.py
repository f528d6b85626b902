"""What counting alone can do: byte unigrams and trigrams, the baselines of a language model.

Interpolated Witten-Bell smoothing: a context seen n times with t distinct followers gives
p(c | context) = (n(context, c) + t p(c | shorter context)) / (n + t), down to 1/256.
Source: Witten and Bell, "The zero-frequency problem" (1991), method C; Chen and Goodman, "An
empirical study of smoothing techniques" (1998), section 2.

Counts take 64 MB and scoring is a look-up, however long the text is. Documents are separate: a
context never reaches back over a document's start.
"""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from haiku_spectral.evaluation import report

MAX_BYTES = 1 << 28  # Counted by default: enough for counts that no longer move.
_PIECE = 1 << 20  # Bytes that are indexed at a time.


class Counts(NamedTuple):
  """How often each byte followed each context of 0, 1 and 2 bytes."""

  unigram: np.ndarray  # [256] int64
  bigram: np.ndarray  # [256, 256] int64
  trigram: np.ndarray  # [65536, 256] int32; row 256 a + b is the context (a, b).


class Model(NamedTuple):
  """The counts and what smoothing needs of them."""

  counts: Counts
  unigram: np.ndarray  # [256] float64 probabilities
  bigram: np.ndarray  # [256, 256] float64 probabilities
  seen: np.ndarray  # [65536] float64: n of each context of two bytes
  distinct: np.ndarray  # [65536] float64: t of each


def _pieces(data: bytes, overlap: int) -> Iterable[np.ndarray]:
  """Parts of a document as int64, each repeating the last `overlap` bytes of the one before."""
  for start in range(0, max(len(data) - overlap, 0), _PIECE):
    yield np.frombuffer(data[start:start + _PIECE + overlap], np.uint8).astype(np.int64)


def count(
    documents: Iterable[bytes],
    *,
    max_bytes: int = MAX_BYTES,
    on_progress: Callable[[int], None] | None = None,
) -> Counts:
  """Counts the documents' bytes, up to the document in which `max_bytes` are passed."""
  unigram = np.zeros(256, np.int64)
  bigram = np.zeros(256**2, np.int64)
  trigram = np.zeros(256**3, np.int32)
  for data in documents:
    unigram += np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    for ids in _pieces(data, 1):
      np.add.at(bigram, ids[:-1] * 256 + ids[1:], 1)
    for ids in _pieces(data, 2):
      np.add.at(trigram, (ids[:-2] * 256 + ids[1:-1]) * 256 + ids[2:], 1)
    if on_progress:
      on_progress(len(data))
    if unigram.sum() >= max_bytes:
      break
  return Counts(unigram, bigram.reshape(256, 256), trigram.reshape(65536, 256))


def _witten_bell(counts: np.ndarray, shorter: np.ndarray) -> np.ndarray:  # [..., 256], [..., 256]
  """Probabilities, [..., 256], of counts interpolated with those of the shorter context."""
  seen = counts.sum(axis=-1, keepdims=True)
  distinct = np.count_nonzero(counts, axis=-1, keepdims=True)
  # A context that was never seen leaves all to the shorter one.
  distinct = np.where(seen == 0, 1, distinct)
  return (counts + distinct * shorter) / (seen + distinct)


def fit(counts: Counts) -> Model:
  """Turns counts into a smoothed model."""
  unigram = _witten_bell(counts.unigram, np.full(256, 1 / 256))
  seen = counts.trigram.sum(axis=-1, dtype=np.int64).astype(np.float64)
  distinct = np.count_nonzero(counts.trigram, axis=-1).astype(np.float64)
  return Model(
      counts, unigram, _witten_bell(counts.bigram, unigram), seen,
      np.where(seen == 0, 1.0, distinct))


def unigram_nats(model: Model, data: bytes) -> float:
  """The negative log-likelihood of a document by frequencies alone."""
  held_out = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
  return float(-held_out @ np.log(model.unigram))


def trigram_nats(model: Model, data: bytes) -> float:
  """The negative log-likelihood of a document, each byte given the two before it."""
  nats = 0.0
  if data:
    nats -= math.log(model.unigram[data[0]])
  if len(data) > 1:
    nats -= math.log(model.bigram[data[0], data[1]])
  for ids in _pieces(data, 2):
    context = ids[:-2] * 256 + ids[1:-1]
    shorter = model.bigram[ids[1:-1], ids[2:]]
    follows = model.counts.trigram[context, ids[2:]]
    distinct = model.distinct[context]
    nats -= float(np.log((follows + distinct * shorter) / (model.seen[context] + distinct)).sum())
  return nats


def entropy(documents: Iterable[bytes]) -> float:
  """The empirical entropy of the bytes of some documents, in bits per byte."""
  totals = np.zeros(256, np.int64)
  for data in documents:
    totals += np.bincount(np.frombuffer(data, np.uint8), minlength=256)
  shares = totals[totals > 0] / totals.sum()
  return float(-shares @ np.log2(shares))


def baselines(counts: Counts, held_out: list[bytes]) -> report.Baselines:
  """Scores held-out documents with models of the counts."""
  model = fit(counts)
  bits = math.log(2) * sum(map(len, held_out))
  return report.Baselines(
      train_bytes=int(counts.unigram.sum()),
      unigram=sum(unigram_nats(model, data) for data in held_out) / bits,
      trigram=sum(trigram_nats(model, data) for data in held_out) / bits,
      unigram_entropy=entropy(held_out),
  )
