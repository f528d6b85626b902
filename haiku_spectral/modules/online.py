"""The state of a model while bytes come one by one, and how it begins and ends.

The chunk call takes either state. At rest the state is what `spectral_gpt` says. Online it holds
what a block of `BLOCK` bytes has brought so far beside what the past adds to that block, so that a
byte touches little; when the block is full it is folded into the past. Going from one to the
other and back changes nothing but rounding, at any byte; and the last bytes of a block are taken
back by `seek`.

Shapes: L super-blocks, B rows, D channels, N modes, C bytes of a block.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from haiku_spectral.config import FilterConfig, ModelConfig
from haiku_spectral.modules import filters, hyena, memory, spectral_gpt
from haiku_spectral.ops import fft_conv, online_conv, online_memory, online_modal, online_window

BLOCK = online_conv.BLOCK


# For each long filter, by its path in the parameters; the leading axis is that of super-blocks.
Filters = Mapping[str, Any]  # Spectra, as `online_conv` wants them, or online_modal.Modes.
Past = Mapping[str, Any]  # online_conv.Ring or online_modal.Past.
Converter = Callable[..., Any]


class Online(NamedTuple):
  """A model's state between bytes."""

  block: spectral_gpt.State  # What the chunk call takes and returns.
  past: Past  # What it does not touch.


def filter_paths(config: ModelConfig) -> dict[str, tuple[int, int]]:
  """Path in the parameters of every long filter -> its place in the pattern and in the operator."""
  return {
      f'spectral_gpt/stack/block_{i}/hyena/filter' + (f'_{k}' if k else ''): (i, k)
      for i, letter in enumerate(config.pattern) if letter == 'H'
      for k in range(config.hyena.order - 1)
  }


def prepare(config: ModelConfig, params: hk.Params) -> tuple[hk.MutableParams, Filters]:
  """Parameters for the chunk call online, with taps in the place of what makes them; and the
  filters for what lies between blocks. Made once for a model."""
  online_params, tables = dict(params), {}
  for path in filter_paths(config):
    taps, tables[path] = _bake(config.hyena.filter, config.width, params[path])
    online_params[path] = {'taps': taps}
  return online_params, tables


@functools.partial(jax.jit, static_argnums=(0, 1))
def _bake(config: FilterConfig, width: int, params: Mapping[str, jax.Array]) -> tuple:
  """The taps of a block, and what lies between blocks, for each super-block."""
  def run():
    module = filters.FILTERS[config.kind](config, width)
    return online_conv.sliding(module.taps()), module.between_blocks()

  made = hk.transform(run)
  return jax.vmap(lambda params: made.apply({'filter': params}, None))(params)


def resume(
    config: ModelConfig, tables: Filters, state: spectral_gpt.State, clock: jax.Array
) -> Online:
  """From rest to online, for rows whose next byte comes at `clock` ([] int32).

  The clock counts bytes from anywhere; it is the same for all rows, whatever they have read.
  """
  filled = clock % BLOCK
  past: dict[str, Any] = {}

  def long(path: str, state: fft_conv.ConvState | filters.ModalState) -> online_conv.Block:
    if isinstance(state, filters.ModalState):
      past[path], block = jax.vmap(online_modal.resume, (0, 0, None))(
          state.modes, tables[path], filled)
    else:
      past[path], block = jax.vmap(online_conv.resume_long, (0, 0, None))(
          state, tables[path], clock)
    return block

  return Online(_convert(config, long, _resumes(filled), state), past)


def append(
    config: ModelConfig, block: spectral_gpt.State, new: Any, logits: jax.Array
) -> spectral_gpt.State:
  """The block with what the chunk call returned, beside `logits`, for T more bytes.

  The block must have room for them.
  """
  # An id by the number of ids is 0, which XLA does not know. It sees that the places to write to
  # depend on all that is read, and writes in place; else it would copy every line at every byte.
  zero = jnp.argmax(logits[0, -1]) // logits.shape[-1]

  def late(function: Converter) -> Converter:
    return lambda state, new: jax.vmap(function)(
        state._replace(filled=state.filled + zero.astype(jnp.int32)), new)

  short, long, *others = (late(each) for each in (
      online_conv.append_short, online_conv.append_long, online_memory.append,
      online_window.append))
  return _convert(config, lambda _, *pair: long(*pair), (short, *others), block, new)


