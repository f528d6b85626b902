"""Which split a document belongs to and the order inside it: fixed hashes of the document's name.

Adding files to a corpus moves no document from one split to another.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping

NAMES = ('train', 'validation', 'test')


def document_id(name: str) -> int:
  """A 63-bit id that depends on nothing but the name."""
  return _hash(name, 'id') >> 1


def order_key(name: str) -> tuple[int, str]:
  """Sort by this to mix neighbouring documents, the same way each time."""
  return _hash(name, 'order'), name


def fraction(name: str) -> float:
  """A number in [0, 1) that decides the split."""
  return (_hash(name, 'split') >> 11) / 2**53


def _hash(name: str, use: str) -> int:
  digest = hashlib.blake2b(os.fsencode(name), digest_size=8, person=use.encode())
  return int.from_bytes(digest.digest(), 'big')


def check_fractions(validation: float, test: float) -> None:
  """Raises ValueError unless train and validation both get something."""
  if not (validation > 0 and test >= 0 and validation + test < 1):
    raise ValueError(
        f'validation={validation}, test={test} are not allowed: give a validation above 0 and a '
        'test of 0 or more that leave something for train (validation + test < 1).')


def assign(
    names: Iterable[str], *, validation: float = 0.05, test: float = 0.05
) -> Mapping[str, list[str]]:  # split -> names in their order
  """Shares documents out by the hash of their names: test, then validation, then train.

  train and validation are never empty: when the hash leaves one so, the document nearest to it
  moves there. Splits without documents are left out. Raises ValueError for fewer than 2 documents.
  """
  check_fractions(validation, test)
  ranked = sorted(names, key=lambda name: (fraction(name), name))
  if len(ranked) < 2:
    raise ValueError(
        f'found {len(ranked)} document: training needs at least 2, one of them held out. Cut a '
        "large file into parts, for example with `split -C 1M FILE FOLDER/part-`.")
  tests = sum(fraction(name) < test for name in ranked)
  tests = min(tests, len(ranked) - 2)
  held_out = sum(fraction(name) < test + validation for name in ranked)
  held_out = min(max(held_out, tests + 1), len(ranked) - 1)
  parts = (ranked[held_out:], ranked[tests:held_out], ranked[:tests])
  return {split: sorted(part, key=order_key)
          for split, part in zip(NAMES, parts, strict=True) if part}
