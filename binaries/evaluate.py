"""Measures a trained model with one of several suites.

  python -m binaries.evaluate --suite=recall --run_dir=runs/demo --lengths=1024,16384
  python -m binaries.evaluate --suite=length --run_dir=runs/demo --text=~/books --max_factor=256
  python -m binaries.evaluate --suite=recall --write_training_text=recall --bytes=4000000
  python -m binaries.evaluate --suite=turkish --run_dir=runs/demo --source=~/TurBLiMP/data
  python -m binaries.evaluate --suite=compression --run_dir=runs/demo --text=~/books

The model is that of a run or an exported one (a folder or a file). Prints tables; writes
SUITE.json and SUITE.png into the folder of the run.
"""

from collections.abc import Sequence

from absl import flags

from binaries import (
  command_line,
  flag_types,
  model_flags,
  suite_compression,
  suite_length,
  suite_recall,
  suite_turkish,
  suites,
)

SUITES = {
    'recall': suite_recall.SUITE,
    'length': suite_length.SUITE,
    'turkish': suite_turkish.SUITE,
    'compression': suite_compression.SUITE,
}
for _module in (suites, suite_recall, suite_length, suite_turkish, suite_compression):
  flags.adopt_module_key_flags(_module)
SUITE = flags.DEFINE_enum(
    'suite', None, list(SUITES), 'What is measured: '
    + '; '.join(f'{name}: {suite.about}' for name, suite in SUITES.items()) + '.')


def main(argv: Sequence[str]) -> None:
  """Measures, prints and writes the report; or does what needs no model."""
  del argv
  name = flag_types.given(SUITE, ' or '.join(SUITES))
  if name != 'recall' and suite_recall.TRAINING_TEXT.value:
    raise ValueError('--write_training_text is of --suite=recall: give that.')
  if not (measure := SUITES[name].prepare()):
    return
  model_flags.check()
  subject, output = suites.load(), suites.output_folder()
  found = measure(subject)
  print(found.text, flush=True)  # First: whatever becomes of the files, it is there.
  paths = suites.write(found, output, name)
  print(f'\nWritten: {", ".join(map(str, paths))}')


if __name__ == '__main__':
  command_line.run(main)
