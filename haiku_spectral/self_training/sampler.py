"""The model as a sampler: completions of many prompts, in ragged batches.

A completion depends on the parameters, the prompt, the seed and the temperature alone, as far as
the numbers of a row do not depend on the other rows.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.config import ModelConfig
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import loop, prefill, sampling
from haiku_spectral.decoding.one_by_one import ONE_BY_ONE
from haiku_spectral.decoding.row import Row
from haiku_spectral.tasks import problem as problems

ROWS = 64  # Of a batch.
_STOP = problems.STOP.encode()


class Request(NamedTuple):
  """One completion to be generated."""

  prompt: str
  seed: int  # The same seed at the same temperature gives the same.
  num_bytes: int  # At most, STOP included.


class Sample(NamedTuple):
  """One completion."""

  text: str  # Without STOP. Bytes that are not UTF-8 are shown as \\x..
  complete: bool  # It is UTF-8 and ended with STOP.
  log_probability: float  # Of all bytes up to STOP, STOP included, in nats, untempered.


def seeds(key: jax.Array, count: int) -> list[int]:
  """`count` seeds, below 2^31."""
  draw = jax.vmap(lambda number: jax.random.bits(jax.random.fold_in(key, number)))
  return (np.asarray(draw(jnp.arange(count))) >> 1).astype(int).tolist()


class Sampler:
  """Generates with one model."""

  def __init__(self, config: ModelConfig, params: Any) -> None:
    self._decoder = decoder_lib.Decoder(config, jax.device_put(params))
    self._start = prefill.begin(self._decoder.model, self._decoder.params, ROWS)

  def sample(
      self, requests: Sequence[Request], *, temperature: float,
      progress: Callable[[int], object] = lambda done: None,
  ) -> list[Sample]:
    """A completion for each request, in their order."""
    config = sampling.SamplingConfig(temperature=temperature, end_of_document=True)
    prompts = [vocab.encode(request.prompt.encode()) for request in requests]
    samples: dict[int, Sample] = {}
    for places in batches([prompt.size for prompt in prompts]):
      keys = _keys([requests[place].seed for place in places])
      rows = self._generate(
          [prompts[place] for place in places], [requests[place].num_bytes for place in places],
          keys, config)
      samples |= zip(places, map(_sample, rows), strict=True)
      progress(len(places))
    return [samples[place] for place in range(len(requests))]

  def _generate(
      self, prompts: Sequence[np.ndarray], limits: Sequence[int], keys: jax.Array,
      config: sampling.SamplingConfig,
  ) -> list[Row]:
    """The completions of at most ROWS prompts, which begin together, each then at its own byte."""
    shared = min(prompt.size for prompt in prompts)
    rows = [Row(limit, [_STOP], prompt=prompt[shared:])
            for prompt, limit in zip(prompts, limits, strict=True)]
    free = [None] * (ROWS - len(rows))
    first = np.stack([prompt[:shared] for prompt in [*prompts, *[prompts[-1]] * len(free)]])
    cache = self._decoder.extend(self._decoder.to_cache(self._start), first)
    loop.Batch(self._decoder, cache, [*rows, *free], keys, config, ONE_BY_ONE).run()
    return rows


def _keys(numbers: Sequence[int]) -> jax.Array:  # [ROWS] keys
  """The keys of rows with these seeds; those of free rows do not matter."""
  padded = jnp.array([*numbers, *[0] * (ROWS - len(numbers))])
  return jax.vmap(lambda seed: jax.random.fold_in(jax.random.key(seed), 0))(padded)


def batches(lengths: Sequence[int]) -> list[list[int]]:
  """Places, ROWS together or fewer, those of similar lengths in one batch."""
  order = np.argsort(lengths, kind='stable').tolist()
  return [order[start:start + ROWS] for start in range(0, len(order), ROWS)]


def _sample(row: Row) -> Sample:
  text = bytes(row.text) + _STOP * row.stopped
  return completed(text, np.array(row.log_probs[:len(text)]))


def completed(text: bytes, log_probs: np.ndarray) -> Sample:  # [len(text)]
  """What was generated up to STOP, from the text and the log-probability of each of its bytes."""
  body, stop, _ = text.partition(_STOP)
  try:
    shown, complete = body.decode(), bool(stop)
  except UnicodeDecodeError:
    shown, complete = body.decode(errors='backslashreplace'), False
  return Sample(shown, complete, float(log_probs[:len(body) + len(stop)].sum()))
