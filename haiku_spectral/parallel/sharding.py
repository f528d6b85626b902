"""Which parameters are sharded over `fsdp`, and along which axis: one table.

Matrices are cut along their longer side, the last where both are equal. So the Newton-Schulz
iteration of Muon, whose products contract the longer side, needs no whole matrix: each of its steps
sums a Gram matrix of the shorter side over the devices, and all else is local to a shard.

What has few numbers is held by every device: to gather it would cost a message each.
"""

import re
from typing import Any

import haiku as hk
import jax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from haiku_spectral.parallel import mesh as meshes

FSDP = meshes.FSDP_AXIS
STACK = 'stack'  # In the path of a parameter with an axis of super-blocks in front.

# The first pattern that is found in 'module/name' decides; P(): a copy on every device.
RULES: tuple[tuple[str, P], ...] = (
    (r'/(decay|strength|hidden)/w$', P()),  # A few columns: one per head or follower.
    (r'/ngram_input/', P()),  # Once per model, and its sides are those of no other matrix.
    (r'/filter[^/]*/', P()),
    (r'/(mlp/out|gate_in)/w$', P(FSDP, None)),
    (r'/w$', P(None, FSDP)),
    (r'/table$', P(None, FSDP)),  # By columns: 260 ids have no shares for 8 devices.
)


def spec(path: str) -> P:
  """The rule of a parameter 'module/name', with its stack's axis."""
  found = next((rule for pattern, rule in RULES if re.search(pattern, path)), P())
  return P(None, *found) if found and STACK in path.split('/') else found


def specs(params: hk.Params) -> dict[str, dict[str, P]]:
  """The rule of every parameter."""
  return {module: {name: spec(f'{module}/{name}') for name in named}
          for module, named in params.items()}


def is_sharded(rule: P) -> bool:
  """Whether a device holds a shard of it."""
  return FSDP in rule


def specs_like(tree: Any, params: hk.Params) -> Any:
  """The specs of a tree that holds trees like the parameters, as an optimiser's state does.

  What is not found by its module, name and shape in `params` is held by every device.
  """
  shapes = {(module, name): value.shape
            for module, named in params.items() for name, value in named.items()}

  def one(path: tuple[Any, ...], leaf: Any) -> P:
    key = tuple(getattr(entry, 'key', None) for entry in path[-2:])
    return spec('/'.join(key)) if key in shapes and shapes[key] == leaf.shape else P()

  return jax.tree_util.tree_map_with_path(one, tree)


def shardings(mesh: Mesh, tree: Any, params: hk.Params) -> Any:
  """`specs_like` on the devices of a mesh."""
  return jax.tree.map(lambda rule: NamedSharding(mesh, rule), specs_like(tree, params),
                      is_leaf=lambda x: isinstance(x, P))


def check(mesh: Mesh, params: hk.Params) -> None:
  """Raises a ValueError naming the first parameter that `fsdp` cannot share evenly."""
  count = mesh.shape[FSDP]
  for module, named in params.items():
    for name, value in named.items():
      rule = spec(f'{module}/{name}')
      if is_sharded(rule):
        size = value.shape[tuple(rule).index(FSDP)]
        if size % count:
          raise ValueError(
              f'{module}/{name} with {size} columns or rows cannot be sharded evenly over {count} '
              f'devices: give another size of the mesh axis {FSDP} (--mesh), or widths '
              f'(config.model.width, config.model.mlp_width) that are multiples of {count}.')


def sum_gradients(gradients: hk.Params) -> hk.Params:
  """Sums a device's gradients over the mesh, inside `shard_map`; shards, over the other axes.

  Those of shards are sums over `fsdp` already: `shards.gather` made them so.
  """
  rules = specs(gradients)
  others = tuple(name for name in meshes.AXES if name != FSDP)

  def of(sharded: bool) -> dict[tuple[str, str], jax.Array]:
    return {(module, name): value for module, named in gradients.items()
            for name, value in named.items() if is_sharded(rules[module][name]) == sharded}

  summed = {**jax.lax.psum(of(True), others), **jax.lax.psum(of(False), meshes.AXES)}
  return {module: {name: summed[module, name] for name in named}
          for module, named in gradients.items()}
