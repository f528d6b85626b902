"""The model as a sampler: completions of many prompts, in batches.

The prompts of a batch have the same length in bytes; their completions end when they end. What is
written depends on the parameters, the prompt, the seed and the temperature alone, as far as the
rows of a batch do.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.config import ModelConfig
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import generate, prefill, sampling
from haiku_spectral.tasks import problem as problems

ROWS = 64
_STOP = problems.STOP.encode()


class Request(NamedTuple):
  """One completion to be written."""

  prompt: str
  seed: int  # The same seed at the same temperature writes the same.


class Sample(NamedTuple):
  """One completion."""

  text: str  # Without STOP. Bytes that are not UTF-8 are shown as \\x..
  whole: bool  # It is UTF-8 and ended with STOP.
  log_probability: float  # Of all bytes up to STOP, STOP included, in nats, untempered.


def seeds(key: jax.Array, count: int) -> list[int]:
  """`count` seeds, below 2^31."""
  draw = jax.vmap(lambda number: jax.random.bits(jax.random.fold_in(key, number)))
  return (np.asarray(draw(jnp.arange(count))) >> 1).astype(int).tolist()


class Sampler:
  """Writes with one model."""

  def __init__(self, config: ModelConfig, params: Any) -> None:
    self._decoder = decoder_lib.Decoder(config, jax.device_put(params))
    self._start = self._decoder.to_cache(
        prefill.begin(self._decoder.model, self._decoder.params, ROWS))

  def sample(
      self, requests: Sequence[Request], *, num_bytes: int, temperature: float,
      progress: Callable[[int], object] = lambda done: None,
  ) -> list[Sample]:
    """A completion of at most `num_bytes` bytes for each request, in their order."""
    rules = sampling.SamplingConfig(temperature=temperature, end_of_document=True)
    found: list[Sample | None] = [None] * len(requests)
    for batch in batches([len(request.prompt.encode()) for request in requests]):
      for place, sample in zip(
          batch, self._batch([requests[place] for place in batch], num_bytes, rules), strict=True):
        found[place] = sample
      progress(len(batch))
    return [sample for sample in found if sample is not None]

  def _batch(
      self, requests: Sequence[Request], num_bytes: int, rules: sampling.SamplingConfig
  ) -> list[Sample]:
    """Of one length, at most ROWS; rows without a request write what the last one does."""
    all_rows = [*requests, *[requests[-1]] * (ROWS - len(requests))]
    ids = np.stack([vocab.encode(request.prompt.encode()) for request in all_rows])
    keys = jax.vmap(lambda seed: jax.random.fold_in(jax.random.key(seed), 0))(
        jnp.array([request.seed for request in all_rows]))
    # A copy, because what is read is written into the buffers of what was before.
    block, past = jax.tree.map(jnp.copy, (self._start.block, self._start.history))
    running = self._decoder.extend(self._start._replace(block=block, history=past), ids)
    begin = running.clock + running.filled
    rows, done = [generate.Row((), num_bytes) for _ in requests], 0
    while not all(row.ended for row in rows):
      running, written = generate.write(
          self._decoder, running, rules, keys, num_bytes - done)
      size = running.clock + running.filled - begin - done
      done += size
      generate.check_finite(written.finite, done)
      chosen, scores = np.asarray(written.ids), np.asarray(written.log_probs)
      for number, row in enumerate(rows):
        row.feed(chosen[number, :size], scores[number, :size])
    return [completed(bytes(row.text), np.array(row.log_probs)) for row in rows]


def batches(lengths: Sequence[int]) -> list[list[int]]:
  """Places of equal lengths, shortest first, at most ROWS together."""
  order = np.argsort(lengths, kind='stable')
  _, starts = np.unique(np.asarray(lengths)[order], return_index=True)
  return [part[start:start + ROWS].tolist() for part in np.split(order, starts[1:])
          for start in range(0, len(part), ROWS)]


def completed(text: bytes, log_probs: np.ndarray) -> Sample:  # [len(text)]
  """What was written up to STOP, from the text and the log-probability of each of its bytes."""
  body, stop, _ = text.partition(_STOP)
  try:
    shown, whole = body.decode(), bool(stop)
  except UnicodeDecodeError:
    shown, whole = body.decode(errors='backslashreplace'), False
  return Sample(shown, whole, float(log_probs[:len(body) + len(stop)].sum()))
