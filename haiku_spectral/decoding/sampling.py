"""How the next byte is chosen from logits. Each rule is a pure function from logits to logits.

A rule forbids an id by giving it -inf; at least one id always stays allowed. All rules but the
repetition penalty depend on differences of logits alone.

Shapes: B rows, V the 260 ids of the vocabulary, R recent ids.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from haiku_spectral import vocab
from haiku_spectral.decoding import context
from haiku_spectral.requirement import require

# Temperatures below act as their limit: float32 logits, divided by them, might overflow.
GREEDY_BELOW = 1e-20
MAX_PENALTY = 1e6  # Log-probabilities times this stay finite.


@dataclasses.dataclass(frozen=True, kw_only=True)
class SamplingConfig:
  """What `choose` does; the defaults sample from the model's own distribution over bytes.

  Raises ValueError naming the field that is wrong.
  """

  temperature: float = 1.0  # 0, and below GREEDY_BELOW: always the most probable byte.
  top_k: int = 0  # Only the k most probable; 0: all.
  top_p: float = 1.0  # Only the most probable that together have this probability.
  min_p: float = 0.0  # Only those with at least this share of the greatest probability.
  repetition_penalty: float = 1.0  # Above 1: recent bytes are less probable.
  repetition_window: int = 64  # Bytes that count as recent.
  end_of_document: bool = False  # The model may end the document: vocab.BOUNDARY may be chosen.

  def __post_init__(self) -> None:
    """Checks what a user may have given."""
    infinity = float('inf')
    require(0 <= self.temperature < infinity, 'temperature', self.temperature,
             '0 (greedy) or a positive number')
    require(self.top_k >= 0, 'top_k', self.top_k, '0 (off) or a positive number')
    require(0 < self.top_p <= 1, 'top_p', self.top_p, 'more than 0, at most 1 (off)')
    require(0 <= self.min_p <= 1, 'min_p', self.min_p, '0 (off) to 1')
    require(1 <= self.repetition_penalty <= MAX_PENALTY, 'repetition_penalty',
             self.repetition_penalty, f'1 (off) to {MAX_PENALTY:,.0f}')
    require(1 <= self.repetition_window <= context.RECENT, 'repetition_window',
             self.repetition_window, f'1 to {context.RECENT}')

  @property
  def greedy(self) -> bool:
    """Whether the most probable byte is always chosen."""
    return self.temperature < GREEDY_BELOW


class RowRules(NamedTuple):
  """Rules that each row has for itself. They are arrays, so that other values compile nothing."""

  temperature: jax.Array  # [B] float32; below GREEDY_BELOW: always the most probable byte.
  top_p: jax.Array  # [B] float32
  min_p: jax.Array  # [B] float32


def row_rules(configs: Sequence[SamplingConfig]) -> RowRules:
  """Those of a config for each row. The other fields of the configs are not looked at."""
  return RowRules(*(
      jnp.array([getattr(config, name) for config in configs], jnp.float32)
      for name in RowRules._fields))


def only_bytes(logits: jax.Array, *, end_of_document: bool) -> jax.Array:  # [B, V] -> [B, V]
  """Forbids all specials, or all but vocab.BOUNDARY."""
  ids = jnp.arange(vocab.SIZE)
  allowed = ids < 256
  if end_of_document:
    allowed |= ids == vocab.BOUNDARY
  return jnp.where(allowed, logits, -jnp.inf)


def log_probs(logits: jax.Array) -> jax.Array:  # [B, V] -> [B, V]
  """The model's own log-probabilities, in nats, of the bytes and of the end of the document.

  Without any rule but that the other specials are forbidden (-inf).
  """
  return jax.nn.log_softmax(only_bytes(logits, end_of_document=True), axis=-1)


def log_prob(logits: jax.Array, ids: jax.Array) -> jax.Array:  # [B, V], [B] -> [B]
  """That of one id in each row."""
  return jnp.take_along_axis(log_probs(logits), ids[:, None], axis=1)[:, 0]


def penalize_repetition(
    logits: jax.Array,  # [B, V]
    recent: jax.Array,  # [B, R] ids
    penalty: float,
) -> jax.Array:  # [B, V]
  """Multiplies the log-probabilities of recent ids by `penalty`.

  The rule of Keskar et al., "CTRL" (2019), section 4.1, on log-probabilities, where it does not
  depend on the origin of the logits and leaves a byte alone that is certain (inside a word).
  """
  rows = jnp.arange(logits.shape[0])[:, None]
  seen = jnp.zeros(logits.shape, bool).at[rows, recent].set(True)
  log_probs = jax.nn.log_softmax(logits, axis=-1)
  return jnp.where(seen, log_probs * penalty, log_probs)


def _ranks(logits: jax.Array) -> jax.Array:  # [B, V] -> [B, V]
  """0 for the most probable id; among equals the lower id comes first."""
  return jnp.argsort(jnp.argsort(-logits, axis=-1), axis=-1)


def keep_top_k(logits: jax.Array, k: int) -> jax.Array:  # [B, V] -> [B, V]
  """Forbids all but the k most probable ids."""
  return jnp.where(_ranks(logits) < k, logits, -jnp.inf)


def keep_top_p(logits: jax.Array, p: float | jax.Array) -> jax.Array:  # [B, V] -> [B, V]
  """Forbids all but the fewest ids, most probable first, whose probabilities reach p.

  Source: Holtzman et al., "The curious case of neural text degeneration" (2020), section 3.1.
  """
  probs = jax.nn.softmax(logits, axis=-1)
  descending = -jnp.sort(-probs, axis=-1)
  before = jnp.cumsum(descending, axis=-1) - descending
  # The first id is kept even where rounding makes the sums miss p.
  keep = (before < p).at[:, 0].set(True)
  return jnp.where(jnp.take_along_axis(keep, _ranks(logits), axis=-1), logits, -jnp.inf)


def keep_min_p(logits: jax.Array, p: float | jax.Array) -> jax.Array:  # [B, V] -> [B, V]
  """Forbids ids with less than p times the greatest probability.

  Source: Nguyen et al., "Turning up the heat: min-p sampling" (2024), section 3.
  """
  greatest = jnp.max(logits, axis=-1, keepdims=True)
  return jnp.where(logits >= greatest + jnp.log(p), logits, -jnp.inf)


def adjust(
    logits: jax.Array, recent: jax.Array, config: SamplingConfig  # [B, V], [B, R]
) -> jax.Array:  # [B, V]
  """The logits that are sampled from: all rules, in the order of the config's fields' effect.

  Specials, repetition, temperature, top-k, top-p, min-p: the order of other libraries.
  """
  chex.assert_rank([logits, recent], 2)
  chex.assert_axis_dimension(logits, 1, vocab.SIZE)
  logits = only_bytes(logits, end_of_document=config.end_of_document)
  if config.repetition_penalty != 1:
    logits = penalize_repetition(
        logits, recent[:, -config.repetition_window:], config.repetition_penalty)
  if not config.greedy:
    logits = logits / config.temperature
  if config.top_k:
    logits = keep_top_k(logits, min(config.top_k, vocab.SIZE))
  if config.top_p < 1:
    logits = keep_top_p(logits, config.top_p)
  if config.min_p > 0:
    logits = keep_min_p(logits, config.min_p)
  return logits


def adjust_rows(logits: jax.Array, rules: RowRules) -> jax.Array:  # [B, V] -> [B, V]
  """What `adjust` does, with rules of its own for each row."""
  temperature, top_p, min_p = (rule[:, None] for rule in rules)
  logits = logits / jnp.where(temperature < GREEDY_BELOW, 1, temperature)
  # Sorting costs more than all else here.
  logits = jax.lax.cond(
      jnp.any(top_p < 1), lambda: jnp.where(top_p < 1, keep_top_p(logits, top_p), logits),
      lambda: logits)
  return keep_min_p(logits, min_p)


def choose(
    keys: jax.Array,  # [B] one PRNG key for each row
    logits: jax.Array,  # [B, V]
    recent: jax.Array,  # [B, R] ids, the newest last
    config: SamplingConfig,
    rules: RowRules | None = None,
) -> jax.Array:  # [B] int32 ids
  """The next id of each row. `rules`, where given, come after those of `config`."""
  logits = adjust(logits, recent, config)
  if rules is not None:
    logits = adjust_rows(logits, rules)
    drawn = jax.vmap(jax.random.categorical)(keys, logits)
    best = jnp.argmax(logits, axis=-1)
    return jnp.where(rules.temperature < GREEDY_BELOW, best, drawn).astype(jnp.int32)
  if config.greedy:
    return jnp.argmax(logits, axis=-1).astype(jnp.int32)
  return jax.vmap(jax.random.categorical)(keys, logits).astype(jnp.int32)
