"""What compress and decompress share: their flags, and files from and to disk, pipe or terminal."""

import contextlib
import functools
import os
import stat
import sys
from collections.abc import Iterator

import tqdm
from absl import flags

from binaries import command_line, flag_types
from haiku_spectral.compression import codec as compression
from haiku_spectral.decoding import session
from haiku_spectral.storage import atomic_file
from haiku_spectral.training import checkpoint

RUN_DIR = flag_types.define_path('run_dir', '', 'Folder of the run whose model predicts.')
BEST = flags.DEFINE_bool('best', False, 'The best checkpoint on held-out text, not the latest.')
INPUT = flag_types.define_path('input', '', "File to read; '-': standard input.")
OUTPUT = flag_types.define_path('output', '', "File to write; '-': standard output.")

# Measuring, which a GPU otherwise does at every start, may choose another way to multiply, and so
# other roundings, at the other end. Changes nothing on a CPU.
_SAME_EVERY_TIME = '--xla_gpu_deterministic_ops=true'


def check_flags() -> None:
  """Raises ValueError for flags that are missing or an output that could not be written."""
  if not RUN_DIR.value:
    raise ValueError('--run_dir is missing: give the folder of a training run (runs/NAME).')
  for flag in (INPUT, OUTPUT):
    if not flag.value:
      raise ValueError(f"--{flag.name} is missing: give the path of a file, or '-'.")
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


def load_predictor() -> tuple[compression.MakePredictor, session.Owner]:
  """The run's model, and its mark."""
  os.environ['XLA_FLAGS'] = f"{os.environ.get('XLA_FLAGS', '')} {_SAME_EVERY_TIME}"
  config, params, _ = checkpoint.load_params(RUN_DIR.value, best=BEST.value)
  make = functools.partial(compression.ModelPredictor, config.model, params)
  return make, session.owner(config.model, params)


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[tqdm.tqdm]:
  """A bar with rate and time left, for files that take long; gone when they are done."""
  with tqdm.tqdm(desc=what, total=total, unit='B', unit_scale=True, delay=2, leave=False,
                 mininterval=command_line.BAR_SECONDS, file=sys.stderr) as bar:
    yield bar