def tiles(
    config: ModelConfig, tables: Filters, online: Online, clock: jax.Array, *, tile: int
) -> tuple[Past, Mapping[str, jax.Array]]:
  """Takes the inputs of the long filters, a block of them, into the past.

  Returns the past and what it adds to the block that starts at `clock` ([] int32). `tile` is
  online_conv.tile_size(clock, ...), which the host knows: one program for each.
  """
  past: dict[str, Any] = {}
  pending: dict[str, jax.Array] = {}

  def long(path: str, block: online_conv.Block) -> online_conv.Block:
    table, old = tables[path], online.past[path]
    if isinstance(table, online_modal.Modes):
      past[path], pending[path] = jax.vmap(online_modal.fold)(old, block.inputs, table)
    else:
      spectrum, = (each for each in table if each.shape[-1] - 1 == tile)
      past[path], pending[path] = jax.vmap(online_conv.fold_long, (0, 0, 0, None))(
          old, block.inputs, spectrum, clock)
    return block

  _convert(config, long, (lambda state: state,) * 3, online.block)  # For what `long` notes.
  return past, pending


def fold(
    config: ModelConfig, block: spectral_gpt.State, pending: Mapping[str, jax.Array]
) -> spectral_gpt.State:
  """The next block, after a full one, given what `tiles` returns for it."""
  def long(path: str, block: online_conv.Block) -> online_conv.Block:
    del block
    return jax.vmap(online_conv.next_block)(pending[path])

  def again(rest: Converter, resume: Converter) -> Converter:
    return lambda state: resume(rest(state))

  start = _resumes(jnp.zeros((), jnp.int32))
  return _convert(config, long, tuple(map(again, RESTS, start)), block)


def rest(
    config: ModelConfig, tables: Filters, online: Online, clock: jax.Array, dtype: DTypeLike
) -> spectral_gpt.State:
  """From online to rest; `clock` is that of the block's start ([] int32)."""
  horizon = config.hyena.filter.horizon

  def long(path: str, block: online_conv.Block) -> fft_conv.ConvState | filters.ModalState:
    past, table = online.past[path], tables[path]
    if isinstance(table, online_modal.Modes):
      return filters.ModalState(
          jax.vmap(online_modal.rest)(past, block.inputs, table, block.filled))
    return jax.vmap(
        lambda past, block: online_conv.rest_long(past, block, clock, horizon, dtype))(past, block)

  return _convert(config, long, RESTS, online.block)


def seek(
    config: ModelConfig, block: spectral_gpt.State, filled: jax.Array
) -> spectral_gpt.State:
  """The block when the first `filled` ([] int32) of its bytes were read: it forgets the others."""
  def forget(state: Any) -> Any:
    return state._replace(filled=jnp.full_like(state.filled, filled))

  short = jax.vmap(functools.partial(online_conv.seek_short, filled=filled))
  return _convert(config, lambda _, state: forget(state), (short, forget, forget), block)


# Of a short convolution, a memory and a window, in this order.
RESTS: tuple[Converter, ...] = (
    jax.vmap(online_conv.rest_short), jax.vmap(online_memory.rest), jax.vmap(online_window.rest))


def _resumes(filled: jax.Array) -> tuple[Converter, ...]:
  return tuple(
      jax.vmap(functools.partial(resume, filled=filled))
      for resume in (online_conv.resume_short, online_memory.resume, online_window.resume))


def _convert(
    config: ModelConfig, long: Converter, others: tuple[Converter, ...], *states: Any
) -> spectral_gpt.State:
  """Applies a function to the states of each long filter, given its path, and of all else."""
  short, matrix, window = others
  paths = {place: path for path, place in filter_paths(config).items()}

  def convert(i: int, states: tuple) -> Any:
    match config.pattern[i]:
      case 'H':
        shorts, longs = zip(*states, strict=True)
        filters = enumerate(zip(*longs, strict=True))
        return hyena.HyenaState(
            short(*shorts), tuple(long(paths[i, k], *each) for k, each in filters))
      case 'M':
        shorts, matrices = zip(*states, strict=True)
        return memory.MemoryState(short(*shorts), matrix(*matrices))
    return window(*states)

  return tuple(convert(i, each) for i, each in enumerate(zip(*states, strict=True)))
