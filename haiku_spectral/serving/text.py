"""Bytes as clients get them: whole characters, log-probabilities per byte, details for the page.

A token is a byte. A byte that is no character by itself is named as OpenAI's API names it:
'bytes:\\xc3'. Bytes that are not UTF-8 show in texts as U+FFFD, one for each maximal invalid part;
log-probabilities and details name the bytes themselves.
"""

import base64
import codecs
from collections.abc import Iterable
from typing import Any

import numpy as np

from haiku_spectral import vocab
from haiku_spectral.serving import turns
from haiku_spectral.serving.job import Top

END = '<end of document>'


def token(id_: int) -> str:
  """How a byte, or the end of a document, is named."""
  if id_ == vocab.BOUNDARY:
    return END
  return chr(id_) if id_ < 128 else f'bytes:\\x{id_:02x}'


class Offsets:
  """Which character of a text each of its bytes belongs to."""

  def __init__(self) -> None:
    self._decoder = codecs.getincrementaldecoder('utf-8')(errors='replace')
    self._count = 0  # Characters that are complete.

  def feed(self, data: bytes) -> list[int]:
    """The numbers of the characters, from 0."""
    return [self._feed(bytes([byte])) for byte in data]

  def _feed(self, byte: bytes) -> int:
    self._count += len(self._decoder.decode(byte))
    begun, _ = self._decoder.getstate()  # Bytes of a character that is not complete.
    return self._count - (not begun)


def completion_log_probs(
    data: bytes, log_probs: Iterable[float | None], tops: list[Top], offsets: list[int]
) -> dict[str, Any]:
  """`logprobs` of /v1/completions: lists with a place for each byte."""
  return {
      'tokens': [token(byte) for byte in data],
      'token_logprobs': [None if value is None else float(value) for value in log_probs],
      'top_logprobs': [{token(id_): value for id_, value in top} for top in tops] or None,
      'text_offset': offsets,
  }


def chat_log_probs(data: bytes, log_probs: Iterable[float], tops: list[Top]) -> dict[str, Any]:
  """`logprobs` of /v1/chat/completions: an object for each byte."""
  tops = tops or [[] for _ in data]
  return {'content': [
      {**_named(byte, log_prob), 'top_logprobs': [_named(*each) for each in top]}
      for byte, log_prob, top in zip(data, log_probs, tops, strict=True)], 'refusal': None}


def _named(id_: int, log_prob: float) -> dict[str, Any]:
  return {'token': token(id_), 'logprob': float(log_prob), 'bytes': [id_] if id_ < 256 else []}


def details(
    data: bytes, log_probs: np.ndarray | list[float], repeats: np.ndarray | None
) -> dict[str, Any]:
  """What the page shows of some bytes."""
  return packed(data, turns.tenths(np.array(log_probs)), repeats)


def packed(data: bytes, tenths: bytes, repeats: np.ndarray | None) -> dict[str, Any]:
  """`bytes` and `tenths` (of a bit) in base64, and [place, length, distance] of what recurs."""
  found = [] if repeats is None else [
      [int(place), int(repeats[place, 0]), int(repeats[place, 1])]
      for place in np.flatnonzero(repeats[:, 0])]
  return {'bytes': base64.b64encode(data).decode(), 'tenths': base64.b64encode(tenths).decode(),
          'recalled': found}
