"""Lossless compression: a range coder codes each byte by the probability that the model gives it.

A file is cut into streams, contiguous parts that are the rows of one batch, each from the start of
a document. Both ends compute every probability by the same program, one byte per stream and call,
for only then are they bitwise identical; number of streams and precision are part of that program.
One coder serves all streams: the first byte of each, then the second of each, and so on.

Among the coded bytes, ever more rarely, stands a digest of all probabilities so far, so that a
machine that computes others notices soon.

Shapes: B streams, T bytes of a stream, n <= B streams that have not ended.
"""

import hashlib
import zlib
from collections.abc import Callable

import numpy as np

from haiku_spectral import vocab
from haiku_spectral.compression import compressed_file, range_coder
from haiku_spectral.compression.compressed_file import Header
from haiku_spectral.compression.predictor import MakePredictor
from haiku_spectral.decoding import session

STREAM_BYTES = 1 << 20  # At least: a stream begins with an empty memory, which pays for so long.
DEFAULT_STREAMS = 32  # At most, unless more are asked for.
MAX_STREAMS = 4096
FIRST_CHECK = 64  # Digests stand after so many steps, and twice as many, and so on.


def default_streams(size: int) -> int:
  """Streams for a file of so many bytes: as many as cost little by beginning without a past."""
  return min(max(size // STREAM_BYTES, 1), DEFAULT_STREAMS)


def compress(
    make: MakePredictor,
    owner: session.Owner,
    data: bytes,
    *,
    streams: int = 0,
    precision: str = 'float32',
    on_progress: Callable[[int], None] = lambda count: None,
) -> bytes:
  """The compressed file of `data`, which only the same model on the same platform can read.

  `owner` is that of the model that `make` gives; 0 streams: by the size. `on_progress` gets
  numbers of bytes coded.
  Raises ValueError for values that are not allowed, or when the model fails.
  """
  if not 0 <= streams <= MAX_STREAMS:
    raise ValueError(
        f'streams={streams} is not allowed: give 1 to {MAX_STREAMS}, or 0: by the size.')
  header = Header(
      owner, hashlib.sha256(data).digest(), len(data), streams or default_streams(len(data)),
      precision, compressed_file.this_platform())
  rows = _rows(header)
  rows.reshape(-1)[:len(data)] = np.frombuffer(data, np.uint8)
  encoder = range_coder.Encoder(rows)
  _transfer(make, header, encoder, on_progress)
  return compressed_file.pack(header, encoder.words())


def decompress(
    make: MakePredictor,
    owner: session.Owner,
    data: bytes,
    *,
    name: str,
    force: bool = False,
    on_progress: Callable[[int], None] = lambda count: None,
) -> bytes:
  """The original of a compressed file; `name` is the file's, for messages.

  Raises ValueError for a file that is no compressed one, of another version, cut, damaged, of
  another model, other parameters or, without `force`, another platform, and whenever the result is
  not the original.
  """
  header, words = compressed_file.parse(data, name=name)
  compressed_file.check(header, owner, name=name, force=force)
  differs = (
      f'{name} cannot be restored here: this machine, or the settings of its XLA, computes other '
      'probabilities than those it was made with. Use the same as then.')
  rows = _rows(header)
  _transfer(make, header, range_coder.Decoder(rows, words, differs), on_progress)
  original = rows.tobytes()[:header.size]
  if hashlib.sha256(original).digest() != header.sha256:
    raise ValueError(differs)
  return original


def _rows(header: Header) -> np.ndarray:  # [B, T] uint8
  """Space for the streams: row by row it is the file, then what the last streams lack."""
  return np.zeros((header.streams, -(-header.size // header.streams)), np.uint8)


def _transfer(
    make: MakePredictor, header: Header, coder: range_coder.Coder,
    on_progress: Callable[[int], None],
) -> None:
  """What both ends do alike: predict a byte in every stream, code it, append it."""
  predictor = make(header.streams, header.precision)
  ids = np.full(header.streams, vocab.BOUNDARY, np.int32)
  length, digest = -(-header.size // header.streams), 0
  for step in range(length):
    probs = predictor.extend(ids)
    if not np.isfinite(probs).all():
      raise ValueError(
          f'The model gave probabilities that are not finite after {step} bytes: its training '
          'diverged, or the precision is too low. Try another checkpoint or --precision=float32.')
    digest = zlib.crc32(probs.tobytes(), digest)
    if step >= FIRST_CHECK and step & (step - 1) == 0:
      coder.check(digest & 0xFF)
    count = -(-(header.size - step) // length)  # The last streams end first, and go on unheeded.
    ids = np.concatenate([coder.code(step, probs[:count]), ids[count:]])
    on_progress(count)
