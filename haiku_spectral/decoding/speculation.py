"""Greedy writing in fewer calls, byte for byte the same: guess, read the guess at once, keep what
the model would have written, take back the rest.

The guesses come from the text itself: what followed when the last few bytes stood there before
(Leviathan et al. 2023; the guessing is Saxena's "prompt lookup", 2023). There is no second model.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import generate, sampling
from haiku_spectral.modules import decode_cache

ORDERS = (12, 8, 5, 3)  # Bytes that must agree, the most first.
# Ids in one call: the next one, which is certain, and guesses behind it. More cost more, so a call
# is longer than the last only when all of its guesses were right, and shorter when few were.
LENGTHS = (1, 4, 8, 16)


class Index:
  """Where each run of bytes was last seen."""

  def __init__(self, orders: Sequence[int] = ORDERS) -> None:
    self._places: dict[int, dict[bytes, int]] = {order: {} for order in orders}
    self._text = bytearray()

  def feed(self, data: bytes) -> None:
    """Takes what was read, in order."""
    for byte in data:
      for order, places in self._places.items():
        if len(self._text) >= order:
          places[bytes(self._text[-order:])] = len(self._text)
      self._text.append(byte)

  def guess(self, byte: int, count: int) -> bytes:
    """Up to `count` bytes that might follow when `byte` comes next; none without a precedent."""
    for order, places in self._places.items():
      last = bytes(self._text[max(len(self._text) + 1 - order, 0):]) + bytes([byte])
      if (place := places.get(last)) is not None:
        followed = self._text[place:place + count] + bytes([byte])
        # A precedent that runs into the present repeats itself.
        return bytes(followed[i % len(followed)] for i in range(count))
    return b''


class Speculation(NamedTuple):
  """What was written, and what the guesses were worth."""

  text: bytes
  context: context_lib.Context
  calls: int  # Of the model; plain writing needs one for each byte.
  guessed: int  # Bytes.
  accepted: int  # Bytes.


@decoder_lib.jit(static_argnums=(0, 1), donate_argnums=3)
def _verify(config, end_of_document, params, block, ids, filled):
  """Reads ids [1, T], keeps the first and the guesses that are right. Returns the block, how many
  it kept, and the next id after them."""
  block = decoder_lib.step(config, params, block, ids, filled)
  length = ids.shape[1]
  logits = jax.lax.dynamic_slice_in_dim(block.logits[0], filled + 1, length)
  greedy = jnp.argmax(
      sampling.only_bytes(logits, end_of_document=end_of_document), axis=-1).astype(jnp.int32)
  right = jnp.cumprod(ids[0, 1:] == greedy[:-1])
  kept = 1 + jnp.sum(right)
  state = decode_cache.roll_back(config, block.state, filled + kept)
  return block._replace(state=state), kept, greedy[kept - 1], jnp.all(jnp.isfinite(logits))


def generate_greedily(
    decoder: decoder_lib.Decoder,
    context: context_lib.Context,
    *,
    num_bytes: int,
    past: bytes = b'',
    end_of_document: bool = False,
    lengths: Sequence[int] = LENGTHS,
    on_bytes: Callable[[bytes], None] = lambda data: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Speculation:
  """What `generate` writes at temperature 0 behind a context of one row, in fewer calls.

  `past` is the text in which precedents are sought, beside what is written. The text ends with the
  document if it may, which the context has then read.
  """
  index = Index()
  index.feed(past)
  running = decoder.to_cache(context)
  first = sampling.only_bytes(context.logits, end_of_document=end_of_document)
  next_id = int(jnp.argmax(first[0]))
  text, calls, guessed, level, ended = bytearray(), 0, 0, 0, False
  while len(text) < num_bytes and not ended and not should_stop():
    running = decoder.reserve(running)
    room = min(decoder_lib.BLOCK - running.filled, num_bytes - len(text))
    guess = index.guess(next_id, lengths[-1]) if next_id < 256 else b''
    length = max(n for n in lengths[:level + 1] if n <= room and (guess or n == 1))
    ids = np.array([[next_id, *guess[:length - 1]]], np.int32)
    block, kept, following, finite = _verify(
        decoder.config, end_of_document, decoder.decode_params, running.block, ids, running.filled)
    generate.check_finite(finite, len(text))
    kept = int(kept)
    running = running._replace(block=block, filled=running.filled + kept)
    ended = next_id == vocab.BOUNDARY
    new = vocab.decode(ids[0, :kept]) if not ended else b''
    index.feed(new)
    text += new
    calls, guessed, next_id = calls + 1, guessed + length - 1, int(following)
    if kept == length and next_id in guess[length - 1:length]:
      level = min(level + 1, len(lengths) - 1)
    elif 2 * kept <= length:
      level = max(level - 1, 0)
    if new:
      on_bytes(new)
  return Speculation(
      bytes(text), decoder.from_cache(running), calls, guessed, len(text) + ended - calls)
