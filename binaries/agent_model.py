"""The model of the agent, as its programs load it."""

from typing import NamedTuple

import jax

from binaries import model_flags
from haiku_spectral.agent.sampler import ModelSampler
from haiku_spectral.decoding import decoder, sampling, session

TURN_BYTES = 256  # Of a turn on the way to a goal: the teacher's have up to 160.


class Agent(NamedTuple):
  """What generates turns, and whose contexts these are."""

  sampler: ModelSampler
  owner: session.Owner


def load(*, precision: str, temperature: float, seed: int, turn_bytes: int) -> Agent:
  """The model of `--run_dir`."""
  config, params, _ = model_flags.load()
  return Agent(
      ModelSampler(
          decoder.Decoder(config.model, model_flags.on_device(params, precision)),
          sampling.SamplingConfig(temperature=temperature, end_of_document=True),
          jax.random.key(seed), turn_bytes),
      session.owner(config.model, params))
