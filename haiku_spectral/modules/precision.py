"""Which parameters may leave float32, and the jmp policies of training.

Activations take the type of the embedding, so casting the parameters at a step's boundary decides
what the layers compute in. These stay in float32: filters and decays, whose time constants would
round to "never" in 16 bits, and norms. Transforms, memories, softmax and logits are float32 inside.
"""

import haiku as hk
import jax.numpy as jnp
import jmp
from jax.typing import DTypeLike

FLOAT32_MODULES = ('filter', 'decay', 'norm')  # By the beginning of a module's name.


def policy(precision: str) -> jmp.Policy:
  """Parameters and outputs in float32, layers in `precision`."""
  return jmp.get_policy(f'params=float32,compute={precision},output=float32')


def _is_float32(module: str) -> bool:
  return any(part.startswith(FLOAT32_MODULES) for part in module.split('/'))


def layer_dtype(params: hk.Params) -> jnp.dtype:
  """The type that the layers compute in, and that of most of a state."""
  return next(value.dtype for module, leaves in params.items() if not _is_float32(module)
              for value in leaves.values())


def cast_params(params: hk.Params, dtype: DTypeLike) -> hk.Params:
  """The same parameters in `dtype`, except those of the modules in `FLOAT32_MODULES`."""
  def cast(module: str, name: str, value):
    del name
    return value if _is_float32(module) else value.astype(dtype)

  return hk.data_structures.map(cast, params)
