"""Rotary position embedding (Su et al. 2021): rotated vectors whose products know the distance."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

BASE = 10_000.0


def rotate(
    x: jax.Array,  # [B, T, H, K], K even
    start: int | jax.Array,  # At most `end` - T.
    end: int | None = None,
) -> jax.Array:  # [B, T, H, K]
  """Rotates the vector at time t by the angles (start + t) 10,000^(-2i/K).

  It computes in float32. The angles are made in float64 when the program is traced, so that their
  rounding does not grow with the position. For a start that is known on the device alone, those
  before `end` are.
  """
  chex.assert_rank(x, 4)
  length, half = x.shape[1], x.shape[3] // 2
  times = np.arange(end) if end else start + np.arange(length)
  angles = times[:, None, None] * BASE ** (-np.arange(half) / half)
  cos, sin = (jnp.asarray(f(angles), jnp.float32) for f in (np.cos, np.sin))
  if end:
    cos, sin = (lax.dynamic_slice_in_dim(table, start, length) for table in (cos, sin))
  first, second = x[..., :half], x[..., half:]
  turned = jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)
  return turned.astype(x.dtype)
