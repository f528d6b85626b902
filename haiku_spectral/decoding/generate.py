"""The loop that writes: several bytes for each device call, checks between calls on the host.

Row r's choice at position n uses the key fold_in(fold_in(key, r), n), n counting from the start of
the document. So the bytes do not depend on how the loop is cut into calls, nor on whether the
context was saved and restored in between.

Shapes: B rows, S bytes at most in one device call.
"""

import functools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import sampling, stopping
from haiku_spectral.modules import spectral_gpt

STEPS = 16


class Generation(NamedTuple):
  """What was written."""

  texts: list[bytes]  # One for each row, without the stop string.
  context: context_lib.Context  # One row: all of its text read, and nothing that was not shown.


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _write(
    model: spectral_gpt.Model,
    config: sampling.SamplingConfig,
    steps: int,
    params: Any,
    context: context_lib.Context,
    key: jax.Array,
    limit: jax.Array,  # [] int32, at most `steps`
) -> tuple[context_lib.Context, jax.Array]:  # The context after `limit` ids, and [B, S] int32 ids.
  """Chooses and reads `limit` ids, one after the other; one program for any limit."""
  batch_size = context.logits.shape[0]
  row_keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(batch_size))

  def step(carry: tuple) -> tuple:
    count, context, ids = carry
    keys = jax.vmap(jax.random.fold_in, (0, None))(row_keys, context.position)
    chosen = sampling.choose(keys, context.logits, context.recent, config)[:, None]
    logits, state = model.apply(params, chosen, context.state)
    recent = context_lib.remember(context.recent, chosen)
    context = context_lib.Context(state, logits[:, -1], context.position + 1, recent)
    return count + 1, context, jax.lax.dynamic_update_slice(ids, chosen, (0, count))

  ids = jnp.full((batch_size, steps), vocab.PAD, jnp.int32)
  carry = jnp.zeros((), jnp.int32), context, ids
  _, context, ids = jax.lax.while_loop(lambda carry: carry[0] < limit, step, carry)
  return context, ids


class _Row:
  """The text of one row as it grows, until it ends."""

  def __init__(self, stops: Sequence[bytes]) -> None:
    self._matcher = stopping.StopMatcher(stops)
    self.text = bytearray()
    self.ended = False
    self.document_ended = False  # The model drew the boundary behind the text.

  def feed(self, ids: np.ndarray) -> bytes:  # ids: [n]
    """Returns the bytes that can be shown now."""
    if self.ended:
      return b''
    ends = np.flatnonzero(ids == vocab.BOUNDARY)
    shown = self._matcher.feed(vocab.decode(ids[:ends[0]] if ends.size else ids))
    self.text += shown
    self.ended = self._matcher.matched is not None
    if not ends.size or self.ended:
      return shown
    self.document_ended = True
    return shown + self.close()

  def close(self) -> bytes:
    """Ends the row; returns what was held back."""
    self.ended = True
    held = self._matcher.close()
    self.text += held
    return held


def generate(
    model: spectral_gpt.Model,
    params: Any,
    context: context_lib.Context,
    *,
    num_bytes: int,
    config: sampling.SamplingConfig,
    key: jax.Array,
    stops: Sequence[bytes] = (),
    steps: int = STEPS,
    on_bytes: Callable[[int, bytes], None] = lambda row, data: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generation:
  """Writes up to `num_bytes` bytes in each row, or up to a stop string or the document's end.

  `on_bytes` gets (row, bytes) as they come: the bytes of a row in order, none that could be part of
  a stop string. `should_stop` is asked after every `steps` bytes. The same key gives the same
  bytes whatever `steps` is. With several rows, those that ended early have read on in the context
  that is returned.

  Raises ValueError when the model's logits are not finite, or for values that are not allowed.
  """
  if num_bytes < 0:
    raise ValueError(f'num_bytes={num_bytes} is not allowed: give 0 or more.')
  rows = [_Row(stops) for _ in range(context.logits.shape[0])]
  write = functools.partial(_write, model, config, steps, params)
  past = deque([(0, context)])  # Contexts after so many bytes, back to the last byte shown.
  count = 0
  while count < num_bytes and not all(row.ended for row in rows) and not should_stop():
    size = min(steps, num_bytes - count)
    context, ids = write(context, key, size)
    _check_finite(context, count + size)
    count += size
    past.append((count, context))
    for number, (row, row_ids) in enumerate(zip(rows, np.asarray(ids)[:, :size], strict=True)):
      if shown := row.feed(row_ids):
        on_bytes(number, shown)
    # Several rows are never taken back.
    while len(past) > 1 and (len(rows) > 1 or past[1][0] <= len(rows[0].text)):
      past.popleft()
  for number, row in enumerate(rows):
    if shown := row.close():
      on_bytes(number, shown)
  return Generation([bytes(row.text) for row in rows], _rewind(write, past, key, rows))


def _rewind(write: Callable, past: deque, key: jax.Array, rows: list[_Row]) -> context_lib.Context:
  """The context after exactly what was shown, for one row: its bytes, and the boundary at its end.

  Goes back to a context before that and writes the same again. With the boundary read, whoever goes
  on begins a new document; before it, the same key would draw it again and end at once.
  """
  if len(rows) > 1:
    return past[-1][1]
  read = len(rows[0].text) + rows[0].document_ended
  count, context = next((n, kept) for n, kept in reversed(past) if n <= read)
  return write(context, key, read - count)[0] if read > count else context


def _check_finite(context: context_lib.Context, count: int) -> None:
  if not np.isfinite(np.asarray(context.logits)).all():
    raise ValueError(
        f'The model gave logits that are not finite after {count} bytes: its training diverged, or '
        'the precision is too low. Try an earlier checkpoint or --precision=float32.')
