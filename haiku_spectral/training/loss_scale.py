"""Dynamic loss scaling for float16, whose gradients would otherwise round to zero.

Kept as two plain arrays: `jmp.DynamicLossScale` as a pytree cannot be mapped to shardings or saved.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import jmp

INITIAL_SCALE = 2.0**15
GROWTH_STEPS = 2000  # Finite steps in a row after which the scale doubles.


class LossScale(NamedTuple):
  """What float16 training remembers between steps."""

  scale: jax.Array  # [] float32: the factor of the loss before it is differentiated.
  counter: jax.Array  # [] int32: finite steps since the scale last changed.


def initial_loss_scale(precision: str) -> LossScale | None:
  """None when the precision has float32's range and needs no scaling."""
  if precision != 'float16':
    return None
  return LossScale(jnp.float32(INITIAL_SCALE), jnp.int32(0))


def factor(state: LossScale | None) -> jax.Array:  # [] float32
  """What to multiply the loss with, and to divide its gradients by."""
  return jnp.float32(1.0) if state is None else state.scale


def adjust(state: LossScale | None, finite: jax.Array) -> LossScale | None:  # finite: [] bool
  """Halves the scale after gradients that are not finite; doubles it after enough that are."""
  if state is None:
    return None
  scaling = jmp.DynamicLossScale(state.scale, state.counter, period=GROWTH_STEPS).adjust(finite)
  return LossScale(scaling.loss_scale, scaling.counter.astype(jnp.int32))
