"""Which steps are not applied, and when skipping is no longer the answer.

One bad batch must not cost a run: a step whose gradient is not finite, or is far longer than usual,
leaves parameters and optimiser as they were and is counted.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from haiku_spectral.config import GuardConfig


class GuardState(NamedTuple):
  """What the guard has seen so far."""

  average: jax.Array  # [] float32: decayed sum of the applied steps' gradient norms.
  applied: jax.Array  # [] int32: steps applied.
  skipped: jax.Array  # [] int32: steps skipped.
  consecutive: jax.Array  # [] int32: steps skipped since the last one that was applied.


class TooManySkippedSteps(ValueError):
  """Training does not get on by itself: a person has to change something."""


def initial_guard() -> GuardState:
  """The state before the first step."""
  return GuardState(jnp.float32(0), jnp.int32(0), jnp.int32(0), jnp.int32(0))


def usual_norm(state: GuardState, config: GuardConfig) -> jax.Array:  # [] float32
  """Running average of the applied steps' gradient norms; 0 before the first."""
  weight = 1 - (1 - 1 / config.average_steps) ** state.applied.astype(jnp.float32)
  return jnp.where(state.applied > 0, state.average / jnp.maximum(weight, 1e-12), 0.0)


def judge(
    state: GuardState,
    gradient_norm: jax.Array,  # [] float32
    loss: jax.Array,  # [] float32
    config: GuardConfig,
) -> tuple[jax.Array, GuardState]:  # [] bool: whether to apply the step
  """Pure; skipped steps do not move the average, or a row of spikes would become the usual."""
  finite = jnp.isfinite(gradient_norm) & jnp.isfinite(loss)
  warm = state.applied >= config.average_steps
  spike = warm & (gradient_norm > config.spike_factor * usual_norm(state, config))
  apply = finite & ~spike
  rate = 1 / config.average_steps
  average = (1 - rate) * state.average + rate * gradient_norm
  return apply, GuardState(
      average=jnp.where(apply, average, state.average),
      applied=state.applied + apply,
      skipped=state.skipped + ~apply,
      consecutive=jnp.where(apply, 0, state.consecutive + 1),
  )


def check(
    step: int, *, consecutive: int, loss: float, gradient_norm: float, usual: float,
    config: GuardConfig,
) -> None:
  """Raises TooManySkippedSteps when more steps in a row were skipped than the config allows."""
  if consecutive <= config.max_consecutive_skips:
    return
  raise TooManySkippedSteps(
      f'training stopped at step {step}: the last {consecutive} steps were all skipped '
      f'(config.train.guard.max_consecutive_skips={config.max_consecutive_skips}). The last had '
      f'loss {loss:.4g} and gradient norm {gradient_norm:.4g}; usual is {usual:.4g}, and '
      f'{config.spike_factor:g} times that is a spike. Try, in a new --run_dir, a lower '
      'config.train.optimizer.learning_rate, more warmup_steps, or precision float32 or bfloat16 '
      'if it is float16. If loss and norm are finite and the norm has grown for good, a larger '
      'config.train.guard.spike_factor lets this run go on.')
