"""Restores a compressed file, with the same model on the same kind of machine.

  python -m binaries.decompress --run_dir=runs/demo --input=a.hsz --output=a.txt
"""

from collections.abc import Sequence

from absl import flags

from binaries import command_line, input_output, model_flags, progress_bar
from haiku_spectral.compression import codec, compressed_file

flags.adopt_module_key_flags(input_output)
flags.adopt_module_key_flags(model_flags)
FORCE = flags.DEFINE_bool(
    'force', False, 'Also tries a file from another platform; a wrong result is detected.')


def main(argv: Sequence[str]) -> None:
  """Decompresses; writes the original or nothing."""
  del argv
  input_output.check_flags()
  data, name = input_output.read_input(), input_output.INPUT.value
  header, _ = compressed_file.parse(data, name=name)
  make, owner = input_output.load_predictor()
  with progress_bar.of_long_work('decompress', header.size) as bar:
    original = codec.decompress(
        make, owner, data, name=name, force=FORCE.value, on_progress=bar.update)
  input_output.write_output(original)


if __name__ == '__main__':
  command_line.run(main)
