"""The public comparison on Tiny Shakespeare: validation loss after minutes, beside nanoGPT's.

nanoGPT reports the mean cross-entropy per character of windows as long as its context, each without
what was before. The same is measured here on all such windows of the validation text, and once more
with the whole text as one stream. The text is ASCII: a byte is a character.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.evaluation import report, streaming
from haiku_spectral.modules import spectral_gpt


class Losses(NamedTuple):
  """Nats per byte of the same text."""

  cut: float  # With the context in the window alone.
  full: float  # With all the text before.


class Result(NamedTuple):
  """A line of the table."""

  name: str
  minutes: float  # Of training steps.
  device: str
  parameters: int
  context: int  # Bytes or characters of a window.
  cut: float
  full: float | None = None


# https://github.com/karpathy/nanoGPT, README: `train_shakespeare_char` as given for a CPU (a
# MacBook's) and for one GPU. Its models have no state: there is no loss with the whole context.
PUBLISHED = (
    Result('nanoGPT, published', 3, 'CPU', 800_000, 64, 1.88),
    Result('nanoGPT, published', 3, 'A100', 10_650_000, 256, 1.4697),
)


def measure(
    model: spectral_gpt.Model,
    params: Any,
    text: bytes,
    *,
    length: int,
    batch_size: int = 8,
    dtype: DTypeLike = jnp.float32,
    on_progress: Callable[[int], None] | None = None,
) -> Losses:
  """The loss on a text, cut into windows of `length` bytes and as a whole.

  A window's first byte is predicted from the byte before it. `on_progress` gets bytes scored, twice
  the text in all.
  """
  whole = streaming.Sequence('full', vocab.BOUNDARY, text)
  windows = (
      streaming.Sequence('cut', text[start - 1] if start else vocab.BOUNDARY,
                         text[start:start + length]) for start in range(0, len(text), length))
  sums = {'full': 0.0, 'cut': 0.0}
  scores = streaming.score(
      model, params, (whole, *windows), batch_size=batch_size, chunk=length, dtype=dtype)
  for key, _, nll, _ in scores:
    sums[key] += float(nll.sum(dtype='float64'))
    if on_progress:
      on_progress(nll.size)
  return Losses(sums['cut'] / len(text), sums['full'] / len(text))


def to_text(results: Sequence[Result]) -> str:
  """The table, the published lines last."""
  header = ['model', 'minutes', 'device', 'parameters', 'window', 'nats/char', 'whole context']
  rows = [[each.name, f'{each.minutes:.1f}', each.device, f'{each.parameters:,}',
           f'{each.context:,}', f'{each.cut:.4f}', '-' if each.full is None else f'{each.full:.4f}']
          for each in (*results, *PUBLISHED)]
  return '\n'.join([
      'Validation loss on Tiny Shakespeare in nats per character, with the context cut to the',
      'window (as published), and with the whole context. Minutes: of training steps.', '',
      *report.aligned(header, rows)])


def to_json(results: Sequence[Result]) -> str:
  """The same for programs."""
  return json.dumps({'results': [each._asdict() for each in results],
                     'published': [each._asdict() for each in PUBLISHED]}, indent=2)
