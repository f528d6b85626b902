"""The match memory as a reader of ids: what followed the last occurrence of the last bytes."""

import functools
from collections.abc import Callable
from typing import Any

import haiku as hk
import jax

from haiku_spectral.config import MatchConfig
from haiku_spectral.modules.mixer import BlockPart, Cached, Mixer
from haiku_spectral.ops import block_lines, match_cache, match_memory
from haiku_spectral.ops.ngram_memory import NgramReads


class MatchMemory(hk.Module):
  """Reads and stores a chunk of ids. Without parameters; its reads are those of one context."""

  def __init__(self, config: MatchConfig, *, out_scale: float, operator: Callable | None = None,
               name: str = 'match_memory'):
    super().__init__(name=name)
    del out_scale
    self._config = config
    self._operator = operator or match_memory.read

  def __call__(
      self, ids: jax.Array, state: Any, starts: jax.Array | None = None  # [B, T]
  ) -> tuple[NgramReads, Any]:
    how = {} if starts is None else {'starts': starts}
    return self._operator(ids, state, length=self._config.length, **how)


def initial_state(
    config: MatchConfig, batch_size: int, width: int, dtype: Any
) -> match_memory.MatchState:
  """The state of an empty context."""
  del width, dtype
  return match_memory.initial_state(batch_size, config.ring, config.slots)


def _step(ids: jax.Array, cached: Cached, **how: Any) -> tuple[NgramReads, match_cache.Entries]:
  return match_cache.read(ids, cached.block, **how)


def _parts(config: MatchConfig, dtype: Any) -> BlockPart:
  del dtype
  to_cache = functools.partial(match_cache.to_cache, length=config.length)
  return BlockPart(to_cache, match_cache.from_cache, block_lines.append)


MIXER = Mixer(
    letter='', name='MatchMemory', config=lambda model: model.match, module=MatchMemory,
    initial_state=initial_state, flops=lambda config, width, segment: 0.0,
    reach=lambda config: None, parts=_parts,
    step=functools.partial(MatchMemory, operator=_step), reads_ids=True, takes_starts=True)
