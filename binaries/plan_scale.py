"""Plans a training on many accelerators: memory, traffic and time of a step, before any is rented.

  python -m binaries.plan_scale --config=100b --devices=1024 --device_kind=h100

Without --mesh it takes the fastest mesh that fits. The step is compiled for that many virtual
devices on this machine's CPU, which needs no accelerator and little memory; --aot=false skips that.
If a mesh is too small, a warning suggests one that is not.
"""

import functools
import json
import math
import pathlib
from collections.abc import Sequence
from typing import Any

from absl import flags

from binaries import command_line, flag_types
from haiku_spectral.storage import atomic_file

CONFIG = flags.DEFINE_string(
    'config', 'base', 'Name of a preset in haiku_spectral/configs, such as 100b.')
DEVICES = flag_types.define_integer('devices', 8, 'Number of accelerators.', lower=1, upper=1 << 16)
DEVICE_KIND = flags.DEFINE_string(
    'device_kind', 'h100', 'Kind of accelerator: a100, h100, h200, b200, v5e, v5p or v6e.')
MESH = flags.DEFINE_string(
    'mesh', None, 'Mesh, as for train: data:2,fsdp:512 (default: the fastest that fits).')
ROWS = flag_types.define_integer('rows', None, 'Rows of a batch (default: the preset\'s).',
                                 lower=1)
ACCUMULATION = flag_types.define_integer(
    'accumulation', None, 'Micro-batches per step (default: the preset\'s).', lower=1)
AOT = flags.DEFINE_bool('aot', True, 'Compiles the step ahead of time to measure its memory.')
OUT = flag_types.define_path('out', None, 'File to write the plan to, as JSON (default: none).')


def _compiled(plan: Any) -> Any:
  """The plan with what the compiler says of it, if that is asked for."""
  from haiku_spectral.planning import plan as plans
  if not AOT.value:
    return plan
  command_line.tell('compiling the step ...')
  return plans.compiled(plan)


def _make(config: Any, device: Any) -> tuple[Any, Any]:
  """The plan, and a better one if it does not fit and its mesh was given, or None."""
  from haiku_spectral.parallel import mesh as meshes
  from haiku_spectral.planning import plan as plans
  suggest = functools.partial(
      plans.suggest, config, device, DEVICES.value, tell=command_line.tell)
  if MESH.value:
    sizes = meshes.parse(MESH.value)
    if math.prod(sizes.values()) != DEVICES.value:
      raise ValueError(f'--mesh={MESH.value} is one of {math.prod(sizes.values()):,} devices: give '
                       f'one of --devices={DEVICES.value:,}.')
    plan = _compiled(plans.make(config, device, sizes))
  else:
    plan = _compiled(suggest())
  if plan.fits:
    return plan, None
  # The compiled step needs more than the formula says.
  better = suggest(factor=plan.needed / plan.memory.total)
  return (plan, better) if MESH.value or not better.fits else (_compiled(better), None)


def main(argv: Sequence[str]) -> None:
  """Prints the plan, and warnings on standard error."""
  del argv
  import jax
  jax.config.update('jax_platforms', 'cpu')
  jax.config.update('jax_num_cpu_devices', DEVICES.value if AOT.value else 1)

  from haiku_spectral.parallel import hardware
  from haiku_spectral.planning import plan as plans
  from haiku_spectral.planning import text

  device = hardware.named(DEVICE_KIND.value)
  config = plans.preset(CONFIG.value, ROWS.value, ACCUMULATION.value)
  out = pathlib.Path(OUT.value) if OUT.value else None
  if out:
    atomic_file.check_folder(out.absolute().parent, what='The plan', flag='--out')
  plan, better = _make(config, device)
  print(text.table(plan))
  if warning := text.warning(plan, better):
    command_line.tell(f'warning: {warning}')
  if out:
    atomic_file.write_text(out, json.dumps(text.as_json(plan, better), indent=2) + '\n')


if __name__ == '__main__':
  command_line.run(main)
