"""Compresses a file with the predictions of a model; decompress restores it.

  python -m binaries.compress --run_dir=runs/demo --input=a.txt --output=a.hsz
"""

import sys
from collections.abc import Sequence

from absl import flags

from binaries import command_line, flag_types, input_output, model_flags, progress_bar
from haiku_spectral.compression import codec
from haiku_spectral.evaluation import compressors

flags.adopt_module_key_flags(input_output)
flags.adopt_module_key_flags(model_flags)
STREAMS = flag_types.define_integer(
    'streams', 0, 'Parts of the file that are coded in parallel: more are faster, but the result '
    'is larger; 0: one per MiB of the file, up to 32.', upper=codec.MAX_STREAMS)
PRECISION = model_flags.define_precision()
COMPARE = flags.DEFINE_bool(
    'compare', False, 'Also prints the sizes that gzip, bzip2, xz, zstd, PPMd and zpaq reach.')


def _rates(size: int, compressed: int) -> tuple[float, float]:
  """(bits per byte, times smaller); zeros for an empty file."""
  return (8 * compressed / size, size / compressed) if size else (0.0, 0.0)


def main(argv: Sequence[str]) -> None:
  """Compresses, and prints the rate."""
  del argv
  input_output.check_flags()
  data = input_output.read_input()
  make, owner = input_output.load_predictor()
  with progress_bar.of_long_work('compress', len(data)) as bar:
    compressed = codec.compress(
        make, owner, data, streams=STREAMS.value, precision=PRECISION.value,
        on_progress=bar.update)
  input_output.write_output(compressed)
  # Beside a file on standard output there is room for words on the other stream only.
  out = sys.stderr if input_output.OUTPUT.value == '-' else sys.stdout
  bits, ratio = _rates(len(data), len(compressed))
  print(f'{len(data):,} bytes -> {len(compressed):,} bytes, {bits:.4f} bits per byte, '
        f'{ratio:.2f} times smaller', file=out)
  if COMPARE.value:
    print(f'\n{"":12}  {"bytes":>13}  bits per byte  times smaller', file=out)
    sizes = {'original': len(data), **compressors.sizes(data), 'this model': len(compressed)}
    for name, size in sizes.items():
      bits, ratio = _rates(len(data), size)
      print(f'{name:12}  {size:13,}  {bits:13.4f}  {ratio:13.2f}', file=out)
    for name in compressors.missing():
      print(f'{name:12}  not installed', file=out)


if __name__ == '__main__':
  command_line.run(main)
