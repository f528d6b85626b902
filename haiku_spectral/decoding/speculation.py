"""Prompt-lookup speculative decoding: several bytes in one call of the model.

Draft tokens are appended in one call; those that the model would have chosen itself are accepted,
the others rolled back (Leviathan et al. 2023). A choice is a function of logits, key and position
(see `loop`), so drafts are verified by equality, whatever the sampling rules and the constraint
are. There is no second model.

What holds: appending T ids at once and one by one are different programs, whose float32 logits
agree to about 1e-5 of their scale. Every byte is a choice from logits that are right to that
tolerance. So the text is that of `OneByOne` unless two candidates come closer than it: at such a
near-tie either may be chosen, and the texts go apart. Exact ties go to the lower byte in both. In
half precision the tolerance is that of its rounding, and near-ties are common.

Shapes: T ids in one call, V the 260 ids of the vocabulary, R recent ids.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.decoding import constraint as constraint_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import loop, sampling
from haiku_spectral.decoding.prompt_lookup import PromptLookup
from haiku_spectral.modules import decode_cache

# Ids in one call: the next one, which is certain, and draft tokens behind it. More cost more, so a
# call is longer than the last only when all of its drafts were right, and shorter when few were.
LENGTHS = (1, 4, 8, 16)
_UNKNOWN = -1


class Speculation:
  """A `loop.Decode` for a batch of one row. One object serves one text."""

  def __init__(self, text: bytes = b'', lengths: Sequence[int] = LENGTHS) -> None:
    """`text`: where precedents are sought, beside what is generated: the prompt."""
    self._lookup = PromptLookup()
    self._lookup.feed(text)
    self._lengths = lengths
    self._level = 0  # Index of the longest call that is tried.
    self._next_id = _UNKNOWN  # Chosen, but not in the cache yet.
    self.calls = 0  # Of the model.
    self.drafted = 0  # Ids.
    self.accepted = 0  # Ids.

  def __call__(self, batch: loop.Batch, limit: int) -> loop.Choices:
    """See `loop.Decode`."""
    (keys, constrained), cache = (batch.keys, batch.constrained), batch.cache
    row, = batch.rows  # Speculative decoding is for one row,
    assert batch.rules is None and row and not row.prompt.size  # that has no rules of its own.
    if self._next_id == _UNKNOWN:
      self._next_id = int(_first(batch.config, cache.block, cache.filled, keys, constrained))
    draft, ids = self._ids(min(limit, decoder_lib.BLOCK - cache.filled))
    block, count, following, log_probs, finite, batch.states = _verify(
        batch.decoder.config, batch.config, batch.decoder.decode_params, cache.block, ids,
        cache.filled, keys, constrained)
    count, self._next_id = int(count), int(following)
    batch.cache = cache._replace(block=block, filled=cache.filled + count)
    self._adapt(ids.shape[1], count, draft)
    self._lookup.feed(vocab.decode(ids[0, :count]))
    return loop.Choices(ids[:, :count], np.asarray(log_probs)[:, :count], np.asarray(finite))

  def _ids(self, limit: int) -> tuple[bytes, np.ndarray]:
    """A draft of what follows the next id, and the ids of this call [1, T <= limit]."""
    is_byte = self._next_id < 256
    draft = self._lookup.draft(self._next_id, self._lengths[-1]) if is_byte else b''
    length = max(
        n for n in self._lengths[:self._level + 1] if n <= limit and (draft or n == 1))
    return draft, np.array([[self._next_id, *draft[:length - 1]]], np.int32)

  def _adapt(self, length: int, count: int, draft: bytes) -> None:
    """Chooses the next length by what came of this call: `count` of `length` ids were accepted."""
    self.calls, self.drafted = self.calls + 1, self.drafted + length - 1
    self.accepted += count - 1
    if count == length and [self._next_id] == [*draft[length - 1:length]]:
      self._level = min(self._level + 1, len(self._lengths) - 1)
    elif 2 * count <= length:
      self._level = max(self._level - 1, 0)


@functools.partial(jax.jit, static_argnums=0)
def _first(
    config: sampling.SamplingConfig, block: decoder_lib.Block, filled: jax.Array, keys: jax.Array,
    constrained: constraint_lib.Constrained | None,
) -> jax.Array:  # [] int32
  """The id that comes next."""
  logits = jax.lax.dynamic_index_in_dim(block.logits, filled, axis=1, keepdims=False)
  keys = jax.vmap(jax.random.fold_in)(keys, block.position + filled)
  recent = decoder_lib.recent(block, filled)
  return constraint_lib.choose(logits, keys, recent, config, constrained)[0]


@decoder_lib.jit(static_argnums=(0, 1), donate_argnums=3)
def _verify(model, config, params, block, ids, filled, keys, constrained):
  """Appends ids [1, T], accepts the first and the drafts that are what is chosen.

  Returns the block, how many ids were accepted, the id after them, log-probabilities of ids [1, T],
  whether the logits are finite [1], and the state of the constraint [1].
  """
  length = ids.shape[1]
  block = decoder_lib.step(model, params, block, ids, filled)
  # What was predicted before the ids, and after each of them.
  logits = jax.lax.dynamic_slice_in_dim(block.logits[0], filled, length + 1)
  chosen, states = _choices(block, logits[1:], ids[0], filled, config, keys, constrained)
  right = jnp.cumprod(ids[0, 1:] == chosen[:-1])
  count = 1 + jnp.sum(right)
  block = block._replace(state=decode_cache.roll_back(model, block.state, filled + count))
  log_probs = sampling.log_prob(logits[:-1], ids[0])[None]
  finite = jnp.all(jnp.isfinite(logits[1:]))[None]
  return block, count, chosen[count - 1], log_probs, finite, states[count - 1][None]


def _choices(block, logits, ids, filled, config, keys, constrained):
  """The id that would be chosen after each of ids [T], and the constraint's states there [T]."""
  after = filled + 1 + jnp.arange(len(ids))
  recent = jax.vmap(lambda at: decoder_lib.recent(block, at)[0])(after)  # [T, R]
  row_keys = jax.vmap(lambda at: jax.random.fold_in(keys[0], at))(block.position[0] + after)
  states = jnp.zeros(len(ids), jnp.int32)
  if constrained:
    automaton, start, left = constrained

    def advance(state, id_):
      state = constraint_lib.advance(automaton, state, id_[None])
      return state, state[0]

    _, states = jax.lax.scan(advance, start, ids)
    constrained = constraint_lib.Constrained(automaton, states, left - 1 - jnp.arange(len(ids)))
  return constraint_lib.choose(logits, row_keys, recent, config, constrained), states
