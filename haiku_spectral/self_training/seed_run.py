"""One seed of self-improvement: what all its stages share."""

import pathlib
from typing import NamedTuple

import jax

from haiku_spectral.config import Config
from haiku_spectral.decoding import session
from haiku_spectral.self_training import proposals
from haiku_spectral.self_training import sampler as samplers
from haiku_spectral.self_training.callbacks import Callbacks
from haiku_spectral.self_training.evaluator import Evaluator
from haiku_spectral.self_training.paths import SeedPaths
from haiku_spectral.self_training.settings import Settings
from haiku_spectral.self_training.verifier_cache import VerifierCache
from haiku_spectral.tasks.problem import Family, Problem
from haiku_spectral.training import checkpoint


class SeedRun(NamedTuple):
  """Nothing of it changes while the rounds go on."""

  config: Config  # The preset: two phases.
  settings: Settings
  family: Family
  seed: int
  paths: SeedPaths
  verifier: VerifierCache
  callbacks: Callbacks
  heldout: tuple[Problem, ...]  # What all models are measured by.
  gate: tuple[Problem, ...]  # What decides while the rounds go on: of the labelled depths.


class Round(NamedTuple):
  """One round of one arm."""

  seed: int
  arm: str
  number: int  # From 1.

  def __str__(self) -> str:
    """Its name in messages and progress bars."""
    return f'seed {self.seed}, {self.arm}, round {self.number}'


class Model(NamedTuple):
  """A trained model."""

  folder: pathlib.Path
  step: int
  fingerprint: str
  sampler: samplers.Sampler


def start(
    config: Config, settings: Settings, family: Family, *, seed: int, paths: SeedPaths,
    verifier: VerifierCache, callbacks: Callbacks,
) -> SeedRun:
  """A seed, with the problems of its settings that nothing is trained on."""
  labelled = range(1, settings.labelled_depth + 1)
  return SeedRun(config, settings, family, seed, paths, verifier, callbacks,
                 tuple(proposals.heldout(family, settings.depths, settings.heldout)),
                 tuple(proposals.gate(family, labelled, settings.gate)))


def load(folder: pathlib.Path) -> Model:
  """The model of a training run."""
  config, params, step = checkpoint.load_params(folder)
  owner = session.owner(config.model, params)
  return Model(folder, step, owner.parameters, samplers.Sampler(config.model, params))


def evaluator(run: SeedRun, model: Model) -> Evaluator:
  """Has a model answer problems."""
  return Evaluator(run.family, model.sampler, run.verifier, run.callbacks.progress)


def key(run: SeedRun, number: int, use: int) -> jax.Array:
  """The key of the samples that a round draws for some use."""
  return jax.random.fold_in(jax.random.fold_in(jax.random.key(run.seed), number), use)
