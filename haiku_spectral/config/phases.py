"""A run as phases: which steps train on what, how long, and at which learning rate.

A phase is cut into stages, which differ in the length of their segments alone. All cuts are at
exact steps, and where every row is at a multiple of the phase's longest segment: so a row goes on
where it was, in longer steps.
"""

import dataclasses
import functools
from typing import NamedTuple

from haiku_spectral.config.schema import (
  Config,
  DataConfig,
  PhaseConfig,
  RateConfig,
  parse_lengths,
  parse_mixture,
)


class Stage(NamedTuple):
  """Steps on segments of one length."""

  first_step: int  # Of the run.
  steps: int
  segment: int
  offset: int  # Bytes that every row was trained on in the phase before.


class Phase(NamedTuple):
  """Steps on one mixture."""

  name: str
  first_step: int  # Of the run.
  steps: int
  data: DataConfig  # With the mixture of the phase, and with its longest segment.
  rate: RateConfig
  stages: tuple[Stage, ...]

  @property
  def end(self) -> int:
    """The first step after the phase."""
    return self.first_step + self.steps


@functools.cache
def plan(config: Config) -> tuple[Phase, ...]:
  """The phases of a run in order; a run without a curriculum has one."""
  data, train = config.data, config.train
  if not config.curriculum:
    stage = Stage(0, train.steps, data.segment, 0)
    return (Phase('training', 0, train.steps, data, train.optimizer, (stage,)),)
  phases, first_step = [], 0
  for phase in config.curriculum:
    stages = _stages(phase, first_step, data.batch_size)
    steps = sum(stage.steps for stage in stages)
    phase_data = dataclasses.replace(data, mixture=phase.mixture, segment=phase.segment)
    phases.append(Phase(phase.name, first_step, steps, phase_data, phase.rate, stages))
    first_step += steps
  return tuple(phases)


def _stages(phase: PhaseConfig, first_step: int, batch_size: int) -> tuple[Stage, ...]:
  """The stages of a phase; one that its bytes do not suffice for has no steps."""
  stages, share, offset = [], 0.0, 0
  lengths = parse_lengths(phase.warmup_lengths, 'warmup_lengths')
  rest = 1 - sum(lengths.values())
  for segment, part in (*lengths.items(), (phase.segment, rest)):
    share += part
    end = round(share * phase.bytes / (batch_size * phase.segment)) * phase.segment
    steps = (end - offset) // segment
    stages.append(Stage(first_step, steps, segment, offset))
    first_step, offset = first_step + steps, end
  return tuple(stages)


def chunks(segment: int, chunk: int) -> int:
  """The number of chunks of `chunk` bytes in which a segment is read; `chunk` 0: one."""
  return max(segment // chunk, 1) if chunk else 1


def chunks_of(config: Config) -> int:
  """The number of chunks in which the config's own segment is read."""
  return chunks(config.data.segment, config.train.chunk)


def total_steps(config: Config) -> int:
  """How many steps a run takes."""
  return plan(config)[-1].end


def trained_context(config: Config) -> int:
  """The longest context in bytes that a row has in training before its state is reset.

  A stateful row has its chunk of segments and, where an exact memory holds it, the history; a
  stateless one a segment.
  """
  data, model = config.data, config.model
  exact = model.ngram.orders or model.match.length or model.counts.orders
  history = data.history if exact else 0
  segment = max(phase.data.segment for phase in plan(config))
  return history + segment * data.chunk_segments if data.stateful_rows else segment


def at(phases: tuple[Phase, ...], step: int) -> tuple[int, int]:
  """The numbers of the phase and of its stage that a step belongs to, both from 0.

  The end of the run belongs to the last ones.
  """
  number = sum(phase.first_step <= step for phase in phases[1:])
  return number, sum(stage.first_step <= step for stage in phases[number].stages[1:])


@functools.cache
def sources(config: Config) -> tuple[str, ...]:
  """The names of all datasets: those that the run is measured by, then those of its phases."""
  mixtures = [config.data.mixture, *(phase.data.mixture for phase in plan(config))]
  return tuple(dict.fromkeys(name for mixture in mixtures for name in parse_mixture(mixture)))
