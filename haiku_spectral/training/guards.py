"""Which steps are not applied, and when skipping is no longer the answer.

One bad batch must not cost a run: a step whose gradient is not finite, or whose norm is far above
its exponential moving average (EMA), leaves parameters and optimiser as they were and is counted.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from haiku_spectral.config import GuardConfig


class GuardState(NamedTuple):
  """What the guard has seen so far."""

  norm_sum: jax.Array  # [] float32: decayed sum of the applied steps' gradient norms.
  applied: jax.Array  # [] int32: steps applied.
  skipped: jax.Array  # [] int32: steps skipped.
  consecutive: jax.Array  # [] int32: steps skipped since the last one that was applied.


class TooManySkippedSteps(ValueError):
  """Training will not recover by itself: a person has to change something."""


def initial_guard() -> GuardState:
  """The state before the first step."""
  return GuardState(jnp.float32(0), jnp.int32(0), jnp.int32(0), jnp.int32(0))


def grad_norm_ema(state: GuardState, config: GuardConfig) -> jax.Array:  # [] float32
  """EMA of the applied steps' gradient norms, without bias; 0 before the first."""
  weight = 1 - (1 - 1 / config.average_steps) ** state.applied.astype(jnp.float32)
  return jnp.where(state.applied > 0, state.norm_sum / jnp.maximum(weight, 1e-12), 0.0)


def judge(
    state: GuardState,
    gradient_norm: jax.Array,  # [] float32
    loss: jax.Array,  # [] float32
    config: GuardConfig,
) -> tuple[jax.Array, GuardState]:  # [] bool: whether to apply the step
  """Pure; skipped steps do not move the average, or a row of spikes would become the norm."""
  finite = jnp.isfinite(gradient_norm) & jnp.isfinite(loss)
  warm = state.applied >= config.average_steps
  spike = warm & (gradient_norm > config.spike_factor * grad_norm_ema(state, config))
  apply = finite & ~spike
  rate = 1 / config.average_steps
  norm_sum = (1 - rate) * state.norm_sum + rate * gradient_norm
  return apply, GuardState(
      norm_sum=jnp.where(apply, norm_sum, state.norm_sum),
      applied=state.applied + apply,
      skipped=state.skipped + ~apply,
      consecutive=jnp.where(apply, 0, state.consecutive + 1),
  )


def reason_to_stop(
    step: int, *, consecutive: int, loss: float, gradient_norm: float, ema: float,
    config: GuardConfig,
) -> str:
  """Why training will not recover by itself, and what to try; empty as long as it may.

  It will not when more steps in a row were skipped than the config allows. `ema` is that of the
  gradient norms.
  """
  if consecutive <= config.max_consecutive_skips:
    return ''
  return (
      f'training stopped at step {step}: the last {consecutive} steps were all skipped '
      f'(config.train.guard.max_consecutive_skips={config.max_consecutive_skips}). The last had '
      f'loss {loss:.4g} and gradient norm {gradient_norm:.4g}; the average norm is {ema:.4g}, and '
      f'{config.spike_factor:g} times that is a spike. Try, in a new --run_dir, a lower '
      'config.train.optimizer.learning_rate, more warmup_steps, or precision float32 or bfloat16 '
      'if it is float16. If loss and norm are finite and the norm has grown for good, a larger '
      'config.train.guard.spike_factor lets this run go on.')
