"""Long filters when decoding: what stands for their parameters, and for their state.

Shapes: B batch, T time (bytes), D channels, C bytes of a block.
"""

import dataclasses
from typing import Any, NamedTuple

import jax

from haiku_spectral.modules.mixer import Cached
from haiku_spectral.ops import conv_cache


class FilterTable(NamedTuple):
  """A long filter without what makes it: what decoding reads in the place of its parameters."""

  sliding: jax.Array  # [2 C - 1, D]: for outputs inside a block (conv_cache.sliding).
  between: Any  # For what crosses blocks: conv_cache.spectra, or modal_cache.Modes.


def step(x: jax.Array, cached: Cached) -> tuple[jax.Array, jax.Array]:  # [B, T, D] twice
  """Convolves a few bytes of a block with any long filter; returns the block's entries, too."""
  return conv_cache.long_conv(x, cached.table.sliding, cached.block)


class LongPart:
  """What the two kinds of mixer.CachePart have in common: a block of inputs."""

  def append(self, block, entries):
    return conv_cache.append_long(block, entries)

  def flush_block(self, block, contribution):
    del block
    return conv_cache.next_long_block(contribution)

  def roll_back(self, block, filled):
    return block._replace(filled=filled)


@dataclasses.dataclass(frozen=True)
class TiledPart(LongPart):
  """The mixer.CachePart of a filter with a horizon."""

  horizon: int
  dtype: jax.typing.DTypeLike  # Of the state.
  period: int

  def to_cache(self, state, table, clock):
    ring, block = conv_cache.long_to_cache(state, table.between, clock)
    return block, ring

  def flush_history(self, block, history, table, clock, tile):
    spectrum, = (each for each in table.between if each.shape[-1] - 1 == tile)
    return conv_cache.flush_long(history, block.inputs, spectrum, clock)

  def from_cache(self, block, history, table, clock):
    del table
    return conv_cache.long_from_cache(history, block, clock, self.horizon, self.dtype)
