"""A plan as a table for people and as JSON for programs."""

from typing import Any

from haiku_spectral.benchmarks.report import cell
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.planning.plan import SECONDS_PER_DAY, USABLE, Plan


def _rows(plan: Plan) -> list[tuple[str, str]]:
  data, train, roof = plan.config.data, plan.config.train, plan.roofline
  held = ', '.join(f'{name} {value / 1e9:.2f}' for name, value in plan.memory._asdict().items())
  rows = [
      ('parameters', f'{plan.parameters:,}'),
      ('devices', f'{plan.devices:,} x {plan.device.name}, mesh {meshes.describe(plan.sizes)}'),
      ('batch', f'{data.batch_size:,} rows of {data.segment:,} bytes, {train.accumulation} '
                f'micro-batches, {train.precision}'),
      ('memory per device, GB', f'{plan.needed / 1e9:.1f} of {plan.device.memory / 1e9:.0f}, of '
                                f'which {100 * USABLE:.0f} % are usable'),
      ('by formula', f'{plan.memory.total / 1e9:.1f}: {held}'),
  ]
  if plan.measured is not None:
    rows.append(('by the compiled step', f'{plan.measured / 1e9:.1f}'))
  rows += [
      ('model FLOP per step and device', f'{roof.flops:.3e}, {cell(roof.flops_per_byte)} per byte '
                                         f'of memory traffic; the device balances '
                                         f'{cell(_balance(plan))}'),
      *((f'GB sent along {" and ".join(axes)}, per step and device',
         f'{cell(sent / 1e9)} in {cell(roof.links[axes])} s')
        for axes, sent in roof.traffic.items()),
      ('seconds per step', f'{cell(roof.overlapped)} if all overlaps (compute '
                           f'{cell(roof.compute)}, memory {cell(roof.memory)}, links '
                           f'{cell(float(sum(roof.links.values())))}), '
                           f'{cell(roof.sequential)} if nothing does'),
      ('MFU if all overlaps', f'{100 * plan.mfu:.0f} %'),
      ('text', f'{plan.text / 1e12:.3f} TB, {cell(plan.text / plan.parameters)} bytes per '
               f'parameter: {plan.steps:,.0f} steps, '
               f'{cell(plan.steps * roof.overlapped / SECONDS_PER_DAY)} days if all overlaps'),
  ]
  return rows


def _balance(plan: Plan) -> float:
  return plan.device.rate(plan.config.train.precision) / plan.device.memory_bandwidth


def table(plan: Plan) -> str:
  """Markdown."""
  rows = _rows(plan)
  width = max(len(name) for name, _ in rows)
  lines = [f'| {name.ljust(width)} | {value} |' for name, value in rows]
  return '\n'.join([f'| {"".ljust(width)} | |', f'| {"-" * width} | --- |', *lines])


def warning(plan: Plan, better: Plan | None) -> str:
  """What is wrong with a plan that does not fit, and what to do; '' when it fits."""
  if plan.fits:
    return ''
  lacks = (f'the mesh {meshes.describe(plan.sizes)} cannot hold the model: a device needs '
           f'{plan.needed / 1e9:.1f} GB, and {USABLE * plan.device.memory / 1e9:.1f} GB of a '
           f'{plan.device.name} are usable.')
  if better is None or not better.fits:
    return f'{lacks} No mesh of {plan.devices:,} such devices can: give more of them.'
  return (f'{lacks} --mesh={meshes.describe(better.sizes)} and --accumulation='
          f'{better.config.train.accumulation} needs {better.needed / 1e9:.1f} GB.')


def as_json(plan: Plan, better: Plan | None) -> dict[str, Any]:
  """All numbers of a plan; bytes and seconds. Axes are joined with '+'."""
  roof = plan.roofline._asdict()
  for name in ('traffic', 'links'):
    roof[name] = {'+'.join(axes): value for axes, value in roof[name].items()}
  return {
      'parameters': plan.parameters, 'devices': plan.devices, 'device': plan.device._asdict(),
      'mesh': plan.sizes, 'memory': {**plan.memory._asdict(), 'total': plan.memory.total,
                                     'compiled': plan.measured, 'fits': plan.fits},
      'step': {**roof, 'overlapped': plan.roofline.overlapped,
               'sequential': plan.roofline.sequential, 'mfu': plan.mfu,
               'flops_per_byte': plan.roofline.flops_per_byte},
      'text': plan.text, 'steps': plan.steps,
      'suggestion': better and {
          'mesh': better.sizes, 'accumulation': better.config.train.accumulation,
          'memory': better.needed, 'fits': better.fits},
  }
