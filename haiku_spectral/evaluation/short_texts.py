"""Negative log-likelihood of many short texts, each from the initial state in one chunk.

Texts of about the same length share a call. What the state of an empty context would cost is saved:
no history is convolved, and no state is kept.

Shapes: B texts of a call, T bytes of a chunk.
"""

import functools
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.ops import fft_conv

CALL_BYTES = 4096  # Of all texts of a call; a longer text has a call of its own.
_STEP = 16  # Lengths are rounded up to multiples: few programs, little padding.


def nats(
    model: spectral_gpt.Model,
    params: Any,
    texts: Iterable[bytes],
    *,
    dtype: DTypeLike = jnp.float32,
    on_progress: Callable[[int], None] | None = None,
) -> dict[bytes, float]:
  """The negative log-likelihood of each different text as a document, in nats.

  `dtype` is that of the parameters and of the state. `on_progress` gets bytes scored.
  """
  found: dict[bytes, float] = {}
  waiting: tuple[list[bytes], jax.Array] | None = None
  for batch, length in _batches(set(texts)):
    scored = _score(model, dtype, params, *_arrays(batch, length))
    if waiting:  # Fetched while the device works on this call.
      _note(found, *waiting, on_progress)
    waiting = batch, scored
  if waiting:
    _note(found, *waiting, on_progress)
  return found


def _note(
    found: dict[bytes, float], batch: list[bytes], scored: jax.Array,
    on_progress: Callable[[int], None] | None,
) -> None:
  found.update(zip(batch, np.asarray(scored, np.float64)[:len(batch)].tolist(), strict=True))
  if on_progress:
    on_progress(sum(map(len, batch)))


def _batches(texts: set[bytes]) -> Iterable[tuple[list[bytes], int]]:
  """Texts of one padded length, and that length."""
  def padded(text: bytes) -> int:
    return -(-max(len(text), 1) // _STEP) * _STEP

  for length, group in itertools.groupby(sorted(texts, key=lambda t: (padded(t), t)), padded):
    rest, rows = list(group), max(CALL_BYTES // length, 1)
    yield from ((rest[start:start + rows], length) for start in range(0, len(rest), rows))


def _arrays(batch: list[bytes], length: int) -> tuple[np.ndarray, np.ndarray]:  # [B, T] twice
  """Inputs and targets; all calls of a length have as many rows, some of them empty."""
  rows = max(CALL_BYTES // length, 1)
  targets = np.full((rows, length), vocab.PAD, np.int32)
  for row, text in enumerate(batch):
    targets[row, :len(text)] = vocab.encode(text)
  first = np.full((rows, 1), vocab.BOUNDARY, np.int32)
  return np.concatenate([first, targets[:, :-1]], axis=1), targets


@functools.partial(jax.jit, static_argnums=(0, 1))
def _score(
    model: spectral_gpt.Model,
    dtype: DTypeLike,
    params: Any,
    inputs: jax.Array,  # [B, T] int32
    targets: jax.Array,  # [B, T] int32
) -> jax.Array:  # [B] float32 nats
  state = _without_history(model.initial_state(inputs.shape[0], dtype))
  logits, _ = model.apply(params, inputs, state)
  log_probs = jax.nn.log_softmax(logits, axis=-1)
  nll = -jnp.take_along_axis(log_probs, targets[..., None], axis=-1)[..., 0]
  return jnp.sum(jnp.where(targets == vocab.PAD, 0, nll), axis=1)


def _without_history(state: Any) -> Any:
  """The initial state, whose convolutions know that nothing was before."""
  def is_conv(node: Any) -> bool:
    return isinstance(node, fft_conv.ConvState)

  def shorten(node: Any) -> Any:
    if not is_conv(node):
      return node
    return fft_conv.ConvState(node.history[..., :0, :])  # [L, B, 0, D]

  return jax.tree.map(shorten, state, is_leaf=is_conv)
