"""The ceilings of the device at hand, as programs of JAX reach them.

Shapes: N side of a square matrix.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from haiku_spectral.parallel import hardware

ROUNDS, SECONDS = 3, 0.3  # Rounds, of which the median counts, and how long each takes at least.


def seconds_per_call(call: Callable[[], Any]) -> float:
  """Median seconds of a call that starts work on the device, when many follow each other."""
  jax.block_until_ready(call())  # Compiles.
  count = 1
  rounds: list[float] = []
  while len(rounds) < ROUNDS:
    start = time.perf_counter()
    for _ in range(count):
      out = call()
    jax.block_until_ready(out)
    elapsed = time.perf_counter() - start
    if elapsed < SECONDS and not rounds:
      count = max(count + 1, round(count * min(SECONDS / max(elapsed, 1e-6), 10.0)))
    else:
      rounds.append(elapsed / count)
  return statistics.median(rounds)


def product_rate(size: int, dtype: str, precision: str) -> float:
  """Operations per second of the product of two [N, N] matrices of random numbers."""
  a, b = (jax.random.normal(jax.random.key(i), (size, size), dtype) for i in range(2))
  product = jax.jit(lambda a, b: jnp.dot(a, b, precision=precision))
  return 2 * size**3 / seconds_per_call(lambda: product(a, b))


def copy_rate(count: int) -> float:
  """Bytes per second, read and written, of copying an array of `count` float32 numbers."""
  x = jnp.zeros(count, jnp.float32)
  add = jax.jit(lambda x: x + 1)
  return 2 * 4 * count / seconds_per_call(lambda: add(x))


def vendor_rate(dtype: str) -> float | None:
  """Operations per second of products of a type, by the vendor; None of an unknown device."""
  device = hardware.of_kind(jax.devices()[0].device_kind)
  return device.rate(dtype) if device else None
