"""The state of a model while bytes come one by one.

The chunk call takes a state; decoding takes a cache of it: per part of a mixer's state, what a
block of `BLOCK` bytes has contributed so far beside the contribution of everything before the
block, so that a byte touches little. A full block is flushed into the history. Going from state to
cache and back changes nothing but rounding, at any byte, and the last bytes of a block can be
rolled back.

Shapes: L super-blocks, B rows, C bytes of a block. All leaves have a leading axis L.
"""

import functools
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from haiku_spectral import backend
from haiku_spectral.config import ModelConfig
from haiku_spectral.modules import mixers, spectral_gpt
from haiku_spectral.modules.mixer import BLOCK, Cached, Make, Mixer, each
from haiku_spectral.ops import conv_cache

__all__ = [
  'BLOCK',
  'DecodeCache',
  'DecodeParams',
  'append',
  'flush_block',
  'flush_history',
  'from_cache',
  'period',
  'prepare',
  'roll_back',
  'step',
  'tile_size',
  'to_cache',
]

Block = Any  # A tree like the state, of blocks.
History = Any  # The same of histories.


class DecodeParams(NamedTuple):
  """Parameters for decoding."""

  params: hk.Params  # Of the chunk call; those of the filters are not read.
  tables: Any  # A tree like the state, of what is read in their place.


class DecodeCache(NamedTuple):
  """A model's state while decoding."""

  block: Block  # What a step reads and appends to.
  history: History  # What it does not touch.


def prepare(config: ModelConfig, params: hk.Params) -> DecodeParams:
  """Makes the filters of a model, once."""
  def form(mixer: Mixer) -> Make:
    if mixer.reads_ids:  # Its reads go on into the model.
      return mixer.module
    return mixer.tables or functools.partial(_no_tables, mixer)

  model = spectral_gpt.make_model(config)
  make = jax.jit(spectral_gpt.transform(config, form).apply)
  _, tables = make(params, jnp.zeros((1, 1), jnp.int32), model.initial_state(1))
  readers = each(lambda part: (), _parts(config).readers)
  return DecodeParams(params, tables._replace(readers=readers))


def _no_tables(mixer: Mixer, config: Any, *, out_scale: float) -> Callable:
  del out_scale
  parts = mixer.parts(config, jnp.float32)
  return lambda x, state: (x, each(lambda part: (), parts))


def _parts(config: ModelConfig, dtype: DTypeLike = jnp.float32) -> spectral_gpt.State:
  return spectral_gpt.State(*(
      tuple(mixer.parts(mixer.config(config), dtype) for mixer in some)
      for some in (mixers.readers(config), mixers.of(config))))


def period(config: ModelConfig) -> int:
  """The clock may be counted modulo this number of bytes."""
  return max(jax.tree.leaves(each(lambda part: part.period, _parts(config))))


def tile_size(config: ModelConfig, clock: int) -> int:
  """The longest tile that is due at `clock`, a multiple of the block: see `flush_history`."""
  return conv_cache.tile_size(clock, period(config))


def to_cache(
    config: ModelConfig, params: DecodeParams, state: spectral_gpt.State, clock: jax.Array
) -> DecodeCache:
  """The cache of rows whose next byte comes at `clock` ([] int32).

  The clock counts bytes from anywhere; it is the same for all rows, however long their contexts.
  """
  both = each(lambda part, *trees: jax.vmap(part.to_cache, (0, 0, None))(*trees, clock),
              _parts(config), state, params.tables)
  return DecodeCache(*(each(lambda part, pair, i=i: pair[i], _parts(config), both)
                       for i in range(2)))


def step(
    config: ModelConfig, params: DecodeParams, block: Block, ids: jax.Array  # [B, T]
) -> tuple[jax.Array, Block]:  # [B, T, V] float32
  """The chunk call for T bytes that fit into the block: logits, and the block with them."""
  cached = each(lambda part, *pair: Cached(*pair), _parts(config), block, params.tables)
  model = spectral_gpt.transform(config, operator.attrgetter('step'))
  logits, entries = model.apply(params.params, ids, cached)
  return logits, append(config, block, entries, logits)


def append(config: ModelConfig, block: Block, entries: Any, logits: jax.Array) -> Block:
  """The block with the entries that a step returned beside `logits`."""
  def put(part: Any, block: Any, entries: Any) -> Any:
    return jax.vmap(part.append)(_after(block, logits), entries)

  return each(put, _parts(config), block, entries)


def _after(block: Any, logits: jax.Array) -> Any:
  """The block, for writing after the logits were read from it.

  Where data alone orders the two, the place to write to is made to depend on the logits: an id over
  the number of ids is 0, which XLA does not know.
  """
  if not backend.orders_by_data_alone():
    return block
  zero = (jnp.argmax(logits[0, -1]) // logits.shape[-1]).astype(jnp.int32)
  return block._replace(filled=block.filled + zero)


def flush_history(
    config: ModelConfig, params: DecodeParams, cache: DecodeCache, clock: jax.Array, *, tile: int
) -> tuple[History, Any]:
  """Moves a full block into the history.

  Returns the history and its contribution to the block that starts at `clock` ([] int32). `tile` is
  that of `tile_size`, which the host knows: one program for each.
  """
  def flush(part: Any, *trees: Any) -> Any:
    size = min(tile, part.period)
    return jax.vmap(lambda *trees: part.flush_history(*trees, clock, size))(*trees)

  parts = _parts(config)
  both = each(flush, parts, cache.block, cache.history, params.tables)
  history, contribution = (each(lambda part, pair, i=i: pair[i], parts, both) for i in range(2))
  return history, contribution


def flush_block(config: ModelConfig, block: Block, contribution: Any) -> Block:
  """The next block after a full one, given the contribution from `flush_history`."""
  return each(lambda part, *trees: jax.vmap(part.flush_block)(*trees),
              _parts(config), block, contribution)


def roll_back(config: ModelConfig, block: Block, filled: jax.Array) -> Block:
  """The block when only its first `filled` ([] int32) bytes had been read."""
  def forget(part: Any, block: Any) -> Any:
    rolled = jax.vmap(lambda block: part.roll_back(block, filled))(block)
    return rolled._replace(filled=jnp.full_like(block.filled, filled))

  return each(forget, _parts(config), block)


def from_cache(
    config: ModelConfig, params: DecodeParams, cache: DecodeCache, clock: jax.Array,
    dtype: DTypeLike,
) -> spectral_gpt.State:
  """The state of the chunk call; `clock` is that of the block's start ([] int32)."""
  return each(lambda part, *trees: jax.vmap(lambda *t: part.from_cache(*t, clock))(*trees),
              _parts(config, dtype), cache.block, cache.history, params.tables)
