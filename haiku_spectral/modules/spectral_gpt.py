"""SpectralGPT: bytes in, logits of the next byte out, and a state of fixed size between chunks.

Shapes: B batch, T time (bytes), D width, V the 260 ids of the vocabulary, L super-blocks.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from haiku_spectral import vocab
from haiku_spectral.config import ModelConfig, validate_model
from haiku_spectral.modules import (
  block,
  count_memory,
  layers,
  mixers,
  ngram_memory,
  online_head,
  remat,
  shards,
)
from haiku_spectral.modules.mixer import Make, Mixer, chunk_form
from haiku_spectral.ops import lookup

BATCH_AXIS = 1  # Of every leaf of a state.


class State(NamedTuple):
  """What the model remembers between chunks."""

  readers: tuple[Any, ...]  # Of what reads ids (`mixers.readers`); leaves are [1, B, ...].
  blocks: tuple[Any, ...]  # One per letter of the pattern; leaves are [L, B, ...].


class Hidden(NamedTuple):
  """Rows that are trained without a part of what was recalled: [B] bool each."""

  long: jax.Array  # As if long contexts of the n-gram memory were new.
  counts: jax.Array  # Without the count memory.


class Table(hk.Module):
  """A vector for each id: the embedding, and the head."""

  def __init__(self, width: int, init: hk.initializers.Initializer, *, name: str):
    super().__init__(name=name)
    self._width = width
    self._init = init

  def __call__(self) -> jax.Array:  # [V, D]
    return hk.get_parameter('table', (vocab.SIZE, self._width), init=self._init)


class SpectralGPT(hk.Module):
  """Super-blocks of the config's pattern of mixers between an embedding and a head.

  `form` chooses the module of each mixer: that of the chunk call, or another one, which then says
  what stands for the state.
  """

  def __init__(self, config: ModelConfig, *, form: Callable[[Mixer], Make],
               name: str = 'spectral_gpt'):
    super().__init__(name=name)
    self._config = config
    self._form = form

  def __call__(
      self, tokens: jax.Array, state: State, starts: jax.Array | None = None,  # [B, T] twice
      hidden: Hidden | None = None,
  ) -> tuple[jax.Array, State]:  # [B, T, V] float32
    config = self._config
    chex.assert_rank(tokens, 2)

    def super_block(x: jax.Array, states: tuple) -> tuple[jax.Array, tuple]:
      new_states = []
      for i, (mixer, mixer_state) in enumerate(zip(mixers.of(config), states, strict=True)):
        layer = block.Block(config, mixer, self._form(mixer), name=f'block_{i}')
        call = functools.partial(layer, starts=starts)
        x, mixer_state = (remat.remat(call) if config.remat else call)(x, mixer_state)
        new_states.append(mixer_state)
      return x, tuple(new_states)

    # Inside of the stack: for a super-block at a time, or for a block that is computed again.
    gathering = (shards.gathering if config.remat else shards.gathering_again)(super_block)
    table = Table(config.width, hk.initializers.RandomNormal(), name='embedding')()
    x = lookup.lookup(table, tokens)
    recalled, readers = self.recall(tokens, state.readers, starts)
    counted = recalled.pop(count_memory.MIXER.name, None)
    if recalled:
      reads = ngram_memory.joined(list(recalled.values()))
      if hidden is not None:
        reads = ngram_memory.hide_long(reads, config.ngram, hidden.long)
      x += ngram_memory.NgramInput(config.ngram)(reads, config.width, x.dtype)
    count = config.layers // len(config.pattern)
    stack = hk.layer_stack(count, with_per_layer_inputs=True, name='stack')
    x, blocks = stack(gathering)(x, state.blocks)
    x = layers.Norm(name='norm')(x)
    if config.tied_head:
      head = table * jnp.asarray(1 / config.width, table.dtype)
    else:
      init = hk.initializers.RandomNormal(0.1 * config.width**-0.5)
      head = Table(config.width, init, name='head')()
    # Either way the first predictions are close to uniform.
    logits = jnp.einsum('btd,vd->btv', x, head, preferred_element_type=jnp.float32)
    if recalled:
      logits += ngram_memory.NgramLogits(name='ngram_logits')(reads, x)
    if counted:
      added = count_memory.CountLogits(name='count_logits')(counted, x)
      if hidden is not None:  # Not from counts of zero: Adam makes steps of any rounding error.
        added = jnp.where(hidden.counts[:, None, None], 0, added)
      logits += added
    if config.online_head.rate:
      correct = self._form(online_head.MIXER)(config.online_head, out_scale=1.0)
      logits, learnt = correct(x, logits, tokens, _first(readers[-1]))
      readers = (*readers[:-1], jax.tree.map(lambda leaf: leaf[None], learnt))
    return logits, State(readers, blocks)

  def recall(
      self, tokens: jax.Array, states: tuple[Any, ...], starts: jax.Array | None
  ) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """What each memory of ids found, by its name, and the states of all readers."""
    recalled, new_states = {}, []
    for reader, state in zip(mixers.readers(self._config), states, strict=True):
      if reader is online_head.MIXER:  # It reads behind the layers.
        new_states.append(state)
        continue
      read = self._form(reader)(reader.config(self._config), out_scale=1.0)
      given = (_first(state), starts)
      recalled[reader.name], state = read(tokens, *given[:1 if starts is None else 2])
      new_states.append(jax.tree.map(lambda leaf: leaf[None], state))
    return recalled, tuple(new_states)


def _first(state: Any) -> Any:
  """Without the leading axis of what is there once for the whole model."""
  return jax.tree.map(lambda leaf: leaf[0], state)


def reset(state: State, rows: jax.Array, initial: State) -> State:  # rows: [B] bool
  """The state with the chosen rows as that of an empty context."""
  def where(old: jax.Array, new: jax.Array) -> jax.Array:
    shape = (1, -1) + (1,) * (old.ndim - 2)
    return jnp.where(rows.reshape(shape), new, old)

  return jax.tree.map(where, state, initial)


class Model(NamedTuple):
  """The model as pure functions."""

  init: Callable[[jax.Array], hk.MutableParams]  # A key -> float32 parameters.
  # (params, tokens, state[, starts[, hidden]]) -> (logits, state)
  apply: Callable[..., tuple[jax.Array, State]]
  initial_state: Callable[..., State]  # (batch_size, dtype) -> the state of an empty context.
  # (tokens, state, starts) -> state: what reads ids reads them, and the layers nothing.
  remember: Callable[..., State] = lambda tokens, state, starts: state


def transform(config: ModelConfig, form: Callable[[Mixer], Make]) -> hk.Transformed:
  """The model with another form of its mixers: see `SpectralGPT`."""
  return hk.without_apply_rng(
      hk.transform(shards.gathering(lambda *chunk: SpectralGPT(config, form=form)(*chunk))))


@functools.cache  # A model is known by its functions: what was compiled for it stays.
def make_model(config: ModelConfig) -> Model:
  """Raises ValueError when the config is not allowed."""
  validate_model(config)
  count = config.layers // len(config.pattern)
  chunk = transform(config, chunk_form)

  def initial_state(batch_size: int, dtype: jax.typing.DTypeLike = jnp.float32) -> State:
    def states(of: tuple[Mixer, ...], layers: int) -> tuple[Any, ...]:
      one = tuple(
          mixer.initial_state(mixer.config(config), batch_size, config.width, dtype)
          for mixer in of)
      return jax.tree.map(lambda x: jnp.broadcast_to(x, (layers, *x.shape)), one)

    return State(states(mixers.readers(config), 1), states(mixers.of(config), count))

  def init(key: jax.Array) -> hk.MutableParams:
    return chunk.init(key, jnp.zeros((1, 1), jnp.int32), initial_state(1))

  recall = hk.without_apply_rng(hk.transform(lambda *given: SpectralGPT(
      config, form=lambda mixer: mixer.module).recall(*given)))

  def remember(tokens: jax.Array, state: State, starts: jax.Array) -> State:
    return state._replace(readers=recall.apply({}, tokens, state.readers, starts)[1])

  return Model(init, chunk.apply, initial_state, remember)


def training_flops_per_byte(config: ModelConfig, segment: int) -> float:
  """Floating-point operations per byte of a training step (forward and backward, no remat).

  Six for each weight of a matrix product, and the mixers' own. Element-wise work is not counted.
  """
  width, chosen = config.width, mixers.of(config)
  mlp = 2 * 3 * width * config.mlp_width
  one = sum(mixer.flops(mixer.config(config), width, segment) + mlp for mixer in chosen)
  forward = one * config.layers // len(chosen)
  readers = sum(reader.flops(reader.config(config), width, segment)
                for reader in mixers.readers(config))
  return 3 * (readers + forward + 2 * width * vocab.SIZE)
