"""Turns are sampled from a model, whose context is what happened (`document`)."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

import jax
import numpy as np

from haiku_spectral.agent import actions, document
from haiku_spectral.agent.transcript import Event
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import prefill, sampling
from haiku_spectral.decoding.context import Context
from haiku_spectral.decoding.generation import Generation, Request


class Sampler(Protocol):
  """What a session needs of a model."""

  def begin(self) -> Context:
    """The context of one row at the start of a document."""

  def extend(self, context: Context, ids: np.ndarray) -> Context:
    """The context with some more ids [T]."""

  def generate(self, context: Context, should_stop: Callable[[], bool]) -> bytes:
    """A turn behind the context."""


@dataclasses.dataclass(frozen=True)
class ModelSampler:
  """A model, which generates until its turn ends."""

  decoder: decoder_lib.Decoder
  config: sampling.SamplingConfig
  key: jax.Array
  turn_bytes: int  # At most.

  def begin(self) -> Context:
    return prefill.begin(self.decoder.model, self.decoder.params, dtype=self.decoder.dtype)

  def extend(self, context: Context, ids: np.ndarray) -> Context:
    return prefill.extend(self.decoder.model, self.decoder.params, context, ids[np.newaxis])

  def generate(self, context: Context, should_stop: Callable[[], bool]) -> bytes:
    generation = Generation(
        self.decoder, context, Request(self.turn_bytes, self.key), self.config)

    def ended() -> bool:
      return should_stop() or actions.end(generation.texts[0]) is not None

    return generation.run(should_stop=ended).texts[0]


def extend(sampler: Sampler, context: Context, event: Event) -> Context:
  """The context after an event.

  Nothing else makes a context of a transcript, so one that was saved and one that is prefilled
  again are bitwise identical.
  """
  if event.kind == 'end':
    return context
  return sampler.extend(context, document.ids(event, int(context.recent[0, -1])))
