"""Constrained decoding: which ids an automaton allows next, computed on the device.

A state from which no text can be completed is never entered: a text can always be completed, and
within the bytes that are left. So the last byte never cuts a character, nor a match, in the middle.

Shapes: B rows, V the 260 ids, R recent ids.
"""

import dataclasses
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.decoding import sampling
from haiku_spectral.decoding.automaton import FAR, Automaton, state_after

_CHARACTER = 4  # Bytes of a character in UTF-8, at most.


class Constrained(NamedTuple):
  """Where rows are in a constraint."""

  automaton: Automaton
  states: jax.Array  # [B] int32
  left: jax.Array  # [B] int32: bytes that a row may still generate.


def start_states(automaton: Automaton, recent: np.ndarray | jax.Array) -> jax.Array:
  """Where each row begins, [B] int32, behind its last ids [B, R]."""
  if not automaton.in_context:
    return jnp.zeros(len(recent), jnp.int32)
  return jnp.array([state_behind(automaton, vocab.decode(ids[1 - _CHARACTER:]))
                    for ids in np.asarray(recent)], jnp.int32)


def state_behind(automaton: Automaton, context: bytes) -> int:
  """Where `utf8` begins behind bytes that may end inside a character, or be no UTF-8."""
  for size in range(_CHARACTER - 1, 0, -1):
    state = state_after(automaton, context[-size:])
    if automaton.min_bytes[state] < FAR:
      return state
  return 0


def check_num_bytes(automaton: Automaton, num_bytes: int) -> None:
  """Raises ValueError if no allowed text is that short."""
  if (least := int(automaton.min_bytes[0])) > num_bytes:
    raise ValueError(
        f'num_bytes={num_bytes} is not allowed: the shortest allowed text has {least} bytes. Give '
        'that or more.')


def mask(
    automaton: Automaton,
    states: jax.Array,  # [B] int32
    logits: jax.Array,  # [B, V]
    left: jax.Array | int = FAR,  # [] or [B] int32: bytes that may still be generated
    *,
    end_of_document: bool = True,
) -> jax.Array:  # [B, V]
  """Forbids what leads out of the allowed texts, or to none that fits in the bytes left.

  vocab.BOUNDARY is allowed where the text is complete, if `end_of_document`; it is all that is
  left, and certain, where no byte is. Other specials are forbidden.
  """
  chex.assert_rank([states, logits], [1, 2])
  chex.assert_axis_dimension(logits, 1, vocab.SIZE)
  after = automaton.min_bytes[automaton.next[states]]  # [B, 256]
  possible = after < jnp.minimum(jnp.reshape(left, (-1, 1)), FAR)
  stuck = ~jnp.any(possible, axis=1)
  ends = stuck | (automaton.accepting[states] & end_of_document)
  allowed = jnp.pad(possible, ((0, 0), (0, vocab.SIZE - 256))).at[:, vocab.BOUNDARY].set(ends)
  # Another rule may have forbidden the end.
  logits = logits.at[:, vocab.BOUNDARY].set(jnp.where(stuck, 0, logits[:, vocab.BOUNDARY]))
  return jnp.where(allowed, logits, -jnp.inf)


def advance(automaton: Automaton, states: jax.Array, ids: jax.Array) -> jax.Array:  # each [B] int32
  """The states after one more id in each row; specials are no part of the text."""
  return jnp.where(ids < 256, automaton.next[states, jnp.minimum(ids, 255)], states)


def choose(
    logits: jax.Array,  # [B, V]
    keys: jax.Array,  # [B]
    recent: jax.Array,  # [B, R]
    config: sampling.SamplingConfig,
    constrained: Constrained | None,
    rules: sampling.RowRules | None = None,
) -> jax.Array:  # [B] int32
  """The next id of each row."""
  if constrained:
    automaton, states, left = constrained
    logits = mask(
        automaton, states, logits, left, end_of_document=config.end_of_document)
    # Where no byte is possible the constraint ends the text, whatever the rules say.
    config = dataclasses.replace(config, end_of_document=True)
  return sampling.choose(keys, logits, recent, config, rules)
