"""Models with the interface of SpectralGPT whose use of the context is known exactly.

Their states are [1, B, ...] like those of the real one, and obey the law of chunks.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.modules import spectral_gpt


class State(NamedTuple):
  """What the toys remember."""

  counts: jax.Array  # [1, B, V] float32: how often each id was read.
  last: jax.Array  # [1, B, W] int32: the last ids read, the newest last.
  position: jax.Array  # [1, B] int32


def _initial_state(window):
  def initial_state(batch_size, dtype=jnp.float32):
    return State(
        jnp.zeros((1, batch_size, vocab.SIZE), dtype),
        jnp.full((1, batch_size, window), vocab.PAD, jnp.int32),
        jnp.zeros((1, batch_size), jnp.int32))
  return initial_state


def _make(predict, window=1):
  """A model that calls `predict(params, state) -> [B, V]` after each id."""

  def step(params, state, ids):  # ids: [B]
    state = State(
        state.counts.at[0, jnp.arange(ids.size), ids].add(1),
        jnp.concatenate([state.last[:, :, 1:], ids[None, :, None]], axis=2),
        state.position + 1)
    return state, predict(params, state)

  def apply(params, tokens, state):
    state, logits = jax.lax.scan(lambda s, ids: step(params, s, ids), state, tokens.T)
    return logits.swapaxes(0, 1), state

  return spectral_gpt.Model(lambda key: init(key, window), apply, _initial_state(window))


def init(key, window=1):
  return {'table': jax.random.normal(key, (window, vocab.SIZE, vocab.SIZE))}


def _from_window(params, state):
  """A sum over the last W ids, each in its place: nothing older can matter."""
  return sum(params['table'][i, state.last[0, :, i]] for i in range(state.last.shape[-1]))


def windowed(window):
  """Sees the last `window` ids and nothing else."""
  return _make(_from_window, window)


def counting():
  """Predicts each byte as often as it came: the longer the context, the better."""
  return _make(lambda params, state: jnp.log(state.counts[0] + 0.1))


def forgetting(length):
  """Counts until `length` ids and becomes ever more wrong beyond."""
  def predict(params, state):
    del params
    beyond = jnp.maximum(state.position[0] - length, 0) / length
    return jnp.log(state.counts[0] + 0.1) * jnp.exp(-beyond)[:, None]
  return _make(predict)


def guessing(letters=b'abcdefghijklmnopqrstuvwxyz'):
  """Holds some bytes for equally likely, up to what decides which one comes first."""
  allowed = jnp.zeros(vocab.SIZE).at[jnp.asarray(list(letters))].set(50.0)

  def predict(params, state):
    del params
    key = jax.random.fold_in(jax.random.key(0), state.position[0, 0])
    return allowed + 1e-3 * jax.random.normal(key, (state.position.size, vocab.SIZE))
  return _make(predict)


class History(NamedTuple):
  """All that was read."""

  ids: jax.Array  # [1, B, N] int32
  match: jax.Array  # [1, B, N] int32: how many ids up to each place equal the last ones.
  count: jax.Array  # [1, B] int32


def recalling(size=4096, longest=8):
  """Predicts what followed the longest equal context before, the latest such; up to `size` ids."""
  places = jnp.arange(size)

  def step(history, given):
    ids, match, count, x, start = *(leaf[0] for leaf in history), *given
    count = jnp.where(start, 0, count)
    past = places < count[:, None]
    longer = jnp.minimum(jnp.pad(match[:, :-1], [(0, 0), (1, 0)]) + 1, longest)
    match = jnp.where(past & (ids == x[:, None]), longer, 0)
    ids = jnp.where(places == count[:, None], x[:, None], ids)
    best = jnp.argmax(match * size + places, axis=1)
    known = jnp.max(match, axis=1) > 0
    follower = jnp.take_along_axis(ids, best[:, None] + 1, axis=1)
    logits = 20.0 * ((jnp.arange(vocab.SIZE) == follower) & known[:, None])
    return History(*(leaf[None] for leaf in (ids, match, count + 1))), logits

  def apply(params, tokens, state, starts=None):
    del params
    starts = jnp.zeros(tokens.shape, bool) if starts is None else starts
    state, logits = jax.lax.scan(step, state, (tokens.T, starts.T))
    return logits.swapaxes(0, 1), state

  def initial_state(batch_size, dtype=jnp.float32):
    del dtype
    # Two tables, not one twice: states are donated.
    ids, match = (jnp.zeros((1, batch_size, size), jnp.int32) for _ in range(2))
    return History(ids, match, jnp.zeros((1, batch_size), jnp.int32))

  return spectral_gpt.Model(lambda key: {}, apply, initial_state)


def documents(lengths, seed=0, letters=8):
  """Documents of random bytes, each with letters of its own."""
  generator = np.random.default_rng(seed)
  return [
      (number, generator.choice(
          generator.choice(256, letters, replace=False), length).astype(np.uint8).tobytes())
      for number, length in enumerate(lengths)
  ]
