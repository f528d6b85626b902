"""Parameters for tests in which any will do."""

import jax
import numpy as np

from haiku_spectral.modules import spectral_gpt


def random_params(config, seed=0):
  """Random parameters drawn by numpy: `init` would take longer to compile than all else here."""
  generator = np.random.default_rng(seed)
  return jax.tree.map(
      lambda leaf: generator.normal(0, 0.3, leaf.shape).astype(leaf.dtype),
      jax.eval_shape(spectral_gpt.make_model(config).init, jax.random.key(0)))
