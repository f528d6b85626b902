"""Makes a file smaller by what a model expects of it; decompress gives it back.

  python -m binaries.compress --run_dir=runs/nano --input=a.txt --output=a.hsz
"""

import sys
from collections.abc import Sequence

from absl import flags

from binaries import command_line, flag_types, input_output
from haiku_spectral.compression import codec as compression
from haiku_spectral.compression import compressed_file, compressors

flags.adopt_module_key_flags(input_output)
LANES = flag_types.define_integer(
    'lanes', 0, 'Parts of the file coded side by side: faster, but larger; 0: by its size.')
PRECISION = flags.DEFINE_enum(
    'precision', 'float32', compressed_file.PRECISIONS, 'What the layers compute in.')
COMPARE = flags.DEFINE_bool('compare', False, 'Show what other programs make of the file.')


def _rates(size: int, compressed: int) -> tuple[float, float]:
  """(bits per byte, times smaller); of an empty file there is nothing to say."""
  return (8 * compressed / size, size / compressed) if size else (0.0, 0.0)


def main(argv: Sequence[str]) -> None:
  """Compresses and says how well."""
  del argv
  input_output.check_flags()
  data = input_output.read_input()
  make, owner = input_output.load_predictor()
  with input_output.progress('compress', len(data)) as bar:
    compressed = compression.compress(
        make, owner, data, lanes=LANES.value, precision=PRECISION.value,
        on_progress=bar.update)
  input_output.write_output(compressed)
  # Beside a file on standard output there is room for words on the other stream only.
  out = sys.stderr if input_output.OUTPUT.value == '-' else sys.stdout
  bits, ratio = _rates(len(data), len(compressed))
  print(f'{len(data):,} bytes -> {len(compressed):,} bytes, {bits:.4f} bits per byte, '
        f'{ratio:.2f} times smaller', file=out)
  if COMPARE.value:
    print(f'\n{"":10}  {"bytes":>13}  bits per byte  times smaller', file=out)
    sizes = {'original': len(data), **compressors.sizes(data), 'this model': len(compressed)}
    for name, size in sizes.items():
      bits, ratio = _rates(len(data), size)
      print(f'{name:10}  {size:13,}  {bits:13.4f}  {ratio:13.2f}', file=out)


if __name__ == '__main__':
  command_line.run(main)
