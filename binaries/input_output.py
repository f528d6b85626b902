"""What compress and decompress share: their flags, and files from and to disks and pipes."""

import functools
import os
import stat
import sys

from absl import flags

from binaries import flag_types, model_flags
from haiku_spectral.compression import predictor
from haiku_spectral.decoding import session
from haiku_spectral.storage import atomic_file

flags.adopt_module_key_flags(model_flags)
INPUT = flag_types.define_path('input', '', "File to read; '-' is standard input.")
OUTPUT = flag_types.define_path('output', '', "File to write; '-' is standard output.")

# Autotuning at the start of a process on a GPU may choose other kernels, and so other roundings,
# for decompression than for compression. Changes nothing on a CPU.
_DETERMINISTIC = '--xla_gpu_deterministic_ops=true'


def check_flags() -> None:
  """Raises ValueError for flags that are missing or an output that could not be written."""
  model_flags.check()
  for flag in (INPUT, OUTPUT):
    flag_types.given(flag, "the path of a file, or '-'")
  if OUTPUT.value != '-':
    if os.path.realpath(OUTPUT.value) == os.path.realpath(INPUT.value):
      raise ValueError(f'--output={OUTPUT.value} is the input itself: give another path.')
    atomic_file.check_place(OUTPUT.value, what='Output', flag='--output')


def read_input() -> bytes:
  """The whole input."""
  if INPUT.value == '-':
    return sys.stdin.buffer.read()
  with open(INPUT.value, 'rb') as file:
    return file.read()


def write_output(data: bytes) -> None:
  """Writes the whole output or nothing, readable by whoever may read the input."""
  if OUTPUT.value == '-':
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return
  mode = 0o600 if INPUT.value == '-' else stat.S_IMODE(os.stat(INPUT.value).st_mode) & 0o666
  atomic_file.write(OUTPUT.value, data, mode=mode)


def load_predictor() -> tuple[predictor.MakePredictor, session.Owner]:
  """The run's model, and its identity."""
  os.environ['XLA_FLAGS'] = f"{os.environ.get('XLA_FLAGS', '')} {_DETERMINISTIC}"
  config, params, _ = model_flags.load()
  make = functools.partial(predictor.ModelPredictor, config.model, params)
  return make, session.owner(config.model, params)
