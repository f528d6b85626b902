"""A model and what it was distilled into, side by side: state, bits per byte, speed; the report."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.config import ModelConfig
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import prefill, sampling
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.distillation import distill
from haiku_spectral.evaluation import streaming
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import loss

BATCH_SIZE = 8  # Documents that are scored side by side,
CHUNK = 256  # and bytes of each per device call: modes take N numbers per byte in a chunk call.


class Measured(NamedTuple):
  """One model."""

  filter_state_bytes: int  # Of the long filters.
  state_bytes: int  # Of all mixers.
  bits_per_byte: float | None  # None: not measured.
  bytes_per_second: float | None

  def to_text(self, name: str) -> str:
    """One line."""
    line = (f'{name:<8} state {self.state_bytes:,} bytes, {self.filter_state_bytes:,} of them for '
            'long filters')
    if self.bits_per_byte is not None:
      line += f'; {self.bits_per_byte:.4f} bits per byte'
    if self.bytes_per_second is not None:
      line += f'; generates {self.bytes_per_second:,.0f} bytes/s'
    return line


def measure(
    config: ModelConfig, params: Any, texts: Sequence[bytes], *, speed_bytes: int,
    on_progress: Callable[[int], object] = lambda count: None,
) -> Measured:
  """Scores the texts, each from its start, and times a generation of `speed_bytes` bytes.

  Without texts or bytes the one or the other is not measured. `on_progress` gets scored bytes.
  """
  params = jax.device_put(params)
  return Measured(
      *distill.state_bytes(config),
      _bits_per_byte(config, params, texts, on_progress) if texts else None,
      _bytes_per_second(config, params, speed_bytes) if speed_bytes else None)


def _bits_per_byte(
    config: ModelConfig, params: Any, texts: Sequence[bytes], on_progress: Callable[[int], object]
) -> float:
  """The mean over all bytes of the texts."""
  sequences = (streaming.Sequence(i, vocab.BOUNDARY, text) for i, text in enumerate(texts))
  nats = 0.0
  for scores in streaming.score(
      spectral_gpt.make_model(config), params, sequences, batch_size=BATCH_SIZE, chunk=CHUNK):
    nats += float(np.sum(scores.nll, dtype=np.float64))
    on_progress(scores.nll.size)
  return loss.bits_per_byte(nats / sum(map(len, texts)))


def _bytes_per_second(config: ModelConfig, params: Any, num_bytes: int) -> float:
  """Of generating one text, without compilation."""
  decoder = decoder_lib.Decoder(config, params)
  context = prefill.begin(decoder.model, params)
  for _ in range(2):  # The first round compiles.
    start = time.perf_counter()
    Generation(
        decoder, context, Request(num_bytes, jax.random.key(0)), sampling.SamplingConfig()).run()
  return num_bytes / (time.perf_counter() - start)


def table(errors: Mapping[str, distill.Errors]) -> str:
  """Worst and median errors of every long filter, and the channel of the worst l2 error."""
  rows = [f'{"filter":<24}{"l2 worst":>10}{"channel":>9}{"median":>10}{"l1 worst":>10}'
          f'{"median":>10}{"bound":>10}']
  for name, each in errors.items():
    rows.append(
        f'{name:<24}{each.l2.max():>10.4g}{each.l2.argmax():>9}{np.median(each.l2):>10.4g}'
        f'{each.l1.max():>10.4g}{np.median(each.l1):>10.4g}{each.bound.max():>10.4g}')
  return '\n'.join(rows)


def to_json(
    found: distill.Distilled, models: Mapping[str, Measured], about: Mapping[str, Any]
) -> str:
  """All measurements, the errors of every channel included. `about` comes first."""
  filters = found.config.hyena.filter
  return json.dumps({
      **about,
      'min_time_constant': filters.min_time_constant,
      'max_time_constant': filters.max_time_constant,
      'models': {name: {key: value for key, value in each._asdict().items() if value is not None}
                 for name, each in models.items()},
      'filters': [
          {'name': name, 'worst_channel': int(errors.l2.argmax()),
           **{key: [float(f'{value:.4g}') for value in values]
              for key, values in errors._asdict().items()}}
          for name, errors in found.errors.items()],
  }, indent=1)
