"""Rotary position embedding (Su et al. 2021): rotated vectors whose products know the distance."""

import chex
import jax
import jax.numpy as jnp
import numpy as np


def rotate(
    x: jax.Array,  # [B, T, H, K], K even
    start: int,
    base: float = 10_000.0,
) -> jax.Array:  # [B, T, H, K]
  """Rotates the vector at time t by the angles (start + t) base^(-2i/K).

  The angles are made in float64 when the program is traced, so that their rounding does not grow
  with the position.
  """
  chex.assert_rank(x, 4)
  length, half = x.shape[1], x.shape[3] // 2
  frequencies = base ** (-np.arange(half) / half)
  angles = (start + np.arange(length))[:, None, None] * frequencies
  cos, sin = (jnp.asarray(f(angles), x.dtype) for f in (np.cos, np.sin))
  first, second = x[..., :half], x[..., half:]
  return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)
