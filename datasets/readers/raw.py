"""The types of the readers: documents, problems, and how a source is read."""

import codecs
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from haiku_spectral.requirement import require
from haiku_spectral.storage import file_name

FORMATS = ('parquet', 'jsonl', 'jsonl.gz', 'jsonl.zst', 'txt', 'txt.gz', 'zip')
MAX_DOCUMENT_BYTES = 100 << 20
BYTE_ORDER_MARK = codecs.BOM_UTF8
# What a Problem says; README.md beside this file has the rule behind each. `keep` adds its own.
REASONS = (
    'bad_gzip_stream', 'bad_zip', 'bad_zstd_frame', 'byte_order_mark', 'contains_nul',
    'cut_parquet', 'empty_file', 'hidden', 'invalid_json', 'invalid_utf8', 'too_large',
    'trailing_bytes', 'unreadable', 'wrong_checksum', 'wrong_columns')


class RawDocument(NamedTuple):
  """A document as it is in its source."""

  text: bytes  # Valid UTF-8 without a byte order mark.
  name: str  # 'FILE:POSITION', printable and the same on every machine.
  licence: str = ''  # '': that of the corpus.
  meta: Mapping[str, Any] = {}  # The other columns that were asked for.


class Problem(NamedTuple):
  """Something in a file that is not a document, or was not read as it is.

  It comes in the place of a document that is filtered, or, `tolerated`, beside documents that are
  kept. Where the rest of the file can be read, it is: what follows is the next document.
  """

  file: str
  position: str  # 'row 17', 'line 3', 'byte 120', 'member a.txt'; '' for all of the file.
  reason: str  # A short name, the same for all problems of a kind.
  detail: str = ''
  wrong: bool = True  # False: no fault of the file, but its licence, its language or its name.
  tolerated: bool = False  # True: nothing was filtered for it.

  def __str__(self) -> str:
    """One printable line for people."""
    place = f'{self.file}: {self.position}' if self.position else self.file
    return file_name.printable(
        f'{place}: {self.reason}' + (f' ({self.detail})' if self.detail else ''))


Item = RawDocument | Problem


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spec:
  """How the files of a source are read. Its functions are those of modules: it is pickled.

  `keep` says of a document why it is filtered by choice, or '' when it is kept. `assemble` makes
  documents of the items of one file, in their order, where these are not the documents (lines of an
  article, a book of poems).
  """

  format: str = ''  # One of FORMATS; '': by the name of the file.
  text: str = 'text'  # The column or field that holds the text; nested ones as 'a.b'.
  licence: str = ''  # The column or field that holds the licence, if there is one.
  meta: tuple[str, ...] = ()  # Others to keep.
  separator: bytes = b''  # Between the documents of a text; b'': the file is one document.
  span: tuple[int, int | None] = (0, None)  # txt, zip: bytes of each text, whole characters.
  max_document_bytes: int = MAX_DOCUMENT_BYTES  # Of a document, or of a line of JSON.
  keep: Callable[[RawDocument], str] | None = None
  assemble: Callable[[Iterator[Item]], Iterator[Item]] | None = None

  def __post_init__(self) -> None:
    """Raises ValueError for a value that is not allowed."""
    require(self.format in ('', *FORMATS), 'format', self.format, f'one of {", ".join(FORMATS)}')
    require(self.max_document_bytes >= 1, 'max_document_bytes', self.max_document_bytes,
            '1 or more')


class Source(NamedTuple):
  """A file of a split, where more must be given than its path."""

  path: str
  name: str  # For the names of its documents: the same on every machine.
  spec: Spec | None = None  # None: that of the builder.


def too_large(file: str, position: str, size: int, spec: Spec) -> Problem:
  """The problem of a document of `size` bytes."""
  return Problem(
      file, position, 'too_large', f'{size} bytes, {spec.max_document_bytes} are allowed')


def is_hidden(name: str) -> bool:
  """Whether a system put a file there for itself: its name, or that of a folder, says so."""
  return any(part.startswith('.') or part == '__MACOSX' for part in name.split('/'))
