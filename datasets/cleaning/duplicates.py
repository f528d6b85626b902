"""Exact and near duplicates in a corpus.

Each document gets keys from its text alone: a digest, and `BANDS` hashes that nearly equal texts
are likely to share (MinHash with locality-sensitive hashing: Broder 1997; the numbers are those of
FineWeb). A document is filtered when an earlier one has the same digest or one of the same hashes:
of texts whose sets of five-word shingles overlap by J, a share of 1 - (1 - J**8)**14 (J = 0.5:
0.05; 0.7: 0.56; 0.8: 0.92; 0.9: 0.9996).
"""

from collections.abc import Callable, Sequence

import numpy as np
import rensa

from datasets import splits
from datasets.cleaning import rolling_hash

BANDS = 14
ROWS = 8  # Minima that make a band's hash.
SHINGLE_WORDS = 5
PIECE_BYTES = 1 << 20  # Of a text; no shingle reaches from one to the next.
GROUP_KEYS = 1 << 22  # Keys that are compared at a time: 150 MB.
_SEED = 1


def digest(text: bytes) -> np.ndarray:  # [2] uint64
  """128 bits that equal texts share, and no others (see splits.ContentDigest)."""
  return np.frombuffer(splits.content_digest(text), np.dtype('>u8')).astype(np.uint64)


def bands(text: bytes) -> np.ndarray:  # [BANDS] uint64
  """Hashes, of which texts share more the more similar they are. A large text is read in pieces."""
  minima = np.full(BANDS * ROWS, 2**32 - 1, np.uint64)
  for start in range(0, len(text), PIECE_BYTES):
    piece = text[start:start + PIECE_BYTES].lower()
    shingles = _shingles(np.frombuffer(piece, np.uint8))
    if len(shingles):
      rows = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
          shingles, np.array([0, len(shingles)], np.uint64), BANDS * ROWS, _SEED).to_rows()
      minima = np.minimum(minima, np.array(rows[0], np.uint64))
  return rolling_hash.combine(minima.reshape(BANDS, ROWS).T)


def _shingles(data: np.ndarray) -> np.ndarray:  # [N] uint8 -> [M] uint64
  """Hashes of every five consecutive words; of all words where there are fewer."""
  inside = np.zeros(len(data) + 2, np.int8)
  inside[1:-1] = data > 32
  edges = np.diff(inside)
  starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
  words = rolling_hash.part_hashes(data, starts, ends)
  width = min(SHINGLE_WORDS, len(words))
  count = len(words) - width + 1 if width else 0
  return rolling_hash.combine([words[i:i + count] for i in range(width)])


def repeats(
    keys: Sequence[Callable[[], np.ndarray]],  # One for each file; gives [N_f] or [N_f, K] uint64.
    total: int,  # The sum of all N_f.
) -> np.ndarray:  # [total] bool
  """Which keys occurred before, in the order of the files.

  Holds the keys of one file and a group of about `GROUP_KEYS` keys, chosen by their value: each
  file is read once for each group, and the result does not depend on how many there are.
  """
  found = np.zeros(total, bool)
  groups = np.uint64(-(-total // GROUP_KEYS))
  for group in range(int(groups)):
    chosen_keys, places, start = [], [], 0
    for read in keys:
      file_keys = read()
      file_keys = file_keys[:, None] if file_keys.ndim == 1 else file_keys
      chosen = np.flatnonzero(file_keys[:, 0] % groups == group)
      chosen_keys.append(file_keys[chosen])
      places.append(chosen + start)
      start += len(file_keys)
    if not chosen_keys:
      continue
    group_keys, group_places = np.concatenate(chosen_keys), np.concatenate(places)
    order = np.lexsort(group_keys.T)  # Stable: equal keys stay in their order.
    ordered = group_keys[order]
    found[group_places[order[1:][(ordered[1:] == ordered[:-1]).all(axis=1)]]] = True
  return found
