"""Which split a document belongs to and the order inside it: fixed hashes of the document's name.

Documents of equal text are in one split, or a held-out loss would measure memory. Adding files of
other texts to a corpus moves no document from one split to another.
"""

import codecs
import hashlib
import itertools
from collections.abc import Mapping

NAMES = ('train', 'validation', 'test')
_MARK = codecs.BOM_UTF8


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
  data = name.encode('utf-8', 'surrogateescape')  # The bytes of a file name, in any locale.
  digest = hashlib.blake2b(data, digest_size=8, person=use.encode())
  return int.from_bytes(digest.digest(), 'big')


def check_fractions(validation: float, test: float) -> None:
  """Raises ValueError unless train and validation both get something."""
  if not (validation > 0 and test >= 0 and validation + test < 1):
    raise ValueError(
        f'validation={validation}, test={test} are not allowed: give a validation above 0 and a '
        'test of 0 or more that leave something for train (validation + test < 1).')


class ContentDigest:
  """128 bits that equal texts share, fed piece by piece.

  Texts are equal when they differ in nothing but a byte order mark and their line ends. The digest
  of a text with neither is the BLAKE2b digest of its bytes.
  """

  def __init__(self) -> None:
    self._hash = hashlib.blake2b(digest_size=16)
    self._held = b''  # A beginning that may be a byte order mark, or a CR that may precede LF.
    self._begun = False

  def update(self, data: bytes) -> None:
    """Adds the next bytes of the text."""
    data = self._held + data
    if not self._begun:
      if len(data) < len(_MARK) and _MARK.startswith(data):
        self._held = data
        return
      data, self._begun = data.removeprefix(_MARK), True
    self._held = data[-1:] if data.endswith(b'\r') else b''
    self._hash.update(_plain(data.removesuffix(self._held)))

  def digest(self) -> bytes:
    """The digest of what was given."""
    whole = self._hash.copy()
    whole.update(_plain(self._held))
    return whole.digest()


def _plain(data: bytes) -> bytes:
  return data.replace(b'\r\n', b'\n').replace(b'\r', b'\n') if b'\r' in data else data


def content_digest(data: bytes) -> bytes:
  """The `ContentDigest` of a whole text."""
  content = ContentDigest()
  content.update(data)
  return content.digest()


def count_copies(contents: Mapping[str, bytes]) -> int:
  """How many documents repeat the text of another one."""
  return len(contents) - len(set(contents.values()))


def assign(
    contents: Mapping[str, bytes],  # name -> ContentDigest of its text
    *, validation: float = 0.05, test: float = 0.05,
) -> Mapping[str, list[str]]:  # split -> names in their order
  """Shares documents out by the hash of their names: test, then validation, then train.

  Copies go where the one with the shortest name goes. train and validation are never empty: when
  the hash leaves one so, the text nearest to it moves there. Splits without documents are absent.
  Raises ValueError for fewer than 2 different texts.
  """
  check_fractions(validation, test)
  copies: dict[bytes, list[str]] = {}
  for name in sorted(contents, key=lambda name: (len(name), name)):
    copies.setdefault(contents[name], []).append(name)
  ranked = sorted(copies.values(), key=lambda names: (fraction(names[0]), names[0]))
  if len(ranked) < 2:
    raise ValueError(
        f'found {len(ranked)} document{_and_copies(contents)}: training needs at least 2 different '
        'ones, one of them held out. Cut a large file into parts, for example with '
        '`split -C 1M FILE FOLDER/part-`.')
  tests = sum(fraction(names[0]) < test for names in ranked)
  tests = min(tests, len(ranked) - 2)
  held_out = sum(fraction(names[0]) < test + validation for names in ranked)
  held_out = min(max(held_out, tests + 1), len(ranked) - 1)
  parts = (ranked[held_out:], ranked[tests:held_out], ranked[:tests])
  return {split: sorted(itertools.chain.from_iterable(part), key=order_key)
          for split, part in zip(NAMES, parts, strict=True) if part}


def _and_copies(contents: Mapping[str, bytes]) -> str:
  count = count_copies(contents)
  return f' and {count} copies of it' if count > 1 else ' and a copy of it' if count else ''
