"""Adam or Muon with clipping, warm-up and weight decay, by groups of parameters.

| group | parameters | update | rate | decayed |
|---|---|---|---|---|
| matrices | `w` of projections | Adam, or Muon | Muon's: times `matrix_learning_rate_scale` | yes |
| gates | `w` of decays, strengths and gates | Adam | the schedule's | yes |
| tables | embedding and head | Adam | the schedule's | yes |
| filters | those of long filters | Adam | times `filter_learning_rate_scale` | no |
| others | norms, short taps, biases | Adam | the schedule's | no |

With `base_width` the rates follow the width of the model: see `width_scaling`.

Muon (Jordan 2024; Liu et al. 2025, 2502.16982) gives Adam Nesterov momentum in the other groups.

The learning rate is a function of the training step, which also counts skipped steps, so that a
schedule ends when the training does.
"""

from collections.abc import Callable
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import optax

from haiku_spectral.config import Config, OptimizerConfig, RateConfig, phases
from haiku_spectral.modules import filters
from haiku_spectral.training import width_scaling

Schedule = Callable[[jax.Array], jax.Array]  # Step (int32, from 0) -> learning rate (float32).


def learning_rate(config: Config) -> Schedule:
  """The rule of each phase over its own steps."""
  plan = phases.plan(config)
  return optax.join_schedules(
      [_rule(phase.rate, phase.steps) for phase in plan], [phase.first_step for phase in plan[1:]])


def _rule(rates: RateConfig, steps: int) -> Schedule:
  """Linear warm-up to the peak, then 'cosine' or 'wsd' (stable, then a linear decay) to the end.

  The first step has 1 / warmup_steps of the peak, never nothing; the last has `final_fraction`.
  """
  last = max(steps - 1, 1)
  # Functions of the progress of the decay, 0 to 1.
  decay, stable_until = {
      'cosine': (optax.cosine_decay_schedule(1.0, decay_steps=1, alpha=rates.final_fraction),
                 rates.warmup_steps),
      'wsd': (optax.linear_schedule(1.0, rates.final_fraction, transition_steps=1),
              round((1 - rates.decay_fraction) * steps)),
  }[rates.schedule]
  stable_until = min(stable_until, last - 1)

  def schedule(step: jax.Array) -> jax.Array:
    step = jnp.asarray(step, jnp.float32)
    warm = jnp.minimum((step + 1) / max(rates.warmup_steps, 1), 1.0)
    progress = jnp.clip((step - stable_until) / (last - stable_until), 0.0, 1.0)
    return rates.learning_rate * warm * decay(progress)

  return schedule


def is_decayed(module: str, name: str) -> bool:
  """Whether weight decay applies: to matrices, not to filters, short taps, biases and scales."""
  return name in ('w', 'table') and not filters.is_filter(module)


def is_matrix(module: str, name: str) -> bool:
  """Whether Muon may have it: weights between layers, but not those of decays and gates."""
  gates = ('decay', 'strength', 'hidden')
  return name == 'w' and module.split('/')[-1] not in gates and not filters.is_filter(module)


def _direction(rates: OptimizerConfig) -> optax.GradientTransformation:
  """The update before weight decay and the schedule."""
  if rates.kind == 'adamw':
    return optax.scale_by_adam(b1=rates.b1, b2=rates.b2)

  def dimensions(params: hk.Params) -> Any:
    # The last two axes; the first one of a layer stack is a batch. By name: leaves may be masked.
    return hk.data_structures.map(
        lambda module, name, value: optax.contrib.MuonDimensionNumbers(-2, -1)
        if is_matrix(module, name) else None, params)

  # Its rates are relative to the schedule's, which has the sign.
  return optax.contrib.muon(
      -rates.matrix_learning_rate_scale, adam_learning_rate=-1.0,
      adam_b1=rates.b1, adam_b2=rates.b2, muon_weight_dimension_numbers=dimensions)


def make_optimizer(config: Config) -> optax.GradientTransformationExtraArgs:
  """Clip the global norm, Adam or Muon, decoupled weight decay, learning rate by group and step.

  Its `update` takes the training step as the keyword `step`.
  """
  rates = config.train.optimizer

  def decayed(params: hk.Params) -> Any:
    return _of_each(is_decayed, params)

  def of_filters(params: hk.Params) -> Any:
    return _of_each(lambda module, name: filters.is_filter(module), params)

  return optax.chain(
      optax.clip_by_global_norm(rates.clip_norm),
      _direction(rates),
      *([_scale_by_width(config)] if rates.base_width else []),
      optax.add_decayed_weights(rates.weight_decay, mask=decayed),
      optax.masked(optax.scale(rates.filter_learning_rate_scale), of_filters),
      _scale_by_schedule(learning_rate(config)),
  )


def _scale_by_width(config: Config) -> optax.GradientTransformation:
  def scale(updates: Any, params: Any = None) -> Any:
    del params
    factors = width_scaling.factors(config, updates, is_matrix)
    return jax.tree.map(lambda update, factor: factor * update, updates, factors)

  return optax.stateless(scale)


def _of_each(question: Callable[[str, str], bool], params: hk.Params) -> Any:
  return hk.data_structures.map(lambda module, name, value: question(module, name), params)


def _scale_by_schedule(schedule: Schedule) -> optax.GradientTransformationExtraArgs:
  """Scales updates by minus the rate of the step that the caller names."""

  def update(updates, state, params=None, *, step, **extra_args):
    del params, extra_args
    rate = -schedule(step)
    return jax.tree.map(lambda u: rate * u, updates), state

  return optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)
