"""Probabilities of the next bytes, from the model, byte by byte.

Shapes: B streams, V the 260 ids of the vocabulary.
"""

from collections.abc import Callable
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral.config import ModelConfig
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.modules import precision as precision_lib


class Predictor(Protocol):
  """Predicts bytes at either end, where equal bytes must give bitwise identical floats."""

  def extend(self, ids: np.ndarray) -> np.ndarray:  # [B] int32 -> [B, 256] float32
    """Appends one id to every stream; returns the probabilities of the next bytes."""


MakePredictor = Callable[[int, str], Predictor]  # From the number of streams and the precision.


class ModelPredictor:
  """The model on all streams together: one program for both ends."""

  def __init__(self, config: ModelConfig, params: Any, streams: int, precision: str):
    dtype = jnp.dtype(precision)
    params = jax.device_put(precision_lib.cast_params(params, dtype))
    self._decoder = decoder_lib.Decoder(config, params)
    self._cache = self._decoder.to_cache(context_lib.empty(self._decoder.model, streams, dtype))

  def extend(self, ids: np.ndarray) -> np.ndarray:  # [B] int32 -> [B, 256] float32
    """See `Predictor`. Specials are not expected in a file."""
    self._cache = self._decoder.extend(self._cache, ids[:, np.newaxis])
    return np.asarray(_probabilities(decoder_lib.next_logits(self._cache)))


@jax.jit
def _probabilities(logits: jax.Array) -> jax.Array:  # [B, V] -> [B, 256]
  return jax.nn.softmax(logits[:, :256])
