"""Measures training on the accelerator at hand: speed, MFU, memory, a profile, convolutions.

  python -m binaries.benchmark_device --minutes=8 --out=runs/device

Prints progress; report.md and results.json always hold everything measured so far. With --quick it
checks on a CPU that everything runs.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from binaries import command_line, flag_types
from haiku_spectral.benchmarks import device, recorder, report
from haiku_spectral.configs import presets
from haiku_spectral.storage import atomic_file

PRESETS = flags.DEFINE_list(
    'presets', ['base', 'nano', 'tiny', 'small'],
    'Presets, separated by commas; the first one is also profiled and varied.')
SECTIONS = flags.DEFINE_list(
    'sections', list(device.SECTIONS), 'What is measured, in this order, separated by commas.')
PRECISION = flags.DEFINE_enum(
    'precision', 'bfloat16', ['bfloat16', 'float32'],
    'Floating-point type in which the layers compute.')
MINUTES = flag_types.define_float(
    'minutes', 30.0, 'Time limit in minutes: no measurement begins that would exceed it.',
    lower=0.1)
OUT = flag_types.define_path('out', 'runs/device', 'Folder of the report.')
TRACE = flag_types.define_path(
    'trace', None, 'Folder for the profile, to be read with TensorBoard (default: not kept).')
QUICK = flags.DEFINE_bool('quick', False, 'Uses tiny sizes, to check that everything runs.')


def main(argv: Sequence[str]) -> None:
  """Measures section by section; the report grows with each row."""
  del argv
  if unknown := [name for name in SECTIONS.value if name not in device.SECTIONS]:
    raise ValueError(f'--sections={unknown[0]} is not allowed: give some of '
                     f'{", ".join(device.SECTIONS)}.')
  flag_types.given(SECTIONS, 'one section or more')
  flag_types.given(PRESETS, 'one preset or more')
  for name in PRESETS.value:
    presets.load(name, '--presets')
  folder = pathlib.Path(OUT.value)
  atomic_file.check_folder(folder, what='The report', flag='--out')
  record = recorder.Recorder(
      folder, 'Training on a device', report.machine(), minutes=MINUTES.value,
      tell=command_line.tell)
  session = device.Session(record, device.Settings(
      tuple(PRESETS.value), PRECISION.value, QUICK.value,
      pathlib.Path(TRACE.value) if TRACE.value else None))
  for name in SECTIONS.value:
    device.SECTIONS[name](session)
    print(report.markdown(record.sections[name]) + '\n', flush=True)
  print(f'Written: {folder / "report.md"}, {folder / "results.json"}')


if __name__ == '__main__':
  command_line.run(main)
