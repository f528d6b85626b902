"""Files made smaller by what the model expects: a range coder writes each byte by its probability.

A file is cut into lanes, contiguous parts that are read side by side as the rows of one batch, each
from the start of a document. Both ends compute every probability by the same program, one byte per
lane and call, for only then are they equal to the last bit; lanes and precision are part of that
program. One coder serves all lanes: the first byte of each, then the second of each, and so on.

Among the coded bytes, ever more rarely, stands a digest of all probabilities so far, so that a
machine that computes others notices soon.

Shapes: B lanes, T bytes of a lane, n <= B lanes that have not ended.
"""

import hashlib
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import constriction
import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.compression import compressed_file
from haiku_spectral.compression.compressed_file import Header
from haiku_spectral.config import ModelConfig
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import session
from haiku_spectral.modules import precision as precision_lib

LANE_BYTES = 1 << 14  # A lane's start costs: the model knows nothing of what stands before it.
DEFAULT_LANES = 32  # At most, unless more are asked for.
MAX_LANES = 4096
FIRST_CHECK = 64  # Digests stand after so many steps, and twice as many, and so on.

# 24 bits: no byte gets less than 2^-24. Made anew for every byte, so the one without a table.
_PREDICTED = constriction.stream.model.Categorical(perfect=False)
_DIGEST = constriction.stream.model.Uniform(1 << 8)


class _Coder(Protocol):
  """One end of the coding."""

  def code(self, step: int, probs: np.ndarray) -> np.ndarray:  # [n, 256] -> [n] int32
    """The bytes of a step, taken from the original or from the code."""

  def check(self, digest: int) -> None:
    """Writes a digest, or compares it."""


class _Encoder:
  """From bytes to words."""

  def __init__(self, rows: np.ndarray):  # [B, T] uint8
    self._rows = rows
    self._coder = constriction.stream.queue.RangeEncoder()

  def code(self, step: int, probs: np.ndarray) -> np.ndarray:
    ids = self._rows[:len(probs), step].astype(np.int32)
    self._coder.encode(ids, _PREDICTED, probs)
    return ids

  def check(self, digest: int) -> None:
    self._coder.encode(digest, _DIGEST)

  def words(self) -> bytes:
    """All that was written."""
    return self._coder.get_compressed().astype('<u4').tobytes()


class _Decoder:
  """From words to bytes."""

  def __init__(self, name: str, rows: np.ndarray, words: bytes):  # [B, T] uint8, filled by and by.
    self._name = name
    self._rows = rows
    self._coder = constriction.stream.queue.RangeDecoder(
        np.frombuffer(words, '<u4').astype(np.uint32))

  def code(self, step: int, probs: np.ndarray) -> np.ndarray:
    ids = self._coder.decode(_PREDICTED, probs)
    self._rows[:len(probs), step] = ids
    return ids

  def check(self, digest: int) -> None:
    if self._coder.decode(_DIGEST) != digest:
      raise ValueError(_differs(self._name))


class Predictor(Protocol):
  """Predicts bytes at either end, where equal bytes must give floats that are equal to the last
  bit."""

  def read(self, ids: np.ndarray) -> np.ndarray:  # [B] int32 -> [B, 256] float32
    """Reads one id in every lane; returns the probabilities of the next bytes."""


MakePredictor = Callable[[int, str], Predictor]  # From lanes and precision.


class ModelPredictor:
  """The model, byte by byte on all lanes: one program for both ends."""

  def __init__(self, config: ModelConfig, params: Any, lanes: int, precision: str):
    dtype = jnp.dtype(precision)
    self._decoder = decoder_lib.Decoder(
        config, jax.device_put(precision_lib.cast_params(params, dtype)))
    empty = context_lib.empty(self._decoder.model, lanes, dtype)
    self._running = self._decoder.to_cache(empty)

  def read(self, ids: np.ndarray) -> np.ndarray:  # [B] int32 -> [B, 256] float32
    """See `Predictor`. Specials are not expected in a file."""
    self._running = self._decoder.extend(self._running, ids[:, np.newaxis])
    return np.asarray(_probabilities(decoder_lib.next_logits(self._running)))


@jax.jit
def _probabilities(logits: jax.Array) -> jax.Array:  # [B, V] -> [B, 256]
  return jax.nn.softmax(logits[:, :256])


def default_lanes(size: int) -> int:
  """Lanes for a file of so many bytes: as many as keep the loss at their starts small."""
  return min(max(-(-size // LANE_BYTES), 1), DEFAULT_LANES)


def compress(
    make: MakePredictor,
    owner: session.Owner,
    data: bytes,
    *,
    lanes: int = 0,
    precision: str = 'float32',
    on_progress: Callable[[int], None] = lambda count: None,
) -> bytes:
  """The compressed file of `data`, which only the same model on the same platform can read.

  `owner` is that of the model that `make` gives; 0 lanes: by the size. `on_progress` is told of
  bytes coded. Raises ValueError for values that are not allowed, or when the model fails.
  """
  if not 0 <= lanes <= MAX_LANES:
    raise ValueError(f'lanes={lanes} is not allowed: give 1 to {MAX_LANES}, or 0: by the size.')
  header = Header(
      owner, hashlib.sha256(data).digest(), len(data), lanes or default_lanes(len(data)), precision,
      compressed_file.this_platform())
  rows = _rows(header)
  rows.reshape(-1)[:len(data)] = np.frombuffer(data, np.uint8)
  encoder = _Encoder(rows)
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
  rows = _rows(header)
  _transfer(make, header, _Decoder(name, rows, words), on_progress)
  original = rows.tobytes()[:header.size]
  if hashlib.sha256(original).digest() != header.sha256:
    raise ValueError(_differs(name))
  return original


def _rows(header: Header) -> np.ndarray:  # [B, T] uint8
  """Room for the lanes: row by row it is the file, then what the last lanes lack."""
  return np.zeros((header.lanes, -(-header.size // header.lanes)), np.uint8)


def _transfer(
    make: MakePredictor, header: Header, coder: _Coder, on_progress: Callable[[int], None]
) -> None:
  """What both ends do alike: predict a byte in every lane, code it, read it."""
  predictor = make(header.lanes, header.precision)
  ids = np.full(header.lanes, vocab.BOUNDARY, np.int32)
  length, digest = -(-header.size // header.lanes), 0
  for step in range(length):
    probs = predictor.read(ids)
    if not np.isfinite(probs).all():
      raise ValueError(
          f'The model gave probabilities that are not finite after {step} bytes: its training '
          'diverged, or the precision is too low. Try another checkpoint or --precision=float32.')
    digest = zlib.crc32(probs.tobytes(), digest)
    if step >= FIRST_CHECK and step & (step - 1) == 0:
      coder.check(digest & 0xFF)
    count = -(-(header.size - step) // length)  # The last lanes end first, and read on unheeded.
    ids = np.concatenate([coder.code(step, probs[:count]), ids[count:]])
    on_progress(count)


def _differs(name: str) -> str:
  return (f'{name} cannot be restored here: this machine, or the settings of its XLA, computes '
          'other probabilities than those it was made with. Use the same as then.')
